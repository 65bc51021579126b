"""Given: the labels as a real-world set or one's own comes with them, wrong ones among them."""

from __future__ import annotations

from nlbench.noise.registry import Draw, Model, Scalar, register
from nlbench.noise.task import Task

# Share of wrong training labels as the publications of the sets estimate it; no exact count exists.
ESTIMATES = {"animal10n": 0.08, "food101n": 0.2}


def draw(task: Task) -> Draw:
    """Return the labels unchanged; which of them are wrong is not known."""
    details: dict[str, Scalar] = {"truth": "unknown"}
    if task.dataset in ESTIMATES:
        details["estimated_rate"] = ESTIMATES[task.dataset]
    return Draw(task.labels, details=details)


register(
    Model(
        name="given",
        draw=draw,
        argument="",
        truth=False,
        summary=(
            "The labels that a set from the web was published with, or those of your own data. They"
            " are noisy, and which are wrong is not known: no rate, no transition counts and no"
            " curve of clean or flipped samples is recorded; where the publication estimates the"
            " rate, it stands in the details as estimated_rate. For mini-WebVision, Clothing1M,"
            " Animal-10N, Food-101N, npz:NAME and folder:NAME."
        ),
        source="-",
        used_by="all papers on these sets",
    )
)
