"""How many seeds a wanted difference needs, given the spread that was seen."""

from __future__ import annotations

from dataclasses import dataclass

from nlbench.reports.compare.comparison import ALPHA, Comparison
from nlbench.reports.compare.results import Results
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.stats import sd_interval, seeds_needed
from nlbench.reports.text import NONE

MOST_LINES = 12


@dataclass(frozen=True)
class Needed:
    """Seeds that find the wanted difference between two methods in one condition.

    Attributes:
        condition: noise line.
        a: label of what is judged.
        b: label of the baseline.
        n: seeds that both have.
        sd: standard deviation of their differences.
        sd_low: lower bound of its 95 % interval.
        sd_high: upper bound.
        seeds: needed if ``sd`` is the true one, ``None`` above 100,000.
        seeds_low: if ``sd_low`` is.
        seeds_high: if ``sd_high`` is.
    """

    condition: str
    a: str
    b: str
    n: int
    sd: float
    sd_low: float
    sd_high: float
    seeds: int | None
    seeds_low: int | None
    seeds_high: int | None


def needed(results: Results) -> list[Needed]:
    """A row per comparison with the baseline whose differences have a spread."""
    return [
        _needed(v, v.sd, results.study.rope)
        for block in results.blocks
        for v in results.in_block(block)
        if v.b in results.baseline and v.sd
    ]


def _needed(v: Comparison, sd: float, wanted: float) -> Needed:
    low, high = sd_interval(sd, v.n)
    seeds, fewest, most = (seeds_needed(wanted / one, ALPHA) for one in (sd, low, high))
    return Needed(v.condition, v.a, v.b, v.n, sd, low, high, seeds, fewest, most)


def terminal_lines(results: Results) -> list[str]:
    """The first rows for a terminal, below a line that explains them."""
    found = needed(results)
    lines = [
        f"- {one.a} against {one.b} on {pretty_condition(one.condition)}: {count(one)}; there are"
        f" {one.n}"
        for one in found[:MOST_LINES]
    ]
    more = (
        [f"... {len(found)} comparisons in all: seeds-needed.csv"]
        if len(found) > MOST_LINES
        else []
    )
    return [words(results), *lines, *more] if found else []


def words(results: Results) -> str:
    """What the numbers of seeds are."""
    wanted = results.study.rope
    points = "1 point" if wanted == 1 else f"{wanted:g} points"
    return (
        f"Seeds that find a true difference of {points} with 80 % power in one two-sided paired t"
        " test at 5 %, for the standard deviation of the differences as observed and, in brackets,"
        " for both ends of its 95 % interval:"
    )


def count(one: Needed) -> str:
    """``13 [6, 87]``."""
    seeds, low, high = (
        NONE if number is None else f"{number:,}"
        for number in (one.seeds, one.seeds_low, one.seeds_high)
    )
    return f"{seeds} [{low}, {high}]"
