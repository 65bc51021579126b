"""How a network is trained: everything in a run that is neither data, model, method nor seed."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.spec.canonical_json import canonical_json
from nlbench.outside import Kind

SCHEDULES = ("cosine", "constant", "step", "exponential")
PRECISIONS = ("float32", "tf32", "bf16", "float64")
# What a record can hold the curves of, and what a step may take in: far beyond any study.
MOST_EPOCHS = 100_000
MOST_SAMPLES = 2**20
# Fields younger than published runs: not written at their default, so that run ids do not change.
LATE = ("eval_every", "sam_rho", "sam_adaptive", "optimizer", "betas", "eps")


@dataclass(frozen=True)
class Optimizer:
    """A kind of optimiser.

    Attributes:
        path: ``module:Class`` of a torch optimiser. Its state begins with zeros and it takes
            ``fused=True``, so that the graph backend can record its step. It is imported where a
            network is trained: recipes are read without torch.
        reads: the fields of a recipe that it takes beside ``lr``, under the same names.
    """

    path: str
    reads: tuple[str, ...]


# Another optimiser is one entry here, and a field of Recipe for whatever only it reads.
OPTIMIZERS: Mapping[str, Optimizer] = MappingProxyType(
    {
        "sgd": Optimizer("torch.optim:SGD", ("momentum", "nesterov", "weight_decay")),
        "adam": Optimizer("torch.optim:Adam", ("betas", "eps", "weight_decay")),
        "adamw": Optimizer("torch.optim:AdamW", ("betas", "eps", "weight_decay")),
    }
)
OUTSIDE = Kind("optimizer", "nlbench.optimizers", UserError)
# Fields that an optimiser reads, and another perhaps does not.
SOME_READ = tuple(dict.fromkeys(name for kind in OPTIMIZERS.values() for name in kind.reads))


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Optimisation settings, in the terms of the robust-loss papers (facts: their protocol).

    Attributes:
        epochs: passes over the training set, >= 1.
        batch_size: samples a step, >= 2; the incomplete last batch is kept.
        lr: initial learning rate, > 0.
        momentum: of SGD, in [0, 1).
        nesterov: Nesterov instead of classical momentum.
        weight_decay: L2 penalty as PyTorch's SGD and Adam apply it (0.5 * wd * |theta|^2 in the
            loss, outside the gradient norm that is clipped); of AdamW the decoupled decay, by which
            a step multiplies the weights with 1 - lr * wd.
        l1: delta of the penalty delta * sum |theta| over all parameters, BatchNorm included, added
            to the gradient before clipping and kept out of the reported loss (ANL, Drainage).
        clip_norm: largest L2 norm of the whole gradient; ``0`` switches clipping off.
        schedule: ``cosine`` (per epoch, to 0 at ``epochs``), ``constant``, ``step`` or
            ``exponential``.
        milestones: epochs after which ``step`` multiplies the rate by ``gamma``.
        gamma: factor of ``step`` (at milestones) and ``exponential`` (every epoch).
        augment: name of the augmentation of training images (see pipeline/augment.py).
        precision: ``float32``; ``tf32`` (everything is float32, but matrix products and
            convolutions may round their factors to TF32; on a GPU that has it only); ``bf16``
            (autocast, channels_last; weights, BatchNorm statistics and the loss stay float32);
            ``float64`` (for equivalence tests).
        eval_every: test and validation accuracy are taken after every so many epochs, >= 1, and
            always after the last.
        sam_rho: radius of sharpness-aware minimisation (SAM), which takes each gradient at nearby
            weights where the loss is larger; ``0``: off. A step costs two passes.
        sam_adaptive: measure the radius by the size of each weight (ASAM).
        optimizer: ``sgd``, ``adam``, ``adamw``, or ``module:Class`` of one from outside, which is
            imported where a network is trained. A field that only others read stays at its default.
        betas: decay rates of the two moments of Adam and AdamW, in [0, 1).
        eps: added to the root of their second moment, > 0.
    """

    epochs: int
    batch_size: int = 128
    lr: float = 0.01
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 0.0
    l1: float = 0.0
    clip_norm: float = 5.0
    schedule: str = "cosine"
    milestones: tuple[int, ...] = ()
    gamma: float = 0.1
    augment: str = "none"
    precision: str = "float32"
    eval_every: int = 1
    sam_rho: float = 0.0
    sam_adaptive: bool = False
    optimizer: str = "sgd"
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8

    def __post_init__(self) -> None:
        """Refuse values outside their range.

        Raises:
            UserError: naming the field, its value and the range.
        """
        limits = (
            ("epochs", self.epochs >= 1, "at least 1"),
            ("epochs", self.epochs <= MOST_EPOCHS, f"at most {MOST_EPOCHS:,}"),
            ("batch_size", self.batch_size >= 2, "at least 2 (BatchNorm needs two samples)"),
            ("batch_size", self.batch_size <= MOST_SAMPLES, f"at most {MOST_SAMPLES:,}"),
            ("lr", self.lr > 0, "above 0"),
            ("momentum", 0 <= self.momentum < 1, "in [0, 1)"),
            ("nesterov", self.momentum > 0 or not self.nesterov, "false without momentum"),
            ("weight_decay", self.weight_decay >= 0, "at least 0"),
            ("l1", self.l1 >= 0, "at least 0"),
            ("clip_norm", self.clip_norm >= 0, "at least 0 (0 = no clipping)"),
            ("gamma", 0 < self.gamma <= 1, "in (0, 1]"),
            ("eval_every", self.eval_every >= 1, "at least 1"),
            ("eval_every", self.eval_every <= MOST_EPOCHS, f"at most {MOST_EPOCHS:,}"),
            ("milestones", min(self.milestones, default=1) >= 1, "epochs from 1 on"),
            ("milestones", len(self.milestones) <= MOST_EPOCHS, f"at most {MOST_EPOCHS:,} epochs"),
            ("sam_rho", self.sam_rho >= 0, "at least 0 (0 = no SAM)"),
            ("sam_adaptive", self.sam_rho > 0 or not self.sam_adaptive, "false without a sam_rho"),
            ("betas", len(self.betas) == 2, "two numbers"),
            ("betas", all(0 <= beta < 1 for beta in self.betas), "in [0, 1)"),
            ("eps", self.eps > 0, "above 0"),
        )
        for name, holds, want in limits:
            if not holds:
                raise UserError(f"recipe: {name} = {getattr(self, name)!r} must be {want}")
        for name, choices in (
            ("schedule", SCHEDULES),
            ("precision", PRECISIONS),
            ("optimizer", (*OPTIMIZERS, *OUTSIDE.names())),
        ):
            outside = name == "optimizer" and self.outside_optimizer
            if getattr(self, name) not in choices and not outside:
                raise unknown(name, getattr(self, name), choices, "recipe")
        if not self.outside_optimizer:
            self.refuse_unread(OPTIMIZERS[self.optimizer].reads)

    @property
    def outside_optimizer(self) -> bool:
        """Whether the optimiser's code is neither ours nor torch's."""
        return self.optimizer not in OPTIMIZERS and OUTSIDE.is_outside(self.optimizer)

    def refuse_unread(self, read: Collection[str]) -> None:
        """What the optimiser does not read must not give equal trainings different ids.

        Raises:
            UserError: a field that only others read is not at its default.
        """
        default = {field.name: field.default for field in fields(self)}
        for name in SOME_READ:
            value = getattr(self, name)
            if name not in read and value != default[name]:
                raise UserError(
                    f"recipe: {name} = {value!r} is not read by optimizer {self.optimizer!r};"
                    f" leave it at {default[name]!r}"
                )

    def evaluates(self, epoch: int) -> bool:
        """Whether accuracies are taken after this epoch, counted from 1."""
        return epoch % self.eval_every == 0 or epoch == self.epochs

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, one per field; those of LATE only where they differ from default."""
        return {n: list(v) if isinstance(v, tuple) else v for n, v in self._plain.items()}

    @cached_property
    def canonical(self) -> str:
        """Canonical JSON of :meth:`to_dict`."""
        return canonical_json(self.to_dict())

    @cached_property
    def _plain(self) -> dict[str, Any]:
        # Thousands of runs share a recipe and write it into their run id.
        values = {field.name: (getattr(self, field.name), field.default) for field in fields(self)}
        return {k: v for k, (v, default) in values.items() if k not in LATE or v != default}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "recipe") -> Recipe:
        """Read a recipe; types are checked, integers are accepted for floats.

        Raises:
            UserError: an unknown field (the nearest right one is named), a missing ``epochs``, a
                value of the wrong type or out of range.
        """
        known = {f.name: str(f.type) for f in fields(cls)}
        for name in values:
            if name not in known:
                raise unknown("key", name, known, where)
        if "epochs" not in values:
            raise UserError(f"{where}: epochs is missing")
        return cls(**{n: _coerce(n, known[n], v, where) for n, v in values.items()})

    def override(self, values: Mapping[str, Any], where: str) -> Recipe:
        """This recipe with some fields replaced, checked like :meth:`from_dict`.

        With another optimiser, what that one does not read goes back to its default.
        """
        wanted = str(values.get("optimizer", self.optimizer))
        reads = SOME_READ if wanted == self.optimizer else ()  # the same one reads what it read
        if wanted in OPTIMIZERS:
            reads = OPTIMIZERS[wanted].reads
        left = {n: v for n, v in self.to_dict().items() if n in reads or n not in SOME_READ}
        return replace(self.from_dict({**left, **values}, where))


def _coerce(name: str, kind: str, value: Any, where: str) -> Any:
    """``value`` as the field's type, or a UserError."""
    if kind == "float" and _is_finite(value):
        return float(value)
    if kind == "int" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind == "bool" and isinstance(value, bool):
        return value
    if kind == "str" and isinstance(value, str):
        return value
    listed: list[Any] = list(value) if isinstance(value, list | tuple) else [None]
    if kind.startswith("tuple[int") and all(type(v) is int for v in listed):
        return tuple(listed)
    if kind.startswith("tuple[float") and all(map(_is_finite, listed)):
        return tuple(float(v) for v in listed)
    want = {
        "tuple[int, ...]": "list of whole numbers",
        "tuple[float, float]": "list of numbers",
        "float": "finite number",
        "int": "whole number",
        "bool": "true or false",
        "str": "text",
    }
    raise UserError(f"{where}: {name} = {value!r:.100} should be a {want[kind]}")


def _is_finite(value: Any) -> bool:
    """Whether this is a number, and one that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max  # not so for NaN and infinity
