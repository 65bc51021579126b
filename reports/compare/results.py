"""Results: everything computed for one report, before anything is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from nlbench.benchmark.store.record import RunRecord
from nlbench.reports.compare.across_conditions import Overall, overall
from nlbench.reports.compare.comparison import Comparison
from nlbench.reports.compare.families import compare
from nlbench.reports.compare.gate import Gate
from nlbench.reports.compare.ranking import Best, Standing, best_of, cells_of, standings
from nlbench.reports.errors import ReportError, unknown
from nlbench.reports.read.cells import Block, Cell, Condition, make_blocks
from nlbench.reports.read.extract import Intake
from nlbench.reports.read.fields import RULES
from nlbench.reports.read.frame import Frame, tidy
from nlbench.reports.read.measures import measure_cells
from nlbench.reports.read.study import Study
from nlbench.reports.stats import SignificanceTest, significance_test


@dataclass(frozen=True)
class Results:
    """What renderers format.

    Attributes:
        study: what was declared.
        frame: one row per run.
        rule: the accuracy rule of every number, one of RULES.
        blocks: cells of comparable runs.
        baseline: labels of the baseline method (several where it has several settings).
        verdicts: all pairwise comparisons, the declared and the exploratory ones.
        gates: the declared ones, from the mean over all conditions down to single conditions.
        test: what decides in them.
    """

    study: Study
    frame: Frame
    rule: str
    blocks: tuple[Block, ...]
    baseline: frozenset[str]
    verdicts: tuple[Comparison, ...]
    gates: tuple[Gate, ...]
    test: SignificanceTest

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before trusting an accuracy, a line each."""
        refused: dict[str, int] = defaultdict(int)
        for verdict in self.verdicts:
            if not verdict.comparable:
                refused[verdict.words.split("(")[0].strip()] += 1
        lines = [
            f"{count} of {len(self.verdicts)} comparisons {words}"
            for words, count in refused.items()
        ]
        if self.rule != self.study.rule:
            lines.append(
                f"accuracy rule {self.rule} is not the one that the study declared"
                f" ({self.study.rule}): every verdict here is exploratory"
            )
        return (*self.frame.warnings, *lines)

    @property
    def claims(self) -> int:
        """Declared comparisons, which share one error rate."""
        return self.gates[0].claims if self.gates else 0

    @cached_property
    def method_names(self) -> dict[str, str]:
        """Label -> the method's name, equal for settings of one method."""
        return names_of(self.frame)

    @cached_property
    def measures(self) -> dict[tuple[int, str], dict[tuple[str, str], Cell]]:
        """Index of a block and name of a measure that the study asks for -> its cells."""
        return {
            (block.index, metric.name): measure_cells(block, self.frame.evaluations, metric)
            for block in self.blocks
            for metric in self.study.metrics
        }

    @cached_property
    def overall(self) -> tuple[Overall, ...]:
        """The analyses across conditions, one per profile."""
        return overall(
            self.blocks, self.verdicts, self.gates, self.baseline, self.study.rope, self.test
        )

    @cached_property
    def _by_condition(self) -> dict[tuple[int | None, str], list[Comparison]]:
        found: dict[tuple[int | None, str], list[Comparison]] = defaultdict(list)
        for verdict in self.verdicts:
            found[verdict.block, verdict.condition].append(verdict)
        return found

    @cached_property
    def _bests(self) -> dict[tuple[int, str], Best]:
        return {
            (block.index, condition.line): best_of(
                cells_of(block, condition), self.of(block, condition)
            )
            for block in self.blocks
            for condition in block.conditions
        }

    @cached_property
    def _standings(self) -> dict[tuple[int, str], dict[str, Standing]]:
        return {
            (block.index, condition.line): standings(
                block, condition, self.of(block, condition), self.best(block, condition)
            )
            for block in self.blocks
            for condition in block.conditions
        }

    def of(self, block: Block, condition: Condition) -> list[Comparison]:
        """The comparisons of one condition."""
        return self._by_condition.get((block.index, condition.line), [])

    def in_block(self, block: Block) -> list[Comparison]:
        """The comparisons of one block, in table order."""
        return [v for condition in block.conditions for v in self.of(block, condition)]

    def best(self, block: Block, condition: Condition) -> Best:
        """The best set of one condition."""
        return self._bests[block.index, condition.line]

    def best_overall(self, block: Block) -> frozenset[str]:
        """The best set by the mean over a block's conditions; empty where that is not tested."""
        alone = sum(b.key.regime == block.key.regime for b in self.blocks) == 1
        found = [w for w in self.overall if w.profile == block.key.regime and not w.left_out]
        return found[0].best.members if alone and found else frozenset()

    def standing(self, block: Block, condition: Condition, method: str) -> Standing:
        """A cell's place in its condition."""
        return self._standings[block.index, condition.line][method]


def baseline_labels(study: Study, frame: Frame) -> frozenset[str]:
    """How tables call the study's baseline."""
    runs = frame.runs
    return frozenset(runs.loc[runs["method_name"] == study.baseline, "method"])


def names_of(frame: Frame) -> dict[str, str]:
    """Label -> the method's name, equal for settings of one method."""
    runs = frame.runs[["method", "method_name"]].drop_duplicates()
    return dict(zip(runs["method"], runs["method_name"], strict=True))


def analyse(
    study: Study, records: Iterable[RunRecord] | Intake, rule: str | None = None
) -> Results:
    """Compute everything a report shows.

    Args:
        study: the declared runs.
        records: in any order, or what was read of a store.
        rule: which of the four accuracies; the one that the study declares by default. ``oracle``
            uses the test set and is no headline.

    Raises:
        ReportError: an unknown rule or test of significance, a rule that no run has a number for,
            or no records.
    """
    rule = study.rule if rule is None else rule
    if rule not in RULES:
        raise unknown("accuracy rule", rule, RULES)
    return analyse_frame(study, tidy(study, records), rule)


def analyse_frame(study: Study, frame: Frame, rule: str) -> Results:
    """:func:`analyse` from the frame on; ``rule`` names its column of accuracies.

    Raises:
        ReportError: an unknown test of significance, or a rule that no run has a number for.
    """
    test = significance_test(study.test, f"study {study.name!r}")
    if frame.runs[rule].isna().all():
        have = [name for name in RULES if frame.runs[name].notna().any()]
        hint = f"there is: {', '.join(have)}" if have else "every run failed"
        raise ReportError(f"study {study.name!r}: no run has the accuracy {rule!r}; {hint}")
    blocks = make_blocks(frame, rule)
    baseline = baseline_labels(study, frame)
    found = compare(
        blocks,
        baseline,
        study.rope,
        test,
        study.hypotheses,
        names_of(frame),
        study.planned_sd,
    )
    return Results(study, frame, rule, blocks, baseline, found.comparisons, found.gates, test)
