"""Hyper-parameters: dataclass fields with type, range and help, checked at construction."""

from __future__ import annotations

import dataclasses
import functools
import math
import numbers
import re
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from nlbench.baselines.errors import MethodError

_NUMBER = r"\s*([-+]?(?:inf|[\d.]+(?:e[-+]?\d+)?))\s*"
_INTERVAL = re.compile(rf"([\[(]){_NUMBER},{_NUMBER}([\])])")


@dataclasses.dataclass(frozen=True)
class Interval:
    """A range of finite numbers such as (0, 1] or [0, inf)."""

    text: str
    low: float
    high: float
    low_closed: bool
    high_closed: bool

    @classmethod
    def parse(cls, text: str) -> Interval:
        """Read "(0, 1]", where a round bracket leaves the end out; MethodError for no range."""
        match = _INTERVAL.fullmatch(text)
        if match is None:
            raise MethodError(f"range {text!r} is not of the form '(0, 1]'")
        left, low, high, right = match.groups()
        return cls(text, float(low), float(high), left == "[", right == "]")

    def __contains__(self, value: float) -> bool:
        above = value > self.low or (self.low_closed and value == self.low)
        below = value < self.high or (self.high_closed and value == self.high)
        return math.isfinite(value) and above and below


@dataclasses.dataclass(frozen=True)
class HyperParameter:
    """One hyper-parameter as a listing shows it; range is "" where the type alone decides.

    `search` has the values that are tried where the method is tuned; empty: it keeps its value.
    """

    name: str
    type: str
    default: object
    range: str
    help: str
    search: tuple[float | int, ...] = ()


def hyper(default: Any, help: str, within: str = "", search: Sequence[float | int] = ()) -> Any:
    """Declare a hyper-parameter as a dataclass field.

    Args:
        default: its value where it is not set.
        help: one sentence with what it does.
        within: its range, "(0, 1]" or "[0, inf)"; empty for booleans and strings.
        search: values to try where the method is tuned (profile `tuned`), in its range.

    Returns:
        A `dataclasses.field`; typed Any as that is, so that the annotation beside it counts.

    Raises:
        MethodError: a value to try that is outside the range.
    """
    interval = Interval.parse(within) if within else None
    for value in search:
        if interval is not None and value not in interval:
            raise MethodError(f"search value {value!r} is outside {interval.text} ({help})")
    facts = {"help": help, "within": interval, "search": tuple(search)}
    return dataclasses.field(default=default, metadata=facts)


def hyperparameters(cls: type) -> tuple[HyperParameter, ...]:
    """List the hyper-parameters of a method class in the order of their declaration."""
    shown = []
    for field in dataclasses.fields(cls):
        interval = field.metadata.get("within")
        default = None if field.default is dataclasses.MISSING else field.default
        text = interval.text if interval else ""
        kind = field.type if isinstance(field.type, str) else field.type.__name__
        about = field.metadata.get("help", "")
        search = field.metadata.get("search", ())
        shown.append(HyperParameter(field.name, kind, default, text, about, search))
    return tuple(shown)


def checked(owner: str, cls: type, values: dict[str, object]) -> dict[str, object]:
    """Return the values in their declared types (1 becomes 1.0 for a float).

    Args:
        owner: how the message calls the method.
        cls: the dataclass with the fields.
        values: one value for every field.

    Raises:
        MethodError: wrong type, not finite, or outside the declared range.
    """
    hints = _hints(cls)
    result = {}
    for field in dataclasses.fields(cls):
        value = _typed(f"method {owner!r}: {field.name}", hints[field.name], values[field.name])
        interval = field.metadata.get("within")
        if interval is not None and value is not None and value not in interval:
            raise MethodError(
                f"method {owner!r}: {field.name} = {value!r} is outside {interval.text}"
            )
        result[field.name] = value
    return result


@functools.cache
def _hints(cls: type) -> Mapping[str, Any]:
    """The types of a class's fields; once, for a suite makes thousands of methods."""
    return typing.get_type_hints(cls)


def _typed(where: str, hint: Any, value: object) -> object:
    """Convert one value to its annotated type, None only where the annotation allows it."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if value is None and type(None) in options:
        return None
    for option in options:
        if option is float and _is_number(value, numbers.Real):
            return float(typing.cast(float, value))
        if option is int and _is_number(value, numbers.Integral):
            return int(typing.cast(int, value))
        if option in (bool, str) and isinstance(value, option):
            return value
    words = " or ".join(_WORDS.get(option, str(option)) for option in options)
    raise MethodError(f"{where} = {value!r} is not {words}")


def _is_number(value: object, kind: type) -> bool:
    """True for Python and NumPy numbers of that kind; True and False are not numbers here."""
    return isinstance(value, kind) and not isinstance(value, bool)


_WORDS = {
    float: "a number",
    int: "a whole number",
    bool: "true or false",
    str: "a string",
    type(None): "none",
}
