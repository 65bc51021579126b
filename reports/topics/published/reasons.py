"""Why a published number and ours may differ, as far as it is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nlbench.reports.topics.published.match import Match

# True of every pair, so it is written once.
ALWAYS = (
    "In every row the labels, first weights and batches are other draws, and frameworks and kernels"
    " are other versions. Nothing here is a test: the published runs are not paired with ours."
)
EPS = "eps-softmax"


@dataclass(frozen=True)
class Reason:
    """One difference between two set-ups: when it applies, and in words."""

    applies: Callable[[Match], bool]
    words: str


REASONS = (
    Reason(
        lambda m: m.spec.dataset.name.endswith("_jpeg"),
        "our images are a JPEG copy of quality 75, not the official pixels",
    ),
    Reason(
        lambda m: m.spec.recipe.precision == "bf16",
        "ours is trained in bf16 autocast; public code of these tables trains in float32",
    ),
    Reason(
        lambda m: _kind(m) == "asymmetric" and EPS in m.number.source and _images(m) == "CIFAR-10",
        "its code flips class by class on labels already changed, so that some cats flip back: at"
        " 0.4 it changes 18.3 % of all labels, ours 20 %",
    ),
    Reason(
        lambda m: _kind(m) == "instance" and EPS in m.number.source,
        "its instance noise comes from another generator (exactly rate x N labels, by scores of"
        " normalised images): another task of the same name",
    ),
    Reason(
        lambda m: _kind(m) == "instance" and "scale=unit" not in m.spec.noise,
        "our instance noise reads standardised pixels, the Drainage code reads pixels in 0..1",
    ),
    Reason(
        lambda m: _kind(m) == "instance" and "bias=legacy" not in m.spec.noise,
        "our mean flip rate is the rate asked for; public code lies above it at low rates",
    ),
    Reason(
        lambda m: _kind(m) == "symmetric" and EPS in m.number.source,
        "ours flips an exact share of every class; how its flips are counted is not recorded",
    ),
    Reason(
        lambda m: _kind(m) == "symmetric" and "JAL" in m.number.source,
        "ours flips an exact share of every class; its code rounds the flips of every pair of"
        " classes down",
    ),
    Reason(
        lambda m: m.number.metric.startswith("unspecified"),
        "the source does not say of which epoch its accuracy is; ours is of the last",
    ),
    Reason(
        lambda m: m.number.metric.startswith("best") and m.spec.recipe.eval_every > 1,
        "the source takes the best of all epochs, ours has an accuracy of some of them only",
    ),
    Reason(
        lambda m: m.number.second_hand,
        "second-hand: read in a text about the paper, not in the paper",
    ),
    Reason(lambda m: "single" in m.number.source, "published from a single run"),
    Reason(
        lambda m: m.number.sd is None and "single" not in m.number.source,
        "published without a spread",
    ),
    Reason(lambda m: not m.cell.complete, "our seeds are not complete yet"),
)


def reasons(match: Match) -> tuple[str, ...]:
    """What is known to be different in this row, in words; never empty in practice."""
    return tuple(reason.words for reason in REASONS if reason.applies(match))


def _kind(match: Match) -> str:
    return match.number.noise_type


def _images(match: Match) -> str:
    return match.number.dataset
