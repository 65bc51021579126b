"""The register of noise models: one entry per kind, filled by the files of models/."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nlbench.noise.errors import NoiseError, nearest

if TYPE_CHECKING:
    from nlbench.noise.task import Task

Scalar = str | int | float | None


@dataclass(frozen=True)
class Option:
    """One option of a noise model, as in ``symmetric:0.4:true=include``.

    ``default`` is omitted from printed specs. An option without a default is either named by the
    user or settled by ``settle(dataset, num_classes)``, and then always printed.
    ``choices`` None means free text (a file name, a number), which the model itself checks.
    """

    name: str
    help: str
    default: str | None = None
    choices: tuple[str, ...] | None = None
    settle: Callable[[str | None, int], str] | None = None


@dataclass(frozen=True)
class Draw:
    """What a model returns: labels, and for open-set noise which images were replaced by which."""

    noisy: NDArray[np.int64]
    replaced: NDArray[np.bool_] | None = None
    source: NDArray[np.int64] | None = None
    details: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class Model:
    """A registered noise model.

    ``argument`` is what follows the kind: ``"rate"``, ``""`` (nothing), or the name of the
    option that is written without its name, as ``set`` in ``human:worse``.
    ``limit`` is the first rate that is refused. ``needs`` is a key of ``FEATURES`` or empty.
    ``nested``: for one seed the flips at a lower rate are among those at a higher one.
    ``truth``: whether the clean labels are known (else what is called clean is the given label).
    ``syntax``: how it is written, where that does not follow from the other fields.
    """

    name: str
    draw: Callable[[Task], Draw]
    summary: str
    source: str
    used_by: str
    argument: str = "rate"
    limit: float = 1.0
    limit_reason: str = "a rate is a share of the samples"
    options: tuple[Option, ...] = ()
    needs: str = ""
    nested: bool = False
    truth: bool = True
    syntax: str = ""

    def option(self, name: str) -> Option:
        """Return the option called ``name``; NoiseError with the nearest name if there is none."""
        for option in self.options:
            if option.name == name:
                return option
        known = [option.name for option in self.options]
        raise NoiseError(f"{self.name}: unknown option '{name}'; {nearest(name, known)}")


FEATURES: Mapping[str, str] = {
    "pixels": "the training images, uint8 or float, (N, C, H, W) or (N, D)",
    "softmax": "softmax outputs (N, K) of a network trained on the clean labels",
}
"""What a model may need beside the labels."""

_MODELS: dict[str, Model] = {}


def register(model: Model) -> Model:
    """Add ``model`` under its name; NoiseError if the name is taken."""
    if model.name in _MODELS:
        raise NoiseError(f"noise model '{model.name}' is registered twice")
    _MODELS[model.name] = model
    return model


def names() -> list[str]:
    """Return the names of all registered noise models, sorted."""
    return sorted(_MODELS)


def get(name: str) -> Model:
    """Return the model called ``name``; NoiseError with the nearest name if there is none."""
    if name not in _MODELS:
        raise NoiseError(f"unknown noise model '{name}'; {nearest(name, _MODELS)}")
    return _MODELS[name]


def catalogue() -> list[dict[str, str]]:
    """Return one row of plain text per model, for listings: name, syntax, options, source."""
    return [_row(get(name)) for name in names()]


def _row(model: Model) -> dict[str, str]:
    slot = {"": "", "rate": ":RATE"}.get(model.argument, f":{model.argument.upper()}")
    options = [option for option in model.options if option.name != model.argument]
    rest = "".join(f"[:{option.name}=...]" for option in options)
    return {
        "name": model.name,
        "syntax": model.syntax or model.name + slot + rest,
        "options": "; ".join(_option_text(option) for option in model.options),
        "needs": FEATURES.get(model.needs, ""),
        "nested": "yes" if model.nested else "no",
        "summary": model.summary,
        "source": model.source,
        "used_by": model.used_by,
    }


def _option_text(option: Option) -> str:
    choices = f" ({' | '.join(option.choices)})" if option.choices else ""
    default = f", default {option.default}" if option.default is not None else ""
    return f"{option.name}{choices}: {option.help}{default}"
