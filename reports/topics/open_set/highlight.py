"""AUROC of the declared scores for the first screen: a row per method, a column per condition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from nlbench.reports.compare.comparison import BETTER, WORSE, Comparison
from nlbench.reports.compare.results import Results
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.best import tested
from nlbench.reports.render.highlight import Highlight
from nlbench.reports.render.leader import best_names
from nlbench.reports.text import listing, plural
from nlbench.reports.topics.open_set.compare import METRIC, Found, Verdicts
from nlbench.reports.topics.open_set.find import METRICS, Protocol
from nlbench.reports.topics.parts import value

DIGITS = 1


def highlights(results: Results, found: Found) -> Sequence[Highlight]:
    """One for each declaration of unknowns."""
    del results
    counts = Counter(protocol.unknowns for protocol, _ in found)
    return [_highlight(p, verdicts, named=counts[p.unknowns] > 1) for p, verdicts in found]


def _highlight(protocol: Protocol, found: Verdicts, named: bool) -> Highlight:
    best = {c.line: found.best(protocol, c.line) for c in protocol.conditions}
    rows, strong = [], set()
    for at, method in enumerate(protocol.methods):
        row = [protocol.label(method)]
        for column, condition in enumerate(protocol.conditions, start=1):
            cell = protocol.cell(method, condition.line)
            row.append("" if cell is None else value(cell, DIGITS))
            if protocol.label(method) in best[condition.line].members:
                strong.add((at, column))
        rows.append(tuple(row))
    data = f"{protocol.block.data_label}: " if named else ""
    return Highlight(
        topic=f"Open-set recognition ({METRICS[METRIC]})",
        title=f"{data}{protocol.unknowns}",
        line=f"{_leaders(protocol, found)}{_sure(found.baseline)}",
        headers=("method (score)", *(pretty_condition(c.line) for c in protocol.conditions)),
        rows=tuple(rows),
        strong=frozenset(strong),
        note=(
            f"{METRICS[METRIC]} (%) of each method's declared score, unknown against known test"
            f" images: mean ± standard deviation over {protocol.unit}s. 50 is chance. Bold: the"
            " 95 % best set of each condition."
        ),
    )


def _leaders(protocol: Protocol, found: Verdicts) -> str:
    """The best set of each condition; of one whose best set was not tested nothing."""
    groups: dict[str, list[str]] = {}
    for condition in protocol.conditions:
        best = found.best(protocol, condition.line)
        if not tested([best]):
            continue
        cells = [c for m in protocol.methods if (c := protocol.cell(m, condition.line)) is not None]
        cells.sort(key=lambda cell: -(cell.summary.mean or 0.0))
        names = best_names([cell.method for cell in cells if cell.method in best.members])
        groups.setdefault(names, []).append(pretty_condition(condition.line))
    if not groups:
        return "No best set: that takes two methods with two replicates. "
    return "; ".join(f"{who} on {listing(where)}" for who, where in groups.items()) + ". "


def _sure(comparisons: Sequence[Comparison]) -> str:
    """How many of the comparisons with the baseline are decided."""
    if not comparisons:
        return "Nothing is compared with the baseline."
    counts = Counter(c.words for c in comparisons)
    better, worse = counts[BETTER], counts[WORSE]
    begin = f"Of {plural(len(comparisons), 'comparison')} with the baseline's score"
    if not better + worse:
        return f"{begin} none is decided."
    rest = len(comparisons) - better - worse
    return f"{begin} {better} better, {worse} worse, {rest} undecided (Holm over them)."
