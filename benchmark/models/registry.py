"""Which networks exist, and how one is built by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.models import outside
from nlbench.benchmark.models.outside import OUTSIDE, Body, Shape


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """One line of ``nlbench list models``.

    Attributes:
        name: what suites call it.
        description: one line.
        min_size: least height and width of an image.
        scheme: how first weights are drawn, see :func:`nlbench.benchmark.models.initialise`.
        weights: torchvision's name of published weights for the body; empty: none.
        outside: whether its code is not ours.
    """

    name: str
    description: str
    min_size: int = 1
    scheme: str = "protocol"
    weights: str = ""
    outside: bool = False


class Classifier(nn.Module):
    """A body that turns images into features, and a linear head that turns these into logits."""

    def __init__(
        self, body: nn.Module, width: int, num_outputs: int, scheme: str = "protocol"
    ) -> None:
        super().__init__()
        self.scheme = scheme
        self.body = body
        self.head = nn.Linear(width, num_outputs)

    def features(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, width), the input of the head."""
        return cast(Tensor, self.body(images))

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, num_outputs) logits."""
        return cast(Tensor, self.head(self.features(images)))


_REGISTRY: dict[str, tuple[ModelInfo, Body]] = {}
# From so many pixels on. The small one trains in seconds on a CPU; on large images the 7x7 stem of
# ResNet-50 keeps time and memory in bounds.
DEFAULTS = {96: "resnet50", 8: "cnn_small", 0: "mlp"}


def register(entry: ModelInfo) -> Callable[[Body], Body]:
    """Register a function in_shape -> (body, width of its features) under ``entry.name``."""

    def decorate(body: Body) -> Body:
        if entry.name in _REGISTRY:
            raise RuntimeError(f"model {entry.name!r} is registered twice")
        _REGISTRY[entry.name] = (entry, body)
        return body

    return decorate


def names() -> tuple[str, ...]:
    """Names of all models: ours and those of entry points."""
    return (*_REGISTRY, *(name for name in OUTSIDE.names() if name not in _REGISTRY))


def info() -> tuple[ModelInfo, ...]:
    """What each model is, in one line."""
    return tuple(entry for entry, _ in _REGISTRY.values())


def get(name: str) -> ModelInfo:
    """What a model is.

    Raises:
        UserError: unknown name, or one from outside that cannot be had.
    """
    return _entry(name)[0]


def check_name(name: str, where: str = "") -> None:
    """Raise UserError unless a model of this name exists."""
    if name not in names() and not OUTSIDE.is_outside(name):
        raise unknown("model", name, names(), where)
    _entry(name)


def _entry(name: str) -> tuple[ModelInfo, Body]:
    """What a model is, and the function that makes its body."""
    if name in _REGISTRY:
        return _REGISTRY[name]
    if not OUTSIDE.is_outside(name):
        raise unknown("model", name, names())
    return ModelInfo(name=name, description="from outside", outside=True), outside.maker(name)


def fitting(side: int) -> str:
    """The network of a study that names none, by the height or width of its images."""
    return next(name for least, name in DEFAULTS.items() if side >= least)


def build(name: str, in_shape: Shape, num_outputs: int) -> Classifier:
    """Build a network on the CPU in float32, to be filled in by ``models.initialise``.

    One of ours has all parameters zero: it is laid out without drawing anything. One from outside
    has what its code gives it. Neither changes torch's global generator.

    Args:
        name: a registered name, ``module:function`` or ``timm:NAME``.
        in_shape: (C, H, W) of one image.
        num_outputs: width of the head, which the method decides.

    Raises:
        UserError: unknown name, images too small for the network, or one from outside that is none.
    """
    entry, body = _entry(name)
    if num_outputs < 1:
        raise UserError(f"model {name!r}: {num_outputs} outputs; at least one is needed")
    if min(in_shape[1:]) < entry.min_size:
        raise UserError(
            f"model {name!r} needs images of at least {entry.min_size}x{entry.min_size} pixels, "
            f"not {in_shape[1]}x{in_shape[2]}"
        )
    if entry.outside:
        with outside.fixed_draws():
            return Classifier(*outside.body(name, body, in_shape), num_outputs)
    with torch.device("meta"):
        trunk, width = body(in_shape)
        model = Classifier(trunk, width, num_outputs, entry.scheme)
    model.to_empty(device="cpu")
    with torch.no_grad():
        for tensor in model.state_dict().values():
            tensor.zero_()
    return model
