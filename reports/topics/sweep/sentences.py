"""A sweep in sentences that can be quoted."""

from __future__ import annotations

from collections import Counter

from nlbench.reports.compare.comparison import ALPHA
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.stats import PairedTest
from nlbench.reports.text import interval, listing, number, p_equals, plural
from nlbench.reports.topics.sweep.compare import Level, Measured, Spread
from nlbench.reports.topics.sweep.find import Sweep
from nlbench.reports.topics.sweep.selection import Choice, Choices, Grid


def sensitivity(sweep: Sweep, found: Measured, rope: float) -> list[str]:
    """How much the settings matter: spread, best and worst against the default, how many tie."""
    spread = found.spread
    if spread is None:
        return [f"{_head(sweep)}: less than two settings have every seed, so nothing is said yet."]
    best, worst = sweep.settings[spread.best], sweep.settings[spread.worst]
    low, high = worst.cell.summary.mean or 0.0, best.cell.summary.mean or 0.0
    lines = [
        f"{_head(sweep)}: over {_settings(sweep, spread)} mean test accuracy runs from"
        f" {number(low)} ({sweep.name(worst)}) to {number(high)} ({sweep.name(best)}), a range of"
        f" {number(high - low)} points with a standard deviation of {number(spread.sd)} points"
        f"{_by_seed(spread)}{_noise(spread)}.",
        _extreme(sweep, found, spread.best, "best"),
        _extreme(sweep, found, spread.worst, "worst"),
        _share(found, spread, rope),
    ]
    return [*lines, *_collapsed(sweep)]


def level_sentence(sweep: Sweep, level: Level) -> str:
    """One level of one hyper-parameter against the default's."""
    where = f"{level.axis.label} = {level.value:g} against {level.reference:g}"
    if level.test is None:
        return f"{where}: not compared ({level.reason})."
    over = f"averaged over {plural(level.over, 'value')} of {_other(sweep, level)}"
    test = level.test
    if test.p is None:
        gap = number(test.estimate, sign=True)
        return f"{where}, {over}: {gap} points, n = {test.n}, not tested."
    decided = level.p_holm is not None and level.p_holm < ALPHA
    words = ("higher" if (test.estimate or 0.0) > 0 else "lower") if decided else "not decided"
    return (
        f"{where}, {over}: {number(test.estimate, sign=True)} points{_interval(test)}, p_Holm"
        f" {p_equals(level.p_holm)} ({test.test}, n = {test.n}, {_family(level.family)}): {words}."
    )


def choice_sentences(sweep: Grid, choices: Choices) -> list[str]:
    """What the noisy validation set would have chosen, and what it would have missed."""
    n = len(choices.seeds)
    names = Counter(pick(sweep, c) for c in choices.seeds)
    picks = listing([f"{name} ({plural(count, 'seed')})" for name, count in names.items()])
    mean = sum(c.accuracy for c in choices.seeds) / n
    base = sum(c.default for c in choices.seeds) / n
    best = sum(c.best_accuracy for c in choices.seeds) / n
    test, gap = choices.against_default, choices.against_best
    p = "" if test.p is None else f", p {p_equals(test.p)} ({test.test}, n = {test.n})"
    lines = [
        f"{_head(sweep)}: the noisily labelled validation set alone, at the last epoch, would have"
        f" chosen {picks}.",
        f"Its choices reach {number(mean)} on the clean test set, the default"
        f" ({sweep.name(sweep.default)}) {number(base)}: {number(test.estimate, sign=True)}"
        f" points{_interval(test)}{p}.",
        f"The best setting of each seed on the test set itself, which is unknown in practice,"
        f" reaches {number(best)}: the choices stay {number(-(gap.estimate or 0.0))} points below"
        f"{_interval(gap, flip=True)}.",
        *_luck(choices),
        *_correlations(choices),
    ]
    if n < choices.declared:
        lines.append(
            f"Only {n} of {plural(choices.declared, 'seed')} have the whole grid; the others are"
            " left out."
        )
    return lines


