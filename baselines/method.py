"""What every method is: hyper-parameters, outputs, how it trains, predictions and scores."""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor

from nlbench.baselines import scores as open_set
from nlbench.baselines.errors import MethodError
from nlbench.baselines.hyper import HyperParameter, checked, hyperparameters
from nlbench.baselines.state import Batch, Engine, Facts, Mixing, Stage, State, Step

Scalar = float | int | bool | str | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Published:
    """The setting of one method on one family of data sets, as its authors (or a release) give it.

    Attributes:
        params: hyper-parameters of the method, only those the source sets.
        recipe: what the source trains differently, by Recipe field name: `lr`, `weight_decay` (L2
            term of SGD), `l1` (the delta of delta * sum |theta| over all parameters, added before
            the gradient-norm clip). Epochs, batch size, schedule and augmentation are shared by all
            methods of a protocol and belong to the suite. Empty: the suite's recipe as it is.
        source: paper or repository, file, commit.
    """

    params: Mapping[str, Scalar]
    recipe: Mapping[str, Scalar]
    source: str

    def __post_init__(self) -> None:
        # Copies, so that a published setting cannot be changed through the caller's dict.
        object.__setattr__(self, "params", dict(self.params))
        object.__setattr__(self, "recipe", dict(self.recipe))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Method(ABC):
    """A way to train on noisy labels: a frozen dataclass whose fields are its hyper-parameters.

    A new method is one file: a subclass decorated with `@register("name")` and
    `@dataclass(frozen=True, kw_only=True)`, its hyper-parameters declared with `hyper(...)`, and
    `per_sample(logits, targets)`. Everything else has a default below. Construction raises
    MethodError for a hyper-parameter of the wrong type or outside its range.

    A method that needs more than its logits and labels keeps a `State` (`begin`) and defines what a
    step does (`step`); several networks, views or mixed images are declared. `step`,
    `after_backward` and `after_step` are arithmetic on tensors alone: no `.item()`, no boolean
    indexing, no Python decision on a value, so that a step can be recorded once and replayed. What
    the host must decide is decided in `begin_epoch` and `end_epoch`, which write into the state.

    Class attributes:
        name: the registered name; "module:Class" until it is registered.
        title: how tables call it; the class's name unless it is set.
        family: what kind of method it is, a key of `nlbench.baselines.families.FAMILIES`.
        formula: what a sample's loss is, on one line.
        source: paper (and public implementation).
        extra_outputs: network outputs beyond the K classes; they come last.
        has_extra_output: whether there is an `extra_output_probability`.
        shift_invariant: whether a constant added to all outputs leaves the loss as it is.
        members: networks trained side by side. The first starts from the weights that every method
            gets, further ones from weights of their own; all see the same batches.
        views: augmented forms of each image; the first is the one that every method gets.
        strong_views: the views after the first are strongly augmented, whatever the recipe's
            augmentation: two operations of RandAugment's and a square cut out.
        joined_views: the views go through a network as one batch of `views` times the size, with
            common BatchNorm statistics, and not one after the other.
        sweep_views: a sweep's logits are the logarithm of the mean probabilities for so many views
            augmented by the recipe; 0: those of the images as they are.
        selects: whether steps give weights that are 0 for samples left out.
        own_batches: some epochs are `own_epoch`, which only the loop trains, of images in memory.
        own_cost: what pages say of the cost where a method draws batches, or where it is not what
            networks, views and stages make it: images through networks for one of cross-entropy's.
        privileged: what `Facts.told` must hold, of `nlbench.baselines.state.PRIVILEGES`.
        version: raised by the author of a built-in method with every change of what it computes:
            records of another version are trained again. The files of a method from outside are
            hashed instead (`nlbench.benchmark.runs.method_source`).
        search_lr: factors of the recipe's learning rate to try where the method is tuned.
        published: published settings by family of data sets (cifar10, cifar100, mini_webvision,
            clothing1m, mnist, ...).
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    family: ClassVar[str] = ""
    formula: ClassVar[str] = ""
    source: ClassVar[str] = ""
    extra_outputs: ClassVar[int] = 0
    has_extra_output: ClassVar[bool] = False
    shift_invariant: ClassVar[bool] = True
    members: ClassVar[int] = 1
    views: ClassVar[int] = 1
    strong_views: ClassVar[bool] = False
    joined_views: ClassVar[bool] = False
    sweep_views: ClassVar[int] = 0
    selects: ClassVar[bool] = False
    own_batches: ClassVar[bool] = False
    own_cost: ClassVar[str] = ""
    privileged: ClassVar[frozenset[str]] = frozenset()
    version: ClassVar[int] = 1
    search_lr: ClassVar[tuple[float, ...]] = (0.1, 0.18, 0.32, 0.56, 1.0, 1.8, 3.2, 5.6, 10.0)
    published: ClassVar[Mapping[str, Published]] = MappingProxyType({})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # A class that is not registered is found again, in any process, under this name.
        cls.name = f"{cls.__module__}:{cls.__qualname__}"
        if "title" not in vars(cls):
            cls.title = cls.__name__

    def __post_init__(self) -> None:
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        for key, value in checked(self.name, type(self), values).items():
            object.__setattr__(self, key, value)

    @abstractmethod
    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Map (N, num_outputs) float32 or float64 and (N,) int64 to the loss (N,) in that dtype.

        It is what a step minimises unless `step` is overridden, and by what the trained network's
        samples are ranked when wrong labels are looked for.
        """

    def asks(self) -> frozenset[str]:
        """Return what this method must be told: `privileged`, less what a hyper-parameter gives."""
        return self.privileged

    def mixing(self) -> Mixing | None:
        """Return how batches are mixed; None: not at all."""
        return None

    def stages(self, epochs: int) -> tuple[Stage, ...]:
        """Return the parts of a run whose recipe has so many epochs."""
        return (Stage(epochs=epochs),)

    def begin(self, facts: Facts) -> State:  # noqa: ARG002
        """Return the state before the first step."""
        return State()

    def optimiser(self, state: State) -> torch.optim.Optimizer | None:
        """Return what trains the state's parameters; its rates follow the recipe's schedule.

        A group with `scheduled = False` keeps its rate. A kind whose state begins with zeros (SGD,
        Adam), with `fused=True`, can be recorded as part of a step.
        """
        if not state.parameters:
            return None
        raise MethodError(f"method {self.name!r} has parameters of its own and no optimiser")

    def begin_stage(  # noqa: B027
        self, state: State, facts: Facts, stage: int, sweep: Tensor | None
    ) -> None:
        """Before the first epoch of a later stage than the first, counted from 0.

        `sweep` as in `begin_epoch`, of the weights in the stage's `look`; None without.
        """

    def wants_sweep(self, facts: Facts, epoch: int) -> bool:  # noqa: ARG002
        """Return whether `begin_epoch` gets a sweep before this epoch, counted from 0."""
        return False

    def begin_epoch(  # noqa: B027
        self, state: State, facts: Facts, epoch: int, sweep: Tensor | None
    ) -> None:
        """Before an epoch, counted from 0.

        Args:
            state: to be written into.
            facts: of the run.
            epoch: its number; stages go on counting.
            sweep: (members, N, outputs), logits of the whole training set in evaluation mode, by
                `sweep_views`; None unless it was asked for.
        """

    def step(self, batch: Batch) -> Step:
        """Return what one step minimises, and the state after it.

        Nothing is written in here. Without a method's own step it is `loss`, of each member's first
        view.
        """
        return Step(losses=tuple(self.loss(views[0], batch.targets) for views in batch.logits))

    def after_backward(  # noqa: B027
        self,
        member: int,
        weights: Mapping[str, Tensor],
        gradients: Mapping[str, Tensor],
        state: State,
    ) -> None:
        """Change a member's gradients in place, before L1, clipping and the optimiser's step."""

    def after_step(  # noqa: B027
        self, networks: Sequence[Mapping[str, Tensor]], state: State
    ) -> None:
        """After a step: `networks` are each member's weights and buffers, not to be changed."""

    def end_epoch(self, state: State, facts: Facts, epoch: int) -> None:  # noqa: B027
        """After an epoch, counted from 0."""

    def draws_batches(self, facts: Facts, epoch: int) -> bool:  # noqa: ARG002
        """Return whether this epoch, counted from 0, is `own_epoch`; only with `own_batches`.

        `begin_epoch` then gets a sweep.
        """
        return False

    def own_epoch(self, engine: Engine, state: State, facts: Facts, epoch: int) -> Tensor | None:  # noqa: ARG002
        """Train for an epoch with batches of the method's own.

        All that is random comes from `facts.generator` and the engine's words, with the epoch among
        them: a run that is resumed draws the same.

        Returns:
            (N,), above 0 for samples that were selected, if the method selects.
        """
        raise MethodError(f"method {self.name!r} draws no batches")

    def combine(self, logits: Sequence[Tensor]) -> Tensor:
        """Return the outputs to predict from, given those of each member, (N, outputs) each.

        Of several members the logarithm of the mean probabilities.
        """
        if len(logits) == 1:
            return logits[0]
        shares = torch.stack([_full_precision(one).log_softmax(dim=1) for one in logits])
        return shares.logsumexp(dim=0) - math.log(len(logits))

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each sample; training minimises the mean over the batch.

        Half-precision logits are upcast first and autocast is off inside, so that the loss is
        computed in float32 or float64 whatever the network's precision. Of the training objective
        only the regularisation is not in here: that is the recipe's.

        Args:
            logits: (N, num_outputs(K)), any floating type.
            targets: (N,) int64 observed labels in [0, K); not checked, for that would stall a GPU.

        Returns:
            (N,) in float32, or float64 for float64 logits.

        Raises:
            MethodError: shapes or types that do not fit.
        """
        self._check(logits)
        if targets.shape != logits.shape[:1] or targets.dtype != torch.int64:
            raise MethodError(
                f"method {self.name!r}: targets must be int64 of shape ({logits.shape[0]},), "
                f"not {targets.dtype} of shape {tuple(targets.shape)}"
            )
        with torch.autocast(device_type=logits.device.type, enabled=False):
            losses = self.per_sample(_full_precision(logits), targets)
        shape = tuple(losses.shape) if isinstance(losses, Tensor) else type(losses).__name__
        if shape != tuple(targets.shape):
            raise MethodError(
                f"method {self.name!r}: per_sample returned {shape}; it should be a tensor of shape"
                f" ({len(targets)},), the loss of each sample"
            )
        return losses

    def predict(self, logits: Tensor) -> Tensor:
        """Return the closed-set prediction, argmax over the first K outputs.

        Args:
            logits: (N, num_outputs(K)).

        Returns:
            (N,) int64 in [0, K); the lowest class among equals.
        """
        return self.class_logits(logits).argmax(dim=1)

    def scores(self, logits: Tensor) -> dict[str, Tensor]:
        """Return the open-set scores, each (N,) and higher where the sample is more likely unknown.

        `msp`, `max_logit`, `energy` and `entropy` (see `scores.py`) use the first K
        outputs only; a method may add its own.
        """
        real = _full_precision(self.class_logits(logits))
        return {
            "msp": open_set.msp(real),
            "max_logit": open_set.max_logit(real),
            "energy": open_set.energy(real),
            "entropy": open_set.entropy(real),
        }

    def extra_output_probability(self, logits: Tensor) -> Tensor | None:  # noqa: ARG002
        """Return the probability of the extra output, (N,) in [0, 1]; None without one."""
        return None

    def rejects(self, logits: Tensor) -> Tensor | None:  # noqa: ARG002
        """Return which samples the method itself calls unknown, (N,) bool; None without a rule."""
        return None

    @classmethod
    def num_outputs(cls, num_classes: int) -> int:
        """Return how many outputs the network needs for so many classes."""
        return num_classes + cls.extra_outputs

    @classmethod
    def hyperparameters(cls) -> tuple[HyperParameter, ...]:
        """List name, type, default, range and help of each hyper-parameter."""
        return hyperparameters(cls)

    def params(self) -> dict[str, Scalar]:
        """Return every hyper-parameter as it acts, in JSON values: equal methods give equal dicts.

        This is what identifies the method in a run. Merge a user's changes into what `setting`
        gives, not into this: here defaults that follow from another value are already worked out.
        """
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def class_logits(self, logits: Tensor) -> Tensor:
        """Return the first K outputs, (N, K)."""
        self._check(logits)
        return logits[:, : logits.shape[1] - self.extra_outputs]

    def _check(self, logits: Tensor) -> None:
        """Two classes at least, and floating point; only metadata is read, no value."""
        least = self.num_outputs(2)
        if logits.ndim != 2 or logits.shape[1] < least or not logits.is_floating_point():
            raise MethodError(
                f"method {self.name!r}: logits must be floating point of shape (N, >= {least}), "
                f"not {logits.dtype} of shape {tuple(logits.shape)}"
            )


def _full_precision(logits: Tensor) -> Tensor:
    """Return float32 for half precision and leave float32 and float64 alone."""
    return logits if logits.dtype == torch.float64 else logits.float()
