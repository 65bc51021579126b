"""No noise: the control condition of every study."""

from __future__ import annotations

from nlbench.noise.registry import Draw, Model, register
from nlbench.noise.task import Task


def draw(task: Task) -> Draw:
    """Return the clean labels unchanged."""
    return Draw(task.labels)


register(
    Model(
        name="clean",
        draw=draw,
        argument="",
        nested=True,
        summary="The labels as they are: the upper reference of every robustness study.",
        source="-",
        used_by="all papers, as noise rate 0",
    )
)
