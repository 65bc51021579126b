"""Axes: against what the settings of a method are laid out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Axis:
    """One direction of a grid.

    Attributes:
        label: for tables and figures.
        of: from a setting's hyper-parameters to its place.
    """

    label: str
    of: Callable[[Mapping[str, Any]], Any]

    def level(self, params: Mapping[str, Any]) -> float:
        """Place of a setting, six significant digits: 3 x 0.333333 is 1."""
        return float(f"{float(self.of(params)):.6g}")


def own(key: str) -> Axis:
    """A hyper-parameter as it is."""
    return Axis(key, lambda params: params.get(key))


# Every released configuration has beta = 1/alpha: beta is laid out in units of that choice.
DRAINAGE = (own("alpha"), Axis("beta / (1/alpha)", lambda p: p["alpha"] * p["beta"]))
KNOWN: Mapping[str, tuple[frozenset[str], tuple[Axis, ...]]] = {
    "drainage": (frozenset({"alpha", "beta"}), DRAINAGE),
    "drainage-constant": (
        frozenset({"alpha", "beta", "constant"}),
        (*DRAINAGE, own("constant")),
    ),
}


def axes_of(method: str, settings: Sequence[Mapping[str, Any]]) -> tuple[Axis, ...]:
    """The directions in which numeric settings of a method differ, those of KNOWN first.

    Args:
        method: name.
        settings: hyper-parameters of each setting.
    """
    covered, known = KNOWN.get(method, (frozenset[str](), ()))
    keys = dict.fromkeys(key for params in settings for key in params if key not in covered)
    others = (own(key) for key in sorted(keys) if all(_numeric(p.get(key)) for p in settings))
    axes = [axis for axis in known if all(covered <= params.keys() for params in settings)]
    return tuple(
        axis for axis in (*axes, *others) if len({axis.level(params) for params in settings}) > 1
    )


def rest_of(method: str, settings: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Keys of the settings that differ and are no numbers: each of their values is a grid apart."""
    covered, _ = KNOWN.get(method, (frozenset[str](), ()))
    keys = dict.fromkeys(key for params in settings for key in params if key not in covered)
    return tuple(
        key
        for key in sorted(keys)
        if not all(_numeric(p.get(key)) for p in settings)
        and len({repr(p.get(key)) for p in settings}) > 1
    )


def _numeric(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
