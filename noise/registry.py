"""The register of noise models: one entry per kind, filled by the files of models/."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from nlbench.noise.errors import NoiseError, nearest
from nlbench.noise.task import Task, checked_labels
from nlbench.outside import Kind, importable, one_line

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

OUTSIDE = Kind("noise model", "nlbench.noise", NoiseError)
_MODELS: dict[str, Model] = {}


def register(model: Model) -> Model:
    """Add ``model`` under its name; NoiseError if the name is taken."""
    if model.name in _MODELS:
        raise NoiseError(f"noise model '{model.name}' is registered twice")
    _MODELS[model.name] = model
    return model


def names() -> list[str]:
    """Return the names of all noise models, sorted: this package's and those of entry points."""
    return sorted({*_MODELS, *OUTSIDE.names()})


def is_ours(name: str) -> bool:
    """Whether a kind is one of this package's."""
    return name in _MODELS


def get(name: str) -> Model:
    """Return the model called ``name``, or the one at ``module:name``.

    NoiseError, with the nearest right name, if there is none or it is no usable model.
    """
    if name in _MODELS:
        return _MODELS[name]
    if not OUTSIDE.is_outside(name):
        raise NoiseError(f"unknown noise model '{name}'; {nearest(name, names())}")
    found = OUTSIDE.load(name)
    if not isinstance(found, Model):
        raise OUTSIDE.refusal(name, found, "a noise.Model(name=..., draw=..., ...)")
    return replace(found, name=name, draw=partial(_drawn, found.draw))


def split_kind(text: str) -> tuple[str, list[str]]:
    """Return the kind that a line begins with, and its further words.

    ``module:name`` is a kind where ``module`` is none: ``symmetric:0.4``, ``mine:BLOCKS:0.4``.
    """
    kind, *rest = text.split(":")
    known = kind in _MODELS or OUTSIDE.is_outside(kind)
    if known or not rest or not rest[0].isidentifier():
        return kind, rest
    if not importable(kind):
        raise NoiseError(
            f"unknown noise model '{kind}'; {nearest(kind, names())}; there is no module of this"
            " name either"
        )
    return f"{kind}:{rest[0]}", rest[1:]


def _drawn(draw: Callable[[Task], Draw], task: Task) -> Draw:
    """Draw with a model from outside; whatever it does wrong becomes one line."""
    name = f"noise model '{task.kind}'"
    try:
        made = draw(task)
    except NoiseError:
        raise
    except Exception as error:
        raise NoiseError(f"{name} raised {one_line(error)}") from error
    if not isinstance(made, Draw):
        raise NoiseError(f"{name} returned {type(made).__name__}; it should return noise.Draw(...)")
    noisy = checked_labels(made.noisy, task.num_classes, f"{name}: noisy labels")
    if len(noisy) != len(task.labels):
        raise NoiseError(f"{name} returned {len(noisy)} labels for {len(task.labels)} samples")
    return made


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
