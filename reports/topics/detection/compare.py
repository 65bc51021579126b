"""Is an extra output a better detector of flipped labels than small loss?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from nlbench.benchmark.store import names
from nlbench.reports.compare.comparison import Comparison
from nlbench.reports.compare.engine import Pair, paired_comparisons
from nlbench.reports.compare.ranking import Best, best_of
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Cell
from nlbench.reports.stats import PAIRED_T, SignificanceTest
from nlbench.reports.topics.detection.failures import Signature, signatures
from nlbench.reports.topics.detection.find import METRICS, Detection, detections

METRIC = "auroc"
MASS, LOSS = names.PROBABILITY, "loss"
# All pairs of more rows than this are too many to read and, after correction, for a few seeds.
MOST_ROWS = 40


@dataclass(frozen=True)
class Verdicts:
    """The comparisons of one block, a family each, in AUROC.

    Attributes:
        mass: extra output against small loss: for the sentences.
        pairs: all pairs of declared criteria, over the conditions: for bold print; empty with
            more than MOST_ROWS of them.
    """

    mass: tuple[Comparison, ...]
    pairs: tuple[Comparison, ...]

    def best(self, detection: Detection, line: str) -> Best:
        """The best set of the declared criteria."""
        of_line = [c for c in self.pairs if c.condition == line]
        return best_of(list(declared(detection, line)), of_line)


@dataclass(frozen=True)
class Found:
    """Detection in a study.

    Attributes:
        blocks: those whose records hold detection, with their comparisons.
        signatures: how every extra output fared, condition by condition.
    """

    blocks: tuple[tuple[Detection, Verdicts], ...]
    signatures: tuple[Signature, ...]


def search(results: Results) -> Found | None:
    """Detection in the study, ``None`` where no record holds it."""
    there = detections(results.blocks, results.frame.evaluations)
    if not there:
        return None
    names, test = results.method_names, results.test
    return Found(
        tuple((detection, verdicts(detection, names, test)) for detection in there),
        signatures(results.blocks, there, results.frame.curves, results.baseline),
    )


def verdicts(
    detection: Detection, names: Mapping[str, str], test: SignificanceTest = PAIRED_T
) -> Verdicts:
    """All comparisons of a block.

    Args:
        detection: the block.
        names: label -> the method's name, equal for settings of one method.
        test: what decides.
    """
    title = detection.block.title
    lines = [condition.line for condition in detection.conditions]
    rows = max((len(list(declared(detection, line))) for line in lines), default=0)
    pairs = [
        Pair(later, earlier)
        for line in lines
        for earlier, later in combinations(declared(detection, line), 2)
        if rows <= MOST_ROWS
    ]
    return Verdicts(
        mass=paired_comparisons(
            list(_mass_to_loss(detection, names)),
            metric=METRICS[METRIC],
            family=f"{title}: extra output against small loss",
            test=test,
        ),
        pairs=paired_comparisons(
            pairs,
            metric=METRICS[METRIC],
            family=f"{title}: all pairs of extra output and small loss",
            test=test,
        ),
    )


def declared(detection: Detection, line: str) -> Iterator[Cell]:
    """The cells that are compared: small loss of every method, extra output of those with one."""
    for criterion in (LOSS, MASS):
        for method in detection.methods:
            cell = detection.cell(method, line, criterion)
            if cell is not None:
                yield cell


def rivals(detection: Detection, method: str, names: Mapping[str, str]) -> tuple[str, ...]:
    """Whose small loss the method's mass is compared with: its own and every other method's.

    Methods that have several settings are left out but for the own one: which setting to compare
    with would be a choice after seeing the results.
    """
    counts = Counter(names[m] for m in detection.methods)
    others = [m for m in detection.methods if m != method and counts[names[m]] == 1]
    return (method, *others)


def _mass_to_loss(detection: Detection, names: Mapping[str, str]) -> Iterator[Pair]:
    for condition in detection.conditions:
        for method in detection.nodes:
            mass = detection.cell(method, condition.line, MASS)
            for other in rivals(detection, method, names):
                loss = detection.cell(other, condition.line, LOSS)
                if mass is not None and loss is not None:
                    yield Pair(mass, loss)
