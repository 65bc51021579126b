"""The leader of one profile: where it leads, by how much and how sure that is, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

from nlbench.reports.compare.across_conditions import Overall
from nlbench.reports.compare.comparison import BETTER, WORSE
from nlbench.reports.compare.gate import CONDITION, Gate
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block, Condition
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.best import tested
from nlbench.reports.render.told import told
from nlbench.reports.text import NONE, interval, listing, number, p_equals, plural

# What is named one by one: methods of a best set, conditions.
MOST_NAMES, MOST_PLACES = 3, 12
Place = tuple[Block, Condition]


def best_names(methods: Sequence[str], most: int = MOST_NAMES) -> str:
    """``GCE or Drainage``, which are not told apart; ``A, B, C or 9 more`` of many."""
    shown = list(methods[:most])
    if (rest := len(methods) - len(shown)) > 0:
        return f"{', '.join(shown)} or {rest} more"
    return " or ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


@dataclass(frozen=True)
class Part:
    """One profile of a study; ``brief`` where it is one of several."""

    results: Results
    profile: str
    brief: bool

    @cached_property
    def blocks(self) -> list[Block]:
        """The tables of the profile."""
        return [block for block in self.results.blocks if block.key.regime == self.profile]

    @cached_property
    def places(self) -> list[Place]:
        """All conditions of all tables."""
        return [(block, condition) for block in self.blocks for condition in block.conditions]

    @cached_property
    def whole(self) -> Overall | None:
        """The comparison across conditions, if there is one."""
        return next((w for w in self.results.overall if w.profile == self.profile), None)

    @cached_property
    def means(self) -> dict[str, float]:
        """Mean accuracy over the conditions that every method has, the highest first."""
        if self.whole is not None:
            means = {m.method: m.mean.value for m in self.whole.methods}
        else:
            found = {m: self._mean(m, self.places) for b in self.blocks for m in b.methods}
            means = {m: value for m, value in found.items() if value is not None}
        return dict(sorted(means.items(), key=lambda item: -item[1]))

    @property
    def leader(self) -> str:
        """The method with the highest mean; "" without one."""
        return next(iter(self.means), "")

    @cached_property
    def gates(self) -> list[Gate]:
        """Those of comparisons with the baseline."""
        return [
            gate
            for gate in self.results.gates
            if gate.profile == self.profile and not gate.noise and gate.b in self.results.baseline
        ]

    def of(self, method: str) -> list[Gate]:
        """The gates of one method against the baseline (the first of its settings)."""
        mine = [gate for gate in self.gates if gate.a == method]
        return [gate for gate in mine if gate.b == mine[0].b]

    def who(self) -> str:
        """The best set on average and of each condition."""
        methods = list(dict.fromkeys(m for block in self.blocks for m in block.methods))
        if len(methods) == 1:
            return f"{methods[0]} alone was run: there is nothing to compare."
        average = self._on_average()
        by_condition = "" if average and self.brief else self._by_condition()
        parts = [words for words in (average, by_condition) if words]
        return "; ".join(parts) + "." if parts else "No run has an accuracy to compare yet."

    def told(self) -> dict[str, str]:
        """Those of any best set that were told something, and what."""
        found = {
            m: words for block in self.blocks for m, words in told(self.results, block).items()
        }
        sets = [self.results.best(*place).members for place in self.places]
        sets += [] if self.whole is None else [frozenset(self.whole.best.members)]
        best = frozenset().union(*sets)
        return {method: words for method, words in found.items() if method in best}

    def best(self) -> str:
        """The best set on average, or of the only condition; "–" where none was tested."""
        found = None if self.whole is None else self.whole.best
        if found is None and len(self.places) == 1:
            found = self.results.best(*self.places[0])
        if found is None or not tested([found]):
            return NONE
        return best_names(self._ordered(found.members, self.places))

    def _on_average(self) -> str:
        if self.whole is None:
            return ""
        count, left = len(self.whole.conditions), len(self.whole.left_out)
        span = f"the {count} complete of {count + left}" if left else f"all {count}"
        where = f"on average over {span}"
        members = [m for m in self.means if m in self.whole.best.members]
        if not members or not tested([self.whole.best]):
            return f"{self.leader} has the highest mean {where} conditions (not tested)"
        return f"{best_names(members)} {where} conditions"

    def _by_condition(self) -> str:
        groups: dict[frozenset[str], list[Place]] = {}
        for place in self.places:
            best = self.results.best(*place)
            if best.members and tested([best]):
                groups.setdefault(best.members, []).append(place)
        if not groups:
            return self._highest_means()
        if len(groups) == 1 and 1 < len(self.places) == sum(map(len, groups.values())):
            names = best_names(self._ordered(*next(iter(groups.items()))))
            return f"by condition {names} on each of the {len(self.places)}"
        if sum(map(len, groups.values())) > MOST_PLACES:
            return self._counts(groups)
        words = [
            f"{best_names(self._ordered(members, places))} on"
            f" {listing([self._name(place) for place in places])}"
            for members, places in groups.items()
        ]
        return ("by condition " if self.whole is not None else "") + "; ".join(words)

    def _highest_means(self) -> str:
        if self.whole is not None or not self.means:
            return ""
        where = self._name(self.places[0])
        if len(self.places) > 1:
            where = f"average over {len(self.places)} conditions"
        return f"{self.leader} has the highest mean on {where} (not tested)"

    def _counts(self, groups: dict[frozenset[str], list[Place]]) -> str:
        counts = Counter({m: sum(len(p) for g, p in groups.items() if m in g) for m in self.means})
        top = [f"{m} ({n})" for m, n in counts.most_common(MOST_NAMES)]
        return f"in the best set of the most of {len(self.places)} conditions: {', '.join(top)}"

    def _ordered(self, members: Iterable[str], places: Sequence[Place]) -> list[str]:
        means = {method: self._mean(method, places) or 0.0 for method in members}
        return sorted(means, key=lambda method: (-means[method], method))

    def _mean(self, method: str, places: Sequence[Place]) -> float | None:
        cells = [block.cells.get((method, condition.line)) for block, condition in places]
        means = [cell.summary.mean for cell in cells if cell is not None]
        known = [mean for mean in means if mean is not None]
        return fmean(known) if known and len(known) == len(places) else None

    def _name(self, place: Place) -> str:
        block, condition = place
        name = pretty_condition(condition.line)
        if len(self.blocks) == 1:
            return name
        alike = len({other.data_label for other in self.blocks}) < len(self.blocks)
        data = f"{block.data_label}, {block.key.model}" if alike else block.data_label
        return data if len({c.line for _, c in self.places}) == 1 else f"{name} of {data}"

    def _place(self, gate: Gate) -> Place:
        """The place of a gate of one condition."""
        return next((b, c) for b, c in self.places if (b.index, c.line) == gate.places[0])

    def how_much(self) -> str:
        """The leader against the baseline and the next method."""
        if not self.leader:
            return "There is no accuracy to compare yet."
        if len(self.means) == 1:
            where = "" if self.whole is None and len(self.places) == 1 else " on average"
            return f"{self.leader} reaches {number(self.means[self.leader])} %{where}."
        parts = [self._ahead_of_baseline(), "" if self.brief else self._ahead_of_next()]
        return " ".join(filter(None, parts)) or (
            f"{self.leader} reaches {number(self.means[self.leader])} %, the next,"
            f" {list(self.means)[1]}, {number(self.means[list(self.means)[1]])} %."
        )

    def _ahead_of_baseline(self) -> str:
        mine = self.of(self.leader)
        if not mine or mine[0].mean.estimate is None:
            return ""
        first = mine[0]
        text = f"{first.a} minus {first.b}: {_gap(first)} points on {first.where}"
        single = [g for g in mine if g.level == CONDITION and g.mean.estimate is not None]
        if self.brief or first.level == CONDITION or len(single) < 2:
            return f"{text}."
        single.sort(key=lambda gate: gate.mean.estimate or 0.0)
        low, high = single[0], single[-1]
        ends = [f"{_gap(gate)} on {self._name(self._place(gate))}" for gate in (low, high)]
        return f"{text}, from {ends[0]} to {ends[1]}."

    def _ahead_of_next(self) -> str:
        """Against the next method, where that is not the baseline already spoken of."""
        other = list(self.means)[1]
        spoken = {gate.b for gate in self.of(self.leader)}
        if other in spoken or self.whole is None:
            return ""
        names = frozenset((self.leader, other))
        pair = next(p for p in self.whole.pairs if frozenset((p.a, p.b)) == names)
        d, sign = pair.difference, 1 if pair.a == self.leader else -1
        if d.estimate is None:
            return ""
        ends = (d.low, d.high) if sign > 0 else (_minus(d.high), _minus(d.low))
        words = "" if pair.words in (BETTER, WORSE) else ", not distinguishable"
        return (
            f"{self.leader} minus {other}, the next: {number(sign * d.estimate, sign=True)} points"
            f"{interval(*ends, before=' ')}{words}."
        )

    def how_sure(self) -> str:
        """At which gate the verdict on the leader is decided; "" where it has none."""
        mine = self.of(self.leader)
        if not mine or not mine[0].decided:
            return ""
        first = mine[0]
        verb = "beats" if first.words == BETTER else "is worse than"
        text = (
            f"{first.a} {verb} {first.b} at gate 1 ({first.where}): p_Holm"
            f" {p_equals(first.p_holm)}, {first.mean.test} over {plural(first.mean.n, 'seed')}"
        )
        single = [gate for gate in mine if gate.level == CONDITION]
        if self.brief or first.level == CONDITION:
            return f"{text}."
        counts = Counter(gate.words for gate in single)
        return (
            f"{text}; by single condition better on {counts[BETTER]} of {len(single)}, worse on"
            f" {counts[WORSE]}."
        )

    def verdict(self) -> str:
        """The first gate of the leader as a sentence, or why there is none."""
        mine = self.of(self.leader)
        if mine and self.brief and mine[0].decided:
            verb = "beats" if mine[0].words == BETTER else "is worse than"
            return f"{mine[0].a} {verb} {mine[0].b} ({_gap(mine[0])} points)."
        if mine:
            return mine[0].sentence()
        if self.leader in self.results.baseline and self.gates:
            first = [gate for gate in self.gates if gate.depth == 1]
            better = sum(gate.words == BETTER for gate in first)
            return (
                f"{self.leader} has the highest mean; of {plural(len(first), 'method')} compared"
                f" with it {better} are better and {sum(g.words == WORSE for g in first)} worse."
            )
        return self.who()


def _gap(gate: Gate) -> str:
    mean = gate.mean
    return f"{number(mean.estimate, sign=True)}{interval(mean.low, mean.high, before=' ')}"


def _minus(value: float | None) -> float | None:
    return None if value is None else -value
