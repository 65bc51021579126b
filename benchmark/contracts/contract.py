"""Contract: checks of a part, each a function that returns what is wrong, or an empty text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nlbench.outside import one_line

Check = Callable[[Any], str]


@dataclass(frozen=True)
class Found:
    """One check, in words, and what it found wrong; empty: it holds."""

    check: str
    problem: str


def carried_out(checks: Sequence[Check], part: object) -> Iterator[Found]:
    """Carry checks out one by one; whatever a part raises is its fault, and one line."""
    for check in checks:
        words = (check.__doc__ or check.__name__).splitlines()[0].rstrip(".")
        try:
            problem = check(part)
        except Exception as error:  # noqa: BLE001  # code of somebody else may raise anything
            problem = one_line(error)
        yield Found(words, problem)
