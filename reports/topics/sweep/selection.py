"""What a noisily labelled validation set alone would have chosen, seed by seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from nlbench.reports.read.cells import Condition
from nlbench.reports.stats import Interval, PairedTest, mean_interval, paired_t
from nlbench.reports.topics.sweep.find import Setting

Floats = NDArray[np.float64]


class Grid(Protocol):
    """Settings of one method in one condition, of one hyper-parameter or of two."""

    @property
    def title(self) -> str:
        """The method as tables call it."""
        ...

    @property
    def fixed(self) -> str:
        """What else varies in the study and has one value here, in words."""
        ...

    @property
    def condition(self) -> Condition:
        """Its noise."""
        ...

    @property
    def settings(self) -> tuple[Setting, ...]:
        """In the declared order."""
        ...

    @property
    def default(self) -> Setting:
        """The setting that was declared first."""
        ...

    @property
    def validated(self) -> bool:
        """Whether noisily labelled samples were held out."""
        ...

    def name(self, setting: Setting) -> str:
        """A setting in words."""
        ...


@dataclass(frozen=True, eq=False)
class Choice:
    """One seed; accuracies in percent.

    Attributes:
        seed: which.
        chosen: the settings with the highest noisy validation accuracy at the last epoch: one,
            or several with equal validation accuracy.
        validation: that accuracy.
        accuracy: test accuracy of the chosen setting, the mean over several.
        default: test accuracy of the default.
        best: the setting with the highest test accuracy of this seed, unknown in practice.
        best_accuracy: its test accuracy.
        others: the setting with the highest mean test accuracy over the other seeds; ``None`` with
            one seed.
        others_accuracy: its test accuracy in this seed.
        correlation: Spearman's, between validation and test accuracy over the grid; ``None`` where
            either is constant.
    """

    seed: int
    chosen: tuple[Setting, ...]
    validation: float
    accuracy: float
    default: float
    best: Setting
    best_accuracy: float
    others: Setting | None
    others_accuracy: float | None
    correlation: float | None


@dataclass(frozen=True, eq=False)
class Choices:
    """All seeds whose grid is whole, and how the choices fare on average.

    Attributes:
        seeds: one entry each.
        declared: how many seeds were declared.
        against_default: chosen minus default, paired over seeds.
        against_best: chosen minus the same seed's best.
        luck: the same seed's best minus what the other seeds' best has there: what looking at the
            test set adds without being there for a new seed.
    """

    seeds: tuple[Choice, ...]
    declared: int
    against_default: PairedTest
    against_best: PairedTest
    luck: Interval


def choose(sweep: Grid) -> Choices | None:
    """Choose by noisy validation; ``None`` without held-out samples or a whole grid.

    A seed counts if every setting of the grid has a test accuracy in it; a run that ended before
    the last epoch has no validation accuracy there and is not chosen.
    """
    seeds = sweep.default.cell.seeds
    if not sweep.validated or any(s.cell.seeds != seeds for s in sweep.settings):
        return None
    test = np.array([s.cell.values for s in sweep.settings])
    held = 100 * np.array([s.last["val_noisy"] for s in sweep.settings])
    usable = np.isfinite(test).all(axis=0) & np.isfinite(held).any(axis=0)
    if not usable.any():
        return None
    at = np.flatnonzero(usable)
    test, held = test[:, at].round(9), np.where(np.isnan(held), -np.inf, held)[:, at].round(9)
    found = tuple(_choice(sweep, seeds[seed], test, held, i) for i, seed in enumerate(at))
    accuracy = np.array([c.accuracy for c in found])
    best = np.array([c.best_accuracy for c in found])
    luck = [c.best_accuracy - c.others_accuracy for c in found if c.others_accuracy is not None]
    return Choices(
        seeds=found,
        declared=len(seeds),
        against_default=paired_t(accuracy, np.array([c.default for c in found])),
        against_best=paired_t(accuracy, best),
        luck=mean_interval(np.array(luck, dtype=np.float64)),
    )


def _choice(sweep: Grid, seed: int, test: Floats, held: Floats, column: int) -> Choice:
    """One column of (settings, seeds) test and validation accuracies."""
    mine, validation = test[:, column], held[:, column]
    chosen = np.flatnonzero(validation == validation.max())
    best = int(np.argmax(mine))
    rest = np.delete(test, column, axis=1)
    others = int(np.argmax(rest.mean(axis=1).round(9))) if rest.shape[1] else None
    return Choice(
        seed=seed,
        chosen=tuple(sweep.settings[at] for at in chosen),
        validation=float(validation.max()),
        accuracy=float(mine[chosen].mean()),
        default=float(mine[0]),
        best=sweep.settings[best],
        best_accuracy=float(mine[best]),
        others=None if others is None else sweep.settings[others],
        others_accuracy=None if others is None else float(mine[others]),
        correlation=spearman(validation, mine),
    )


def spearman(a: Floats, b: Floats) -> float | None:
    """Spearman's rank correlation, ties averaged; ``None`` where either is constant."""
    ranks = [rankdata(values) for values in (a, b)]
    if min(np.ptp(r) for r in ranks) == 0:
        return None
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
