"""The declared verdicts as pages show them: what they are, and at which gate each is decided."""

from __future__ import annotations

from collections.abc import Sequence

from nlbench.reports.compare.comparison import ALPHA, EXPLORATORY, Comparison
from nlbench.reports.compare.gate import CONDITION, Gate
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block
from nlbench.reports.text import NONE, interval, listing, number, p_value, plural

HEADERS = (
    "comparison", "on", "gate", "seeds", "difference", "95 % interval", "p", "p_Holm", "verdict",
)  # fmt: skip
MOST = 30


def declaration(results: Results) -> str:
    """Which comparisons are declared, and what their error rate is; "" without one."""
    if not results.gates:
        return ""
    count = results.claims
    about = f"every method against {listing(sorted(results.baseline))}"
    if results.study.hypotheses:
        about += f", and {plural(len(results.study.hypotheses), 'hypothesis')} of the suite"
    kind = "declared" if results.rule == results.study.rule else "chosen as for declared ones"
    return (
        f"{plural(count, 'comparison')} {'is' if count == 1 else 'are'} {kind} ({about}). Each is"
        " tested gate by gate: on average over all conditions, then by noise type, then by"
        " condition, and a gate only if the one above is decided. All these verdicts together"
        f" contain a false one in at most {100 * ALPHA:g} % of reports; p_Holm is corrected for"
        f" that. The unit is the seed; test: two-sided {results.test.title}."
    )


def exploration(comparisons: Sequence[Comparison]) -> str:
    """What the other pairs of a block are; "" without one."""
    others = [c for c in comparisons if c.role == EXPLORATORY]
    if not others:
        return ""
    return (
        f"The other pairs are exploratory: {plural(len(others), 'comparison')} of this table are"
        f" one family, of which at most {100 * ALPHA:g} % of reports contain a false verdict, on"
        " top of the rate of the declared ones."
    )


def planned(results: Results, block: Block) -> str:
    """What was to be found by the plan of the suite; "" if it assumed no spread."""
    sd = results.study.planned_sd
    found = [c for c in results.in_block(block) if c.mde is not None]
    if sd is None or not found:
        return ""
    fewest = min(found, key=lambda c: c.expected_n)
    return (
        f"Planned: for a standard deviation of {number(sd)} points of a paired difference, assumed"
        f" beforehand, {plural(fewest.expected_n, 'seed')} find a true difference of"
        f" {number(fewest.mde)} points with 80 % power at the first step (level"
        f" {ALPHA / results.claims:.3g}). What the data say is in the intervals."
    )


def averages(gates: Sequence[Gate]) -> list[str]:
    """The sentences of the gates above single conditions: the first gates, then the next ones."""
    shown = [gate for gate in gates if gate.level != CONDITION or gate.depth == 1]
    # What follows from an undecided first gate is not said again.
    shown = [gate for gate in shown if not gate.closed_by]
    return [gate.sentence() for gate in sorted(shown, key=lambda gate: gate.depth)]


def row(gate: Gate) -> list[str]:
    """One gate as table cells, in the order of HEADERS."""
    mean = gate.mean
    verdict = f"open only after gate {gate.stands_at}" if gate.closed_by else gate.words
    return [
        f"{gate.a} vs {gate.b}",
        gate.where,
        str(gate.depth),
        str(mean.n),
        number(mean.estimate, sign=True),
        interval(mean.low, mean.high) or NONE,
        p_value(mean.p),
        p_value(gate.p_holm),
        verdict,
    ]
