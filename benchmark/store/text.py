"""Parse the text of a record as strictly whichever library does it: no NaN, no endless nesting."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn

loads: Callable[[bytes], Any] | None
try:
    from orjson import loads
except ImportError:  # the same values, at a sixth of the speed
    loads = None


def parsed(content: bytes) -> dict[str, Any]:
    """The object that a text holds.

    Raises:
        ValueError: it is no JSON object in UTF-8, or holds a number that is not finite, or is
            nested too deeply.
    """
    values: Any = None
    if loads is not None:
        try:
            values = loads(content)
        except ValueError:
            values = None
    if values is None:
        # Also where the quick way refuses: it takes no half of a surrogate pair, which a message
        # with the name of a file may hold.
        try:
            values = json.loads(content.decode(), parse_constant=_refused, parse_float=_finite)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
    if type(values) is not dict:
        raise ValueError("not an object")
    return values


def _refused(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _finite(digits: str) -> float:
    value = float(digits)
    if value - value != 0:
        raise ValueError(f"{digits[:30]} is not finite")
    return value
