"""Every figure of a report, in the order of the report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path

from tqdm import tqdm

from nlbench.reports.compare.across_conditions import Overall
from nlbench.reports.compare.results import Results
from nlbench.reports.figures.accuracy import accuracy_figure
from nlbench.reports.figures.accuracy_dots import MOST_LINES, accuracy_dots
from nlbench.reports.figures.across import means_figure, profile_figure
from nlbench.reports.figures.differences import differences_figure
from nlbench.reports.figures.drawn import Drawn, Planned
from nlbench.reports.figures.effects import effects_figure
from nlbench.reports.figures.memorisation import memorisation_figures
from nlbench.reports.figures.paired import paired_figure
from nlbench.reports.figures.style import save_styled, styled
from nlbench.reports.parallel import Job
from nlbench.reports.read.cells import Block
from nlbench.reports.text import plural

Further = Callable[[Block | None], Iterable[Planned]]


def figure_jobs(
    results: Results, further: Further, folder: Path, drawn: list[Drawn]
) -> Iterator[Job]:
    """Make every figure that the results allow; writing its files, the longer part, is the job.

    Args:
        results: what to draw.
        further: figures of topics, of a block or (``None``) of the study.
        folder: made if it is not there.
        drawn: gets each figure when its job is made; its files are there when the job is done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with styled():
        for name, caption, figure, block in tqdm(
            planned(results, further), "drawing", unit=" figures", disable=None
        ):
            # Not with_suffix: a name may have a dot in it.
            files = folder / f"{name}.png", folder / f"{name}.pdf"
            drawn.append(Drawn(name, block, caption, files))
            yield partial(save_styled, figure, folder, name)


def planned(results: Results, further: Further) -> Iterator[Planned]:
    """Every figure in the order of the report, drawn when it is its turn; within ``styled()``."""
    for block in results.blocks:
        suffix = f"-{block.index + 1}" if block.index else ""
        for plan in chain(_figures(results, block), further(block)):
            yield plan._replace(name=f"{plan.name}{suffix}", block=block.index)
    yield from further(None)
    for whole in results.overall:
        suffix = f"-{whole.profile}" if len(results.overall) > 1 else ""
        for plan in _across(whole):
            yield plan._replace(name=f"{plan.name}{suffix}")


def _figures(results: Results, block: Block) -> Iterator[Planned]:
    many = len(block.methods) > MOST_LINES
    dots = accuracy_dots(results, block) if many else None
    if dots is not None:
        yield Planned(
            "accuracy",
            f"Test accuracy ({results.rule}) of every method on {block.title}, by the mean over"
            " the conditions: mean with 95 % Student interval over seeds, grey dots are seeds, a"
            " filled marker is in the 95 % best set of its condition; of many conditions the"
            " lowest, middle and highest rate of each noise type, six of them.",
            dots,
        )
    accuracy = None if many else accuracy_figure(block)
    if accuracy is not None:
        seeds = max(cell.summary.n for cell in block.declared())
        intervals = (
            "bars: 95 % Student intervals of the mean over seeds" if seeds > 1 else "one seed"
        )
        yield Planned(
            "accuracy",
            f"Test accuracy ({results.rule}) against the nominal noise rate on {block.title}; mean"
            f" over {plural(seeds, 'seed')}, {intervals}; clean labels are rate 0 of every panel;"
            " a hollow marker is an incomplete cell.",
            accuracy,
        )
    differences = differences_figure(results, block)
    if differences is not None:
        yield Planned(
            "differences",
            f"Mean paired difference to the baseline on {block.title}, in points of test accuracy"
            f" ({results.rule}): a row per method, sorted by the mean over conditions; blank: not"
            " compared or incomplete. Which differences are decided is in significance.csv.",
            differences,
        )
    effects = effects_figure(results, block)
    if effects is not None:
        yield Planned(
            "effects",
            f"Paired differences to the baseline on {block.title}: mean with 95 % Student interval,"
            " grey dots are seeds; a filled marker is decided by the"
            f" {results.test.title} after correction, a hollow one is not; the band is"
            f" ±{results.study.rope:g} points. Cells that are incomplete, unpaired or partly"
            " collapsed are left out.",
            effects,
        )
    paired = paired_figure(results, block)
    if paired is not None:
        yield Planned(
            "paired",
            f"Difference to the baseline in every single seed on {block.title}, a panel a"
            " condition; a grey line joins the methods of one seed (parallel lines: the seed"
            " moves all methods alike, and pairing removes that), the bar is the mean. Pairs whose"
            " fingerprints differ are left out; of many conditions the lowest, middle and highest"
            " rate of each noise type.",
            paired,
        )
    words = results.study.evaluated
    for name, figure in memorisation_figures(results, block).items():
        yield Planned(
            name,
            f"What the network learns, epoch by epoch, on {block.title}: test accuracy; clean"
            " training samples predicted as labelled; flipped ones predicted as their wrong given"
            " label (memorised) and as their true label (corrected); the extra output where a"
            " method has one. Mean over seeds, shaded one standard deviation; of many rates"
            " the lowest, middle and highest." + (f" {words}" if words else ""),
            figure,
        )


def _across(whole: Overall) -> Iterator[Planned]:
    conditions = plural(len(whole.conditions), "condition")
    yield Planned(
        "means",
        f"Mean accuracy over {conditions}, profile {whole.profile}, with its 95 % t interval over"
        " seeds (the conditions held fixed), best first; of the methods on one bar no pair is"
        " decided by the tests over seeds of its mean difference, ticks are the methods on it.",
        means_figure(whole),
    )
    yield Planned(
        "profile",
        f"Performance profile over {conditions}, profile {whole.profile}: share of runs that reach"
        " an accuracy, every condition weighing the same.",
        profile_figure(whole),
    )
