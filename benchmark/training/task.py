"""What a training backend is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nlbench.baselines import Method
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.pipeline.batches import BatchPlan, Split
from nlbench.benchmark.pipeline.in_memory import Resident
from nlbench.benchmark.pipeline.streaming import Streamed
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.store.record import CURVES
from nlbench.benchmark.training.checkpoint import Checkpoint
from nlbench.noise import NoisyLabels


@dataclass(frozen=True)
class Task:
    """One run, ready to train: everything random has been decided.

    Attributes:
        network: initialised, on the device, in the recipe's memory format and master precision;
            holds the last weights after the training.
        method: loss and prediction.
        data: images on the device, or a stream of them from files.
        labels: of the whole training set.
        split: what is trained on and what validates.
        plan: order and augmentation of every epoch; used up by the training.
        recipe: optimisation settings.
        device: where all of it is.
        others: the networks of further members, like ``network``.
        seed: of the run: what a method draws of its own comes from it.
        checkpoint: where the run's state is written, if it is.
        check_time: raises where the run has taken too long; asked where runs are side by side.
    """

    network: nn.Module
    method: Method
    data: Resident | Streamed
    labels: NoisyLabels
    split: Split
    plan: BatchPlan
    recipe: Recipe
    device: torch.device
    others: tuple[nn.Module, ...] = ()
    seed: int = 0
    checkpoint: Checkpoint | None = None
    check_time: Callable[[], None] | None = None

    @property
    def networks(self) -> tuple[nn.Module, ...]:
        """The network of every member."""
        return (self.network, *self.others)

    @property
    def dtype(self) -> torch.dtype:
        """The precision of weights, state and losses."""
        return torch.float64 if self.recipe.precision == "float64" else torch.float32

    @property
    def resident(self) -> Resident:
        """The images, where they must be in memory.

        Raises:
            UserError: they are read from files.
        """
        if isinstance(self.data, Streamed):
            raise UserError(
                f"data set {self.data.dataset.name!r} is read from files: of the backends only loop"
                " can train on it (--backend loop)"
            )
        return self.data


@dataclass(frozen=True)
class FirstEpoch:
    """How long the training steps of the first epoch took, whatever the host did meanwhile.

    Attributes:
        steps: how many there were.
        seconds: from the first to the end of the last, those of runs beside it in between.
    """

    steps: int
    seconds: float


@dataclass
class Cost:
    """What a training took, in images that went through a network; tests are not counted.

    Attributes:
        epochs: passes over the training set.
        forward: images forward; sweeps of the method count.
        backward: images backward.
    """

    epochs: int = 0
    forward: int = 0
    backward: int = 0

    def add(self, images: int) -> None:
        """An epoch with so many images forward and backward."""
        self.epochs += 1
        self.forward += images
        self.backward += images


@dataclass
class Outcome:
    """What a training gave: curves per epoch, and the test images it got right at the end.

    Attributes:
        curves: one list per name in :data:`nlbench.benchmark.store.record.CURVES`.
        correct: (M,) bool at the last evaluated epoch, ``None`` before the first.
        others: accuracy on further test sets at the end, by their names.
        diverged: the epoch, counted from 1, after which loss, weights or state were not finite.
        first_epoch: the pace of its steps, where the backend took it.
        cost: what the training took.
        state: what the method keeps at the end, as :meth:`nlbench.baselines.State.named` gives it.
    """

    curves: dict[str, list[float | None]] = field(
        default_factory=lambda: {name: [] for name in CURVES}
    )
    correct: NDArray[np.bool_] | None = None
    diverged: int | None = None
    others: dict[str, float] = field(default_factory=dict)
    first_epoch: FirstEpoch | None = None
    cost: Cost = field(default_factory=Cost)
    state: Mapping[str, Tensor] = field(default_factory=dict, compare=False, repr=False)

    def begin_again(self) -> None:
        """Drop the curves: what follows starts from the first weights, and is the result."""
        self.curves = {name: [] for name in CURVES}

    def saved(self) -> dict[str, Any]:
        """What a checkpoint holds of it."""
        first = self.first_epoch
        return {
            "curves": {name: list(curve) for name, curve in self.curves.items()},
            "correct": None if self.correct is None else torch.from_numpy(self.correct),
            "first_epoch": None if first is None else [first.steps, first.seconds],
        }

    def restore(self, content: Mapping[str, Any]) -> None:
        """Take over what :meth:`saved` gave."""
        self.curves = {name: list(curve) for name, curve in content["curves"].items()}
        correct, first = content["correct"], content["first_epoch"]
        self.correct = None if correct is None else correct.numpy()
        self.first_epoch = None if first is None else FirstEpoch(*first)

    def add(self, curves: Mapping[str, float | None], correct: Tensor | None) -> None:
        """Keep a finished epoch; without ``correct`` it was not evaluated."""
        for name, value in curves.items():
            self.curves.setdefault(name, []).append(value)
        if correct is not None:
            self.correct = correct.cpu().numpy()


# Prepares a run. Called when its turn comes, and again where it has to start over.
Job = Callable[[], Task]
# Which job of the pack ended, and how: a job that raises must not take its neighbours along.
Ended = tuple[int, Outcome | Exception]


class Exited(RuntimeError):
    """A method would have ended the whole program."""


def failure(error: Exception | SystemExit) -> Exception:
    """What a run raised, as an outcome: also a call of ``sys.exit`` is its own failure alone."""
    if isinstance(error, Exception):
        return error
    exited = Exited(f"sys.exit({error.code!r}) was called during the run")
    return exited.with_traceback(error.__traceback__)


class Backend(Protocol):
    """A way to train. ``name`` goes into the record's environment.

    Attributes:
        slots: how many runs are trained side by side; a pack is worth having from that size on.
    """

    name: str
    slots: int

    @property
    def facts(self) -> Mapping[str, Any]:
        """What else a record's environment holds about it, as plain JSON values."""
        ...

    def train_pack(self, jobs: Iterable[Job]) -> Iterator[Ended]:
        """Train runs of one pack key and yield each as soon as it ends, by its position.

        A run ends after its last epoch, when something is not finite, or when it raises. Jobs are
        drawn from ``jobs`` no earlier than they can be started.
        """
        ...


def train(backend: Backend, task: Task) -> Outcome:
    """Train one task alone; what it raises is raised."""
    ((_, outcome),) = backend.train_pack([lambda: task])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