def pick(sweep: Grid, choice: Choice) -> str:
    """What was chosen for a seed, in words."""
    if len(choice.chosen) == 1:
        return sweep.name(choice.chosen[0])
    return f"one of {len(choice.chosen)} settings that it does not distinguish"


def _luck(choices: Choices) -> list[str]:
    luck = choices.luck
    if luck.mean is None:
        return []
    span = interval(luck.low, luck.high, before=" ")
    return [
        "Best of the grid on the test set is optimistic: the setting that is best on the other"
        f" seeds loses {number(luck.mean)} points{span} of it on the seed that was left out."
    ]


def _correlations(choices: Choices) -> list[str]:
    found = [c.correlation for c in choices.seeds if c.correlation is not None]
    if not found:
        return []
    values = listing([number(value) for value in found])
    return [
        "Spearman's correlation of noisy validation and clean test accuracy over the grid:"
        f" {values} ({plural(len(found), 'seed')})."
    ]


def _head(sweep: Grid) -> str:
    fixed = f" ({sweep.fixed})" if sweep.fixed else ""
    return f"{sweep.title}{fixed} on {pretty_condition(sweep.condition.line)}"


def _settings(sweep: Sweep, spread: Spread) -> str:
    total = len(sweep.settings)
    if spread.settings == total:
        return f"all {total} settings"
    return f"{spread.settings} of {total} settings (the others are incomplete)"


def _by_seed(spread: Spread) -> str:
    found = spread.by_seed
    if found.low is None:
        return " (one seed)"
    return (
        f" (of single seeds {number(found.mean)} on average [{number(max(0.0, found.low))},"
        f" {number(found.high)}], n = {found.n})"
    )


def _noise(spread: Spread) -> str:
    if spread.noise is None:
        return ""
    return f"; a single run strays from its setting by {number(spread.noise)} points"


def _extreme(sweep: Sweep, found: Measured, at: int, word: str) -> str:
    setting = sweep.settings[at]
    if setting is sweep.default:
        return f"The {word} setting is the default itself ({sweep.name(setting)})."
    (verdict,) = (v for v in found.against_default if v.a == setting.cell.method)
    return (
        f"The {word} setting against the default (picked after looking, so the difference is"
        f" exaggerated): {verdict.sentence()}"
    )


def _share(found: Measured, spread: Spread, rope: float) -> str:
    total = 1 + len(found.against_best)
    pooled = (
        ""
        if spread.pooled is None
        else f"; with one spread assumed for all settings {spread.pooled} of {spread.settings} are"
    )
    near = f"{spread.near} of {spread.settings} means lie within {rope:g} points of the best"
    untested = sum(not v.comparable for v in found.against_best)
    if untested == total - 1:
        return f"No setting can be tested against the best; {near}."
    rest = f", {untested} could not be tested" if untested else ""
    return (
        f"{found.undecided} of {total} settings are not distinguishable from the best (itself"
        f" counted; {found.test.name} over {plural(spread.seeds, 'seed')}, Holm over {total - 1}"
        f"{rest}){pooled}; {near}."
    )


def _collapsed(sweep: Sweep) -> list[str]:
    runs = {s: int(s.cell.collapsed.sum()) for s in sweep.settings if s.cell.collapsed.any()}
    if not runs:
        return []
    words = [f"{sweep.name(s)} ({count} of {s.cell.summary.n})" for s, count in runs.items()]
    return [f"Collapsed to chance: {listing(words)}. They are in every number."]


def _other(sweep: Sweep, level: Level) -> str:
    return (sweep.columns if level.axis is sweep.rows else sweep.rows).label


def _interval(test: PairedTest, flip: bool = False) -> str:
    if test.low is None or test.high is None:
        return ""
    low, high = (-test.high, -test.low) if flip else (test.low, test.high)
    return interval(low, high, before=" ")


def _family(size: int) -> str:
    return "no correction" if size == 1 else f"family of {size}"
