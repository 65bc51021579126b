"""The answer of a study in three lines: who leads where, by how much, how sure.

Made of best sets and verdicts that exist; nothing is tested here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from nlbench.reports.compare.comparison import ALPHA, BETTER, NOT_COMPARABLE, UNDECIDED, WORSE
from nlbench.reports.compare.gate import Gate
from nlbench.reports.compare.results import Results
from nlbench.reports.render.leader import Part
from nlbench.reports.render.told import told_sentence
from nlbench.reports.text import p_equals, plural

MOST_PROFILES = 3  # that are named one by one
OF_THESE = "Of the best sets, told"
OR = "None of those joined by “or” is shown to beat another."


@dataclass(frozen=True)
class Answer:
    """What a reader wants to know first, plain text.

    Attributes:
        who: the best set on average and of each condition.
        how_much: the leader against the baseline and against the next method.
        how_sure: what is decided, and at which gate.
        best: the best set on average, or of the only condition.
        verdict: the first verdict on the leader, for a list of studies.
    """

    who: str
    how_much: str
    how_sure: str
    best: str
    verdict: str

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """The three lines with their headings."""
        return (
            ("Who leads", self.who),
            ("By how much", self.how_much),
            ("How sure", self.how_sure),
        )


def answer(results: Results) -> Answer:
    """The answer of a study; of several profiles the first MOST_PROFILES."""
    profiles = list(dict.fromkeys(block.key.regime for block in results.blocks))
    parts = [Part(results, profile, brief=len(profiles) > 1) for profile in profiles]
    shown = parts[:MOST_PROFILES]

    def each(lines: Iterable[str]) -> str:
        if len(parts) == 1:
            return next(iter(lines))
        told = [f"Profile {part.profile}: {line}" for part, line in zip(shown, lines, strict=True)]
        rest = len(parts) - len(shown)
        return " ".join([*told, *([f"{plural(rest, 'more profile')} below."] if rest else [])])

    who = each(part.who() for part in shown)
    given = {method: words for part in shown for method, words in part.told().items()}
    return Answer(
        who=" ".join([who, *([OR] if " or " in who else []), *told_sentence(given, OF_THESE)]),
        how_much=each(part.how_much() for part in shown),
        how_sure=" ".join([*_leaders(shown), *_all_claims(results)]),
        best="; ".join(part.best() for part in shown),
        verdict=each(part.verdict() for part in shown),
    )


def _leaders(parts: Sequence[Part]) -> Iterator[str]:
    for part in parts:
        words = part.how_sure()
        if words:
            yield f"Profile {part.profile}: {words}" if len(parts) > 1 else words


def _all_claims(results: Results) -> Iterator[str]:
    """What the first gates of all declared comparisons decided."""
    first = [gate for gate in results.gates if gate.depth == 1]
    if not first:
        yield "Nothing is decided: there is no pair of methods to compare."
        return
    counts = Counter(gate.words if gate.decided else UNDECIDED for gate in first)
    if results.rule != results.study.rule:
        yield f"Exploratory, because accuracy rule {results.rule} was not declared."
    if counts[BETTER] + counts[WORSE]:
        yield (
            f"The {plural(len(first), 'declared comparison')} at gate 1: {counts[BETTER]} better,"
            f" {counts[WORSE]} worse, {counts[UNDECIDED]} undecided; one of the verdicts"
            f" is false in at most {100 * ALPHA:g} % of reports."
        )
    else:
        yield _nothing(first)


def _nothing(first: Sequence[Gate]) -> str:
    """Why none of the declared comparisons is decided."""
    begin = f"Nothing is decided in {plural(len(first), 'declared comparison')}"
    compared = [gate for gate in first if gate.p_holm is not None]
    if not compared:
        reasons = Counter(gate.words.removeprefix(f"{NOT_COMPARABLE}: ") for gate in first)
        return f"{begin}: {reasons.most_common(1)[0][0]}."
    least = min(compared, key=lambda gate: gate.p_holm or 0.0)
    seeds = plural(least.mean.n, "seed")
    if all(gate.undecidable for gate in compared):
        return f"{begin}: {seeds} cannot decide any, whatever they show."
    return f"{begin}: smallest p_Holm {p_equals(least.p_holm)}, {least.mean.test} over {seeds}."
