"""Plain JSON values: what kind one is, and how a message shows one that a stranger wrote."""

from __future__ import annotations

import binascii
import math
import zlib
from typing import Any

# What arithmetic on a value of another shape than expected raises.
MISSHAPEN = (
    TypeError, KeyError, IndexError, AttributeError, ValueError, OverflowError, binascii.Error,
    zlib.error, RecursionError,
)  # fmt: skip
_SCALARS = {str, bool, type(None)}
LONGEST = 60


def shown(value: object) -> str:
    """A value or an error for a message of one line: cut, without control characters."""
    named = isinstance(value, BaseException)
    text = f"{type(value).__name__}: {value}"[:1000] if named else repr(value)[:1000]
    plain = printable(text)
    return plain if len(plain) <= LONGEST else f"{plain[:LONGEST]}..."


def printable(text: str) -> str:
    """A text for one line of a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


def is_number(value: object) -> bool:
    """Whether it is a finite number, and not a boolean."""
    return type(value) is int or (type(value) is float and math.isfinite(value))


def is_count(value: Any, least: int) -> bool:
    """Whether it is a whole number of so many at least, and of at most 53 bits."""
    return type(value) is int and least <= value < 2**53


def is_share(value: Any) -> bool:
    """Whether it is a number in [0, 1]."""
    return is_number(value) and 0 <= value <= 1


def is_plain(value: Any, depth: int) -> bool:
    """Whether it is finite, and nested in no more lists and objects than ``depth``."""
    kind = type(value)
    if kind is dict or kind is list:
        inner = value.values() if kind is dict else value
        return depth > 0 and all(is_plain(one, depth - 1) for one in inner)
    return kind in _SCALARS or is_number(value)
