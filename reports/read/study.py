"""Study: what a suite declared, as the reports need it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from nlbench.benchmark.metrics import Metric
from nlbench.benchmark.spec.hypothesis import Hypothesis
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.spec.tuned import Tuned
from nlbench.reports.errors import ReportError, unknown


@dataclass(frozen=True, kw_only=True)
class Study:
    """The declared runs of a study and its texts. A report shows all of them, run or not.

    Attributes:
        name: short name, part of file names and LaTeX labels.
        title: one line.
        description: the question of the study, in plain words.
        specs: every declared run, in the declared order.
        sha256: identity of the declaration, printed in every table.
        baseline: name of the method the others are measured against first.
        titles: how tables call a method, by its name; the name itself where none is given.
        sources: which source of each method there is now (runs/method_source.py), by its
            name; records of another one are named.
        releases: whose settings profile ``official`` has, by method and data set, as in ``gce on
            cifar10``.
        rope: half width of the region of practical equivalence in points of accuracy, declared
            before looking at results.
        metrics: measures that the report shows beside accuracy.
        test: name of the test of significance that decides (stats/significance.py), declared
            beforehand too.
        tuned: how its settings were chosen, where that was by tuning.
        rule: accuracy rule that the declared verdicts are about.
        hypotheses: comparisons declared beside those with the baseline.
        planned_sd: standard deviation over seeds of a paired difference that was assumed when the
            study was planned, points; ``None`` if none was.
        part: which of a larger study's runs these are, in words; "" for the whole of it.
        command: what a reader types to make the runs again, "" if there is no such line.
        given: what is known, by name, of a table of accuracies that the numbers come from; such a
            study declares no runs. Empty where there are records.
    """

    name: str
    title: str
    description: str
    specs: tuple[RunSpec, ...]
    sha256: str
    baseline: str
    titles: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    releases: Mapping[str, str] = field(default_factory=dict)
    rope: float = 0.5
    metrics: tuple[Metric, ...] = ()
    test: str = "paired t"
    tuned: Tuned | None = None
    rule: str = "last"
    hypotheses: tuple[Hypothesis, ...] = ()
    planned_sd: float | None = None
    part: str = ""
    command: str = ""
    given: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a study without runs, with one twice, or with a baseline that it does not have.

        Raises:
            ReportError: naming the study and what is wrong.
        """
        if self.given:
            return
        if not self.specs:
            raise ReportError(f"study {self.name!r} declares no runs")
        counts = Counter(spec.run_id for spec in self.specs)
        run_id, count = counts.most_common(1)[0]
        if count > 1:
            spec = next(spec for spec in self.specs if spec.run_id == run_id)
            raise ReportError(
                f"study {self.name!r} declares run {run_id} ({spec}) {count} times; declare it once"
            )
        methods = dict.fromkeys(spec.method.name for spec in self.specs)
        if self.baseline not in methods:
            raise unknown(f"baseline of study {self.name!r}:", self.baseline, methods)

    @property
    def evaluated(self) -> str:
        """After which epochs accuracies were taken, as a sentence; empty where after each."""
        every = sorted({spec.recipe.eval_every for spec in self.specs})
        if every in ([], [1]):
            return ""
        span = str(every[0]) if len(every) == 1 else f"{every[0]} to {every[-1]}"
        return f"Test and validation accuracy were taken every {span} epochs and after the last."
