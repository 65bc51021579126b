"""The comparison across conditions as Markdown."""

from __future__ import annotations

from nlbench.reports.compare.across_conditions import Overall
from nlbench.reports.compare.comparison import EXPLORATORY
from nlbench.reports.compare.results import Results
from nlbench.reports.render.markdown import bullets, escape, table
from nlbench.reports.stats import WILCOXON
from nlbench.reports.text import NONE, interval, listing, number, p_equals, p_value, plural

MOST_PAIRS = 30  # that a page lists one by one


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


def first_sections(results: Results, whole: Overall) -> list[str]:
    """:func:`sections` for the index page: of many pairs only where they are."""
    if len(whole.pairs) <= MOST_PAIRS:
        return sections(results, whole)
    more = (
        f"All {len(whole.pairs):,} pairs of methods, in both questions: [overall.md](overall.md)."
    )
    return [methods_table(whole), _small_print(results, whole), more]


def sections(results: Results, whole: Overall, level: int = 3) -> list[str]:
    """Methods, and the two questions about each pair, of one profile."""
    size, mark = len(whole.pairs), "#" * level
    return [
        methods_table(whole),
        _small_print(results, whole),
        f"{mark} On average over these conditions (seeds are the unit)",
        _pairs_table(whole),
        bullets(pair.sentence() for pair in whole.pairs),
        _first_question(results, whole),
        f"{mark} In other conditions too (conditions are the unit)",
        _general_table(whole, results.study.rope),
        bullets(pair.general_sentence(size) for pair in whole.pairs),
        _omnibus(whole),
        _second_question(results, whole),
    ]


def methods_table(whole: Overall) -> str:
    """Mean, IQM, worst condition and mean rank of every method, best rank first."""
    headers = ["method", "mean", "95 % interval", "IQM", "worst", "in", "mean rank"]
    rows = [
        [
            m.method,
            number(m.mean.value),
            interval(m.mean.low, m.mean.high) or NONE,
            number(m.iqm),
            number(m.worst),
            m.worst_condition,
            number(m.mean_rank),
        ]
        for m in sorted(whole.methods, key=lambda m: m.mean_rank)
    ]
    return table(headers, [[escape(cell) for cell in row] for row in rows])


def _pairs_table(whole: Overall) -> str:
    headers = [
        "comparison", "difference", "95 % interval", "seeds", "p", "p_Holm", "role", "verdict",
        "higher / tie / lower", "decided for / against", "P(a > b)", "interval",
    ]  # fmt: skip
    rows = []
    for pair in whole.pairs:
        test, chance = pair.difference, pair.improvement
        rows.append(
            [
                f"{pair.a} vs {pair.b}",
                number(test.estimate, sign=True),
                interval(test.low, test.high) or NONE,
                str(test.n),
                p_value(test.p),
                p_value(pair.p_holm),
                pair.role,
                pair.words,
                f"{pair.higher} / {pair.ties} / {pair.lower}",
                f"{pair.better} / {pair.worse}",
                number(chance.value),
                interval(chance.low, chance.high) or NONE,
            ]
        )
    return table(headers, [[escape(cell) for cell in row] for row in rows])


def _general_table(whole: Overall, rope: float) -> str:
    headers = ["comparison", "p", "p_Holm", f"worse / within ±{rope:g} / better", "verdict"]
    rows = []
    for pair in whole.pairs:
        test, bayes = pair.signed_rank, pair.rope
        shares = () if bayes is None else (bayes.worse, bayes.equal, bayes.better)
        rows.append(
            [
                f"{pair.a} vs {pair.b}",
                f"none below {test.floor:.3g} with n = {test.n}"
                if test.p is None
                else p_value(test.p),
                p_value(pair.p_conditions),
                " / ".join(map(number, shares)) or NONE,
                pair.general,
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


def _first_question(results: Results, whole: Overall) -> str:
    others = sum(pair.role == EXPLORATORY for pair in whole.pairs)
    rest = f"; exploratory ones by Holm over the {plural(others, 'other pair')}" if others else ""
    return (
        f"Differences are averaged over {plural(len(whole.conditions), 'condition')} seed by seed,"
        f" then tested over seeds (two-sided {results.test.title}; t with Satterthwaite's degrees"
        " of freedom where conditions have seeds of their own). The conditions are held fixed: the"
        " answer is about them. Declared pairs are corrected over the whole report, gate by"
        f" gate{rest}. Runs that collapsed count with their accuracy. Decided: conditions in which"
        " the test over seeds decides after its correction."
    )


def _second_question(results: Results, whole: Overall) -> str:
    return (
        f"Two-sided {WILCOXON.title} on {plural(len(whole.conditions), 'condition mean')}, Holm"
        f" over all {plural(len(whole.pairs), 'pair')}: exploratory. Conditions are no random"
        " sample, and the rates of one noise type are correlated, so this answer is"
        " weaker than that to the first question. Shares: Bayesian signed-rank test"
        f" (±{results.study.rope:g} points count as equal), of use from about ten conditions on."
    )


def _small_print(results: Results, whole: Overall) -> str:
    left_out = ""
    if whole.left_out:
        names = listing([escape(name) for name in whole.left_out])
        left_out = f" Left out because a cell is incomplete: {names}."
    return (
        f"Means over {plural(len(whole.conditions), 'condition')} of the means over seeds, accuracy"
        f" rule {results.rule}. Intervals are over seeds, jointly for all methods. IQM leaves out"
        " the lowest quarter of the runs, so the worst condition is given beside it."
        f"{left_out}"
    )
