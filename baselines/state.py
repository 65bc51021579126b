"""What a method with state is given, keeps, receives at each step, and returns.

The engine keeps three kinds of tensors for a method (`State`). Before a step it gathers the rows of
the batch, after it it puts the new ones back: a step gets slices and never the whole set.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from nlbench.baselines.errors import MethodError

# What a method may be told beyond the given labels, if its class declares it (`privileged`).
PRIVILEGES = {
    "noise_rate": "the share of wrong labels among the samples trained on, a float",
    "transition": "(K, K) tensor, row i: how often class i was given each label",
    "clean_labels": "(N,) int64 tensor of the true labels",
    "noisy_val": "(m,) int64 tensor, the samples that are held out",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Facts:
    """What a method is given about its run before the first step.

    Attributes:
        num_classes: K.
        samples: N, of the whole training set; a sample's id is its place in it.
        trained: (n,) int64, ids of the samples trained on, ascending; the others are held out.
        given: (N,) int64, the labels to learn from; wrong ones among them are not marked.
        class_counts: (K,) int64, how many of the samples trained on have each given label.
        epochs: passes over the training set, of all stages together.
        starts: the number of the first epoch of each stage, counted from 0.
        steps: steps of an epoch.
        batch_size: samples of a step; the last one of an epoch may have fewer.
        device: where all tensors are.
        dtype: float32 or float64, in which state is kept and losses are computed.
        generator: a fresh NumPy generator of the method's own stream, by words of its choice: the
            same words give the same numbers on every device, after any resume.
        told: what the class declares in `privileged`, by name; see PRIVILEGES.
        width: of the features, the input of each network's head.
    """

    num_classes: int
    samples: int
    trained: Tensor
    given: Tensor
    class_counts: Tensor
    epochs: int
    steps: int
    batch_size: int
    device: torch.device
    dtype: torch.dtype
    generator: Callable[..., Any]
    told: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    starts: tuple[int, ...] = (0,)
    width: int = 0

    def zeros(self, *shape: int) -> Tensor:
        """Zeros in the run's precision, on its device."""
        return torch.zeros(shape, dtype=self.dtype, device=self.device)

    def number(self, value: float = 0.0) -> Tensor:
        """A scalar in the run's precision, on its device."""
        return torch.tensor(value, dtype=self.dtype, device=self.device)

    def one_hot_labels(self) -> Tensor:
        """(N, K): the given labels, one-hot."""
        return self.zeros(self.samples, self.num_classes).scatter_(1, self.given[:, None], 1.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class State:
    """The tensors of a method that change during a run, all in its checkpoint.

    They stay where they are in memory: write into them (`put`), a mapping cannot be changed.

    Attributes:
        rows: (N, ...) each, one row per sample.
        globals: of any shape, for all samples; numbers that change from epoch to epoch as well.
        parameters: trained beside the network, by the method's own optimiser.
        rates: learning rates of the rows that are trained: their slices carry a gradient and move
            by plain SGD at this rate, of the objective, which is a mean over the batch.
    """

    rows: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)
    globals: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)
    parameters: Mapping[str, nn.Parameter] = dataclasses.field(default_factory=dict)
    rates: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            values = MappingProxyType(dict(getattr(self, field.name)))
            object.__setattr__(self, field.name, values)
        if strange := sorted(set(self.rates) - set(self.rows)):
            raise MethodError(f"state: rates of {', '.join(strange)}, which are no rows")

    def put(self, name: str, value: Tensor | float) -> None:
        """Write a value into the rows, global or parameter of that name, in place."""
        for kind in (self.rows, self.globals, self.parameters):
            if name in kind:
                with torch.no_grad():
                    target: Tensor = kind[name]
                    # A number is filled in, for a copy from the host waits for the device.
                    target.copy_(value) if isinstance(value, Tensor) else target.fill_(value)
                return
        there = ", ".join(sorted(self.named())) or "nothing"
        raise MethodError(f"state: there is no {name!r}; there is {there}")

    def named(self) -> dict[str, Tensor]:
        """Every tensor by `kind.name`."""
        kinds = {"rows": self.rows, "globals": self.globals, "parameters": self.parameters}
        return {
            f"{kind}.{name}": t.detach() for kind, ts in kinds.items() for name, t in ts.items()
        }

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take the values of `named` over, in place."""
        with torch.no_grad():
            for name, tensor in self.named().items():
                tensor.copy_(tensors[name])

    def floating(self) -> Iterator[Tensor]:
        """Every tensor that could hold what is no number."""
        return (tensor for tensor in self.named().values() if tensor.is_floating_point())


@dataclasses.dataclass(frozen=True)
class Mixing:
    """Batches are mixed: x <- w x + (1 - w) x[partner], one w of Beta(alpha, alpha) a batch.

    Attributes:
        alpha: >= 0; 0 is w = 1.
        folded: max(w, 1 - w) instead of w.
    """

    alpha: float
    folded: bool = False


@dataclasses.dataclass(frozen=True)
class Mixed:
    """How one batch was mixed.

    Attributes:
        weight: scalar tensor, the share of each image itself.
        partner: (B,) int64, the place in the batch of the other image.
    """

    weight: Tensor
    partner: Tensor


@dataclasses.dataclass(frozen=True, kw_only=True)
class Batch:
    """What a step is shown.

    Attributes:
        logits: of each member the outputs for each view, (B, outputs) in float32 or float64.
        targets: (B,) int64, the given labels.
        rows: the batch's rows of the state, (B, ...) each.
        globals: the state's.
        parameters: the state's.
        mixed: how the images were mixed, if the method mixes.
    """

    logits: tuple[tuple[Tensor, ...], ...]
    targets: Tensor
    rows: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)
    globals: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)
    parameters: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)
    mixed: Mixed | None = None

    @property
    def output(self) -> Tensor:
        """The outputs of the first member for the first view: all there is in most methods."""
        return self.logits[0][0]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """What a step gives. Minimised: the sum over members of mean(weights * losses), plus extra.

    Attributes:
        losses: (B,) of each member; recorded as they are.
        weights: (B,) of each member, without gradient; empty: ones. A weight of 0 is a sample that
            was not selected.
        extra: a scalar that is added once, such as a penalty on the batch mean.
        rows: new slices of rows, by name; what is left out stays as it is.
        globals: new values of globals.
    """

    losses: tuple[Tensor, ...]
    weights: tuple[Tensor, ...] = ()
    extra: Tensor | None = None
    rows: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)
    globals: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)

    def objective(self) -> Tensor:
        """The scalar that is minimised."""
        weights = self.weights or (None,) * len(self.losses)
        means = [
            losses.mean() if weight is None else (weight * losses).mean()
            for losses, weight in zip(self.losses, weights, strict=True)
        ]
        total = means[0]
        for mean in means[1:]:
            total = total + mean
        return total if self.extra is None else total + self.extra


class Engine(Protocol):
    """What a method that draws its own batches may do with the networks of a run."""

    def images(self, ids: Tensor, *words: str | int, strong: bool = False) -> Tensor:
        """Images of these samples, augmented and normalised; the same words draw the same.

        `strong` is for methods with `strong_views`: beyond the recipe's augmentation two strong
        operations and a square that is cut out.
        """
        ...

    def mode(self, member: int, training: bool) -> None:
        """Put a network into training or evaluation mode: its BatchNorm statistics move or not."""
        ...

    def logits(self, member: int, images: Tensor) -> Tensor:
        """A network's outputs, (B, outputs) in full precision."""
        ...

    def features(self, member: int, images: Tensor) -> tuple[Tensor, Tensor]:
        """The input of a network's head, (B, width), and its outputs, both in full precision."""
        ...

    def sweep(self) -> Tensor:
        """A sweep of the weights there are now, as `begin_epoch` gets one."""
        ...

    def descend(self, member: int, objective: Tensor) -> None:
        """One step of a network's optimiser, with the recipe's L1 and clipping.

        The state's parameters take a step of theirs where the objective depends on them.
        """
        ...

    def follow(self, member: int, source: int, keep: float) -> None:
        """Give a network's weights the share `keep` of themselves and the rest of another's."""
        ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stage:
    """A part of a run with weights or a recipe of its own.

    Attributes:
        epochs: >= 1.
        start: the weights it starts from: `last` those there are, `best` those of the epoch of the
            stage before that was best on noisy validation, `first` those of the run's beginning,
            with the batches of the run's beginning.
        look: which weights of the stage before are swept for `begin_stage`: `last`, `best` or none.
        recipe: what is trained differently in it, by Recipe field name.
        at: where in the schedule of the recipe's epochs it begins, counted from 0; None: it has a
            schedule of its own, over its epochs.
        last: how many of each network's last parts `redraw` and `trains` are about; the head is the
            last part, and the first is never among them (`nlbench.benchmark.models.parts`).
        redraw: whether the last parts get weights drawn anew.
        trains: `all` parts, the `last` or the `others`; the rest keep their weights, while the
            statistics of BatchNorm move in all.
    """

    epochs: int
    start: str = "last"
    look: str = ""
    recipe: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    at: int | None = None
    last: int = 0
    redraw: bool = False
    trains: str = "all"

    def __post_init__(self) -> None:
        if self.start not in ("last", "best", "first") or self.look not in ("", "last", "best"):
            raise MethodError(
                f"stage: start = {self.start!r} must be last, best or first, and look ="
                f" {self.look!r} last, best or empty"
            )
        if self.trains not in ("all", "last", "others"):
            raise MethodError(f"stage: trains = {self.trains!r} must be all, last or others")
        if self.last < 1 and (self.redraw or self.trains != "all"):
            raise MethodError(f"stage: last = {self.last} must be 1 or more")
        object.__setattr__(self, "recipe", dict(self.recipe))
