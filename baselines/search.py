"""What is tried where a method is tuned: as many settings for every method, the same everywhere.

The settings are drawn from the product of the values that the method declares (`hyper(search=...)`,
`Method.search_lr`) by hashes, so that no library's random numbers decide which runs a study has.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nlbench.baselines.errors import MethodError
from nlbench.baselines.method import Scalar
from nlbench.baselines.registry import create, get


@dataclass(frozen=True)
class Candidate:
    """One setting to try.

    Attributes:
        params: every hyper-parameter that is not at its default by itself.
        lr: factor of the recipe's learning rate.
    """

    params: Mapping[str, Scalar]
    lr: float


def candidates(name: str, params: Mapping[str, Scalar], budget: int) -> tuple[Candidate, ...]:
    """Return so many different settings; the first is the given one at the recipe's own rate.

    Args:
        name: of the method.
        params: hyper-parameters as they are without tuning; those given here that the method
            declares values for are tried at these as well.
        budget: how many settings, >= 1.

    Raises:
        MethodError: the method's values do not make that many different settings.
    """
    first = Candidate(dict(params), 1.0)
    ordered = sorted(_others(name, params), key=lambda found: _hash(name, found))
    different = {_identity(name, first): first}
    for candidate in ordered:
        different.setdefault(_identity(name, candidate), candidate)
    if not 1 <= budget <= len(different):
        raise MethodError(
            f"method {name!r}: a budget of {budget} must be from 1 to {len(different)}, the number"
            " of different settings that its search values make"
        )
    return tuple(different.values())[:budget]


def _others(name: str, params: Mapping[str, Scalar]) -> Iterator[Candidate]:
    """Every combination of the declared values."""
    cls = get(name)
    searched = {p.name: p.search for p in cls.hyperparameters() if p.search}
    for lr, *values in itertools.product(cls.search_lr, *searched.values()):
        yield Candidate({**params, **dict(zip(searched, values, strict=True))}, lr)


def _identity(name: str, candidate: Candidate) -> str:
    """Equal for settings that train alike."""
    return f"{sorted(create(name, candidate.params).params().items())} {candidate.lr!r}"


def _hash(name: str, candidate: Candidate) -> bytes:
    return hashlib.sha256(f"{name} {_identity(name, candidate)}".encode()).digest()
