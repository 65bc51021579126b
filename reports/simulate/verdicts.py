"""``nlbench bench verdicts``: what reports promise, measured where the truth is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from nlbench.reports.render.markdown import table
from nlbench.reports.simulate.agreement import differing
from nlbench.reports.simulate.cases import METHODS, SEEDS, Case, equal_methods, some_methods
from nlbench.reports.simulate.draw import SHAPES
from nlbench.reports.simulate.ladder import ladder
from nlbench.reports.text import plural

ERRORS = ("report", "exploratory", "best set")
INTERVALS = ("mean", "difference", "over conditions")
BOUNDS = dict.fromkeys(ERRORS, (0.0, 6.0)) | dict.fromkeys(INTERVALS, (93.0, 97.0))
LADDERS = ((10, 5), (25, 5), (25, 10))
Measured = Mapping[Case, Mapping[str, float]]


def run(tables: int = 4000) -> str:
    """Simulate and write the tables as Markdown.

    Args:
        tables: of each cell where all methods are equal; the others take a share of them.
    """
    cases = [Case(shape, k, n) for shape in SHAPES for n in SEEDS for k in METHODS]
    equal = {case: equal_methods(case, tables) for case in cases}
    few = [case for case in cases if case.methods < max(METHODS)]
    some = {case: some_methods(case, max(100, tables // 4)) for case in few}
    checked = max(2, tables // 1000)
    checks = [case for case in few if case.methods == min(METHODS)]
    differ = sum(differing(case, checked) for case in checks)
    parts = [
        f"### All methods equal: percent of {tables:,} reports that decide something",
        _errors(equal, tables),
        "### All methods equal: percent of intervals that hold the true value",
        _coverage(equal),
        "### A third of the methods better everywhere, a third on asymmetric noise only",
        _some(some),
        "### Three equal methods at the top, a ladder of worse ones",
        _ladders(max(50, tables // 10)),
        "### Outside the bounds (errors at most 6 %, intervals 93 to 97 %)",
        _outside(equal, some),
        f"Decided all at once (`reports/simulate/vectors.py`) and by the whole path from table to"
        f" verdicts: {plural(checked * len(checks), 'table')} compared, {differ} differ.",
    ]
    return "\n\n".join(parts) + "\n"


def _errors(found: Measured, tables: int) -> str:
    names = ERRORS
    heads = ["runs", "seeds", *(f"{name}, {k}" for name in names for k in METHODS)]
    rows = [
        [shape, str(n), *(_cell(found[Case(shape, k, n)][name]) for name in names for k in METHODS)]
        for shape in SHAPES
        for n in SEEDS
    ]
    error = 196 * (0.05 * 0.95 / tables) ** 0.5
    words = (
        "`report`: a declared verdict, at any gate. `exploratory`: one of the other pairs, which"
        " have a rate of their own. `best set`: a method is not in it, each method counted. The"
        f" number behind is that of the methods. The simulation's own error is ±{error:.1f}."
    )
    return f"{table(heads, rows)}\n\n{words}"


def _coverage(found: Measured) -> str:
    heads = ["runs", "seeds", "mean of a cell", "paired difference", "difference over conditions"]
    rows = []
    for shape in SHAPES:
        for n in SEEDS:
            cells = [found[Case(shape, k, n)] for k in METHODS]
            spans = [[cell[name] for cell in cells] for name in INTERVALS]
            rows.append([shape, str(n), *(_span(values) for values in spans)])
    return table(heads, rows)


def _some(found: Measured) -> str:
    names = ("report", "first gate", "condition")
    counts = sorted({case.methods for case in found})
    heads = ["runs", "seeds", *(f"{name}, {k}" for name in names for k in counts)]
    rows = [
        [shape, str(n), *(_cell(found[Case(shape, k, n)][name]) for name in names for k in counts)]
        for shape in SHAPES
        for n in SEEDS
    ]
    words = (
        "`report`: percent of reports with a false verdict (equal methods, or the wrong way"
        " round). `first gate`, `condition`: percent of the true differences to the baseline, of"
        " two standard deviations of a run, that are decided on average over all conditions and in"
        " single conditions."
    )
    return f"{table(heads, rows)}\n\n{words}"


def _ladders(tables: int) -> str:
    rows = []
    for methods, seeds in LADDERS:
        found = ladder(methods, seeds, tables)
        rows.append([str(methods), str(seeds), *(_cell(value) for value in found.values())])
    heads = [
        "methods", "seeds", "kept by Holm over pairs", "best set", "a best one lost (%)",
        "power, Holm in one condition (%)", "Holm over six (%)", "gate 1 of six (%)",
        "conditions of six (%)",
    ]  # fmt: skip
    return table(heads, rows, left=0)


def _outside(equal: Measured, some: Measured) -> str:
    """What is beyond its bounds, a line for each figure and shape; or that there is nothing."""
    found: dict[tuple[str, str], list[tuple[Case, float]]] = defaultdict(list)
    for case, figures in equal.items():
        for name, value in figures.items():
            low, high = BOUNDS[name]
            if not low <= value <= high:
                found[name, case.shape].append((case, value))
    for case, figures in some.items():
        if figures["report"] > BOUNDS["report"][1]:
            found["report, some methods better", case.shape].append((case, figures["report"]))
    lines = []
    for (name, shape), places in found.items():
        values = _span([value for _, value in places])
        where = ", ".join(f"{case.methods} x {case.seeds}" for case, _ in places)
        lines.append(f"- {name}, {shape}: {values} (methods x seeds: {where})")
    return "\n".join(lines) or "Nothing."


def _cell(value: float) -> str:
    return f"{value:.1f}"


def _span(values: Sequence[float]) -> str:
    low, high = (_cell(value) for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"
