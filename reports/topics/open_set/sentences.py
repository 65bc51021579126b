"""Captions and conclusions of open-set recognition, plain text that every renderer shares."""

from __future__ import annotations

from nlbench.reports.compare.comparison import Comparison
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Cell
from nlbench.reports.read.measured import bounded
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.best import best_set_rule
from nlbench.reports.render.caption import detectable, origin, sample, setting
from nlbench.reports.text import listing, number
from nlbench.reports.topics.open_set.compare import METRIC, Verdicts
from nlbench.reports.topics.open_set.find import RULE, SCORES, Protocol, replicates

CHANCE = 50.0  # percent of AUROC


def caption(results: Results, protocol: Protocol, found: Verdicts) -> list[str]:
    """Sentences under an open-set table."""
    share = f"{100 * protocol.accepted:g} %"
    whole = [cell for cell in protocol.cells.values() if cell.seeds]
    return [
        f"Open-set recognition on {setting(results, protocol.block)}: {protocol.unknowns}"
        f" ({protocol.counts}); network of the last epoch.",
        f"Percent, mean ± standard deviation (n − 1) over {sample(whole, protocol.unit)}; in"
        " brackets the 95 % Student interval of the mean AUROC, cut at 0 and 100.",
        replicates(protocol),
        "AUROC: how often an unknown image scores above a known one (50 is chance); AUPR: average"
        " precision with unknown or with known images as the positive ones; FPR: unknowns accepted"
        " where 95 % of the known test images are; OSCR: area under known images accepted and"
        " rightly classified against unknowns accepted.",
        f"Rejected: by the threshold that accepts {share} of the validation images, which are of"
        " known classes; it does not depend on unknown images."
        + (
            f" {RULE}: the method's rule without a threshold (the extra output is the largest,"
            " or no logit reaches the constant)."
            if any(RULE in scores for scores in protocol.scores.values())
            else ""
        ),
        "The declared score (●), fixed before looking, is the probability p_d of the extra output"
        " for a method with one and the maximum softmax probability (MSP) for any other. Only"
        " declared scores are compared. The others are shown and not tested: to pick each method's"
        " best score after looking would be optimistic.",
        bold_rule(protocol, found),
        *filter(None, [detectable(found.baseline)]),
        *origin(results, protocol.block),
    ]


def bold_rule(protocol: Protocol, found: Verdicts) -> str:
    """What bold means here."""
    rule = best_set_rule([found.best(protocol, c.line) for c in protocol.conditions], protocol.unit)
    if not rule:
        reason = "there is one method" if len(protocol.methods) < 2 else "no cell allows one"
        return f"No test was made ({reason}), so nothing is bold."
    return f"Bold: the best set of each condition by AUROC of the declared scores. {rule}"


def where_it_loses(protocol: Protocol, found: Verdicts) -> list[str]:
    """Conditions where an extra output rejects worse than without one, decided or by the mean."""
    extra = {protocol.label(m) for m in protocol.methods if protocol.has_extra_output(m)}
    rivals = [c for c in found.pairs if (c.a in extra) != (c.b in extra)]
    mixed = [c for c in (*rivals, *found.energy) if c.estimate is not None]
    tests = f"{len(found.pairs)} pairs of declared scores"
    if found.energy:
        tests += f", {len(found.energy)} against the baseline's energy"
    if not extra or not mixed:
        return []
    if not any(c.comparable for c in mixed):
        return [
            "Not known yet: no comparison of an extra output with a method without one is complete."
        ]
    lost: list[str] = []
    lower: list[str] = []
    for comparison in mixed:
        mine, other, gap = _seen_from(comparison, extra)
        words = f"{mine} against {other} on {pretty_condition(comparison.condition)}"
        text = f"{words} ({number(gap, sign=True)})"
        if gap < 0:
            (lost if comparison.decided else lower).append(text)
    lines = [
        f"Decided against the extra output ({tests}): {'; '.join(lost)}."
        if lost
        else f"No comparison is decided against the extra output ({tests})."
    ]
    if lower:
        lines.append(f"Its mean AUROC is lower, but not by what could be told: {'; '.join(lower)}.")
    elif not lost:
        lines.append("Its mean AUROC is nowhere lower.")
    return lines


def _seen_from(comparison: Comparison, extra: set[str]) -> tuple[str, str, float]:
    gap = comparison.estimate or 0.0
    if comparison.a in extra:
        return comparison.a, comparison.b, gap
    return comparison.b, comparison.a, -gap


def below_chance(protocol: Protocol) -> list[str]:
    """Declared scores that rank unknown images as more known than the known ones."""
    under, unclear = [], []
    for condition in protocol.conditions:
        for method in protocol.methods:
            cell = protocol.cell(method, condition.line)
            ends = None if cell is None else bounded(cell.summary)
            if cell is None or ends is None:
                continue
            words = f"{cell.method} on {pretty_condition(condition.line)}"
            if ends[1] < CHANCE:
                under.append(f"{words} ({number(cell.summary.mean)})")
            elif ends[0] <= CHANCE:
                unclear.append(f"{words} ({number(cell.summary.mean)})")
    lines = []
    if under:
        lines.append(
            "Worse than chance (the whole interval of AUROC below 50: unknown images look more"
            f" known than known ones): {listing(under)}."
        )
    if unclear:
        lines.append(f"Not told from chance (the interval holds 50): {listing(unclear)}.")
    return lines


def after_the_fact(protocol: Protocol) -> list[str]:
    """Where another score of a method has a higher mean than its declared one; not tested."""
    found = []
    for condition in protocol.conditions:
        for method in protocol.methods:
            best, gap = _best_other(protocol, method, condition.line)
            if gap > 0:
                declared = protocol.declared(method)
                found.append(
                    f"{method} on {pretty_condition(condition.line)}: {SCORES.get(best, best)} is"
                    f" {number(gap)} above {SCORES.get(declared, declared)}"
                )
    if not found:
        return ["No other score of any method has a higher mean AUROC than its declared one."]
    return [
        "Not tested, and optimistic because chosen after looking; where another score of the same"
        f" network has a higher mean AUROC than the declared one: {'; '.join(found)}."
    ]


def _best_other(protocol: Protocol, method: str, line: str) -> tuple[str, float]:
    means: dict[str, float] = {}
    for score in protocol.scores[method]:
        cell: Cell | None = protocol.cell(method, line, score, METRIC)
        if cell is not None and cell.summary.mean is not None:
            means[score] = round(cell.summary.mean, 9)
    declared = means.get(protocol.declared(method))
    if declared is None:
        return "", 0.0
    best = max(means, key=lambda score: means[score])
    return best, means[best] - declared
