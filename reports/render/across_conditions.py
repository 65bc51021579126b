"""The comparison across conditions as Markdown."""

from __future__ import annotations

from nlbench.reports.compare.across_conditions import Overall
from nlbench.reports.compare.results import Results
from nlbench.reports.render.markdown import bullets, escape, table
from nlbench.reports.stats import WILCOXON
from nlbench.reports.text import NONE, interval, listing, number, p_equals, p_value, plural


def overall_markdown(results: Results) -> str:
    """overall.md: every profile's methods, pairs and what may be concluded."""
    parts = [f"# {escape(results.study.title)}: across conditions"]
    if not results.overall:
        parts.append(
            "Nothing to compare across conditions: that takes two methods and two conditions in"
            " which every method has all its seeds."
        )
    for whole in results.overall:
        parts += [f"## Profile {whole.profile}", *sections(results, whole)]
    return "\n\n".join(parts) + "\n"


def sections(results: Results, whole: Overall) -> list[str]:
    """Methods, pairs, sentences and the small print of one profile."""
    return [
        methods_table(whole),
        _omnibus(whole),
        _pairs_table(whole, results.study.rope),
        bullets(pair.sentence(len(whole.pairs)) for pair in whole.pairs),
        _small_print(results, whole),
    ]


def methods_table(whole: Overall) -> str:
    """Mean, IQM, worst condition and mean rank of every method, best rank first."""
    headers = ["method", "mean", "95 % interval", "IQM", "worst", "in", "mean rank", "interval"]
    rows = [
        [
            m.method,
            number(m.mean.value),
            interval(m.mean.low, m.mean.high) or NONE,
            number(m.iqm.value),
            number(m.worst),
            m.worst_condition,
            number(m.mean_rank.value),
            interval(m.mean_rank.low, m.mean_rank.high) or NONE,
        ]
        for m in sorted(whole.methods, key=lambda m: m.mean_rank.value)
    ]
    return table(headers, [[escape(cell) for cell in row] for row in rows])


def _pairs_table(whole: Overall, rope: float) -> str:
    headers = [
        "comparison", "difference", "95 % interval", "higher / tie / lower",
        "decided for / against",
        "p", "p_Holm", "P(a > b)", "interval", f"worse / within ±{rope:g} / better",
    ]  # fmt: skip
    rows = []
    for pair in whole.pairs:
        test, chance, bayes = pair.difference, pair.improvement, pair.rope
        floor = f"n = {pair.signed_rank.n}: smallest attainable p is {pair.signed_rank.floor:.3g}"
        rows.append(
            [
                f"{pair.a} vs {pair.b}",
                number(test.estimate, sign=True),
                interval(test.low, test.high) or NONE,
                f"{pair.higher} / {pair.ties} / {pair.lower}",
                f"{pair.better} / {pair.worse}",
                floor if pair.signed_rank.p is None else p_value(pair.signed_rank.p),
                p_value(pair.p_holm),
                number(chance.value),
                interval(chance.low, chance.high) or NONE,
                NONE
                if bayes is None
                else " / ".join(number(v) for v in (bayes.worse, bayes.equal, bayes.better)),
            ]
        )
    return table(headers, [[escape(cell) for cell in row] for row in rows])


def _omnibus(whole: Overall) -> str:
    test = whole.friedman
    if test is None:
        return "No omnibus test (it takes three methods and two conditions that differ)."
    return (
        f"Friedman test of equal ranks over {plural(test.blocks, 'condition')} (Iman–Davenport):"
        f" F = {number(test.f)}, p {p_equals(test.p)}. Verdicts on pairs do not come from it."
    )


def _small_print(results: Results, whole: Overall) -> str:
    left_out = ""
    if whole.left_out:
        names = listing([escape(name) for name in whole.left_out])
        left_out = f" Left out because a cell is incomplete: {names}."
    conditions, pairs = len(whole.conditions), len(whole.pairs)
    return (
        f"Unit: condition ({plural(conditions, 'condition')}, means over seeds first; accuracy rule"
        f" {results.rule}). Two-sided {WILCOXON.title} on condition means, Holm over all"
        f" {plural(pairs, 'pair')}; the t interval of the difference is over conditions too."
        " Conditions are no random sample, and the rates of one noise type are correlated: the"
        " p-values refer to these conditions. Intervals of mean, IQM, rank and P(a > b) are"
        " bootstrap ones that resample seeds, jointly for all methods, within every condition,"
        " stretched by √(n/(n − 1)). IQM leaves out the lowest quarter of the runs, so the worst"
        f" condition is given beside it. Decided: {results.test.title} over seeds within a"
        f" condition, after Holm. Last column: Bayesian signed-rank test (±{results.study.rope:g}"
        f" points count as equal), of use from about ten conditions on.{left_out}"
    )
