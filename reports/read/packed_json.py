"""What records hold beside accuracies and curves: their numbers in a row, their shape once.

A study's records differ in their numbers only, and there are many: a hundred for each curve. So
the numbers of a record are taken out, and what is left, its shape, is one text for thousands of
records, which is parsed once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlbench.benchmark.spec.canonical_json import canonical_json

Floats = NDArray[np.float64]
Micro = NDArray[np.int32]
MILLION = 1e6
_NUMBERS = {int, float}  # not bool


@dataclass(frozen=True, slots=True)
class PackedJson:
    """``RunRecord.evaluations`` of one record.

    Attributes:
        shape: canonical JSON of it in which 0 replaces every integer, 0.0 every other number,
            and a list of n numbers is the list of n alone (n.0 if they are not all integers).
        numbers: those outside lists, in the order of the shape. An integer of more than 53 bits
            would be rounded; counts of images have fewer.
        points: those of lists, in the order of the shape: float64, or int32 in millionths where
            that loses nothing, as with all that engines write.
    """

    shape: str
    numbers: Floats
    points: Floats | Micro

    def span(self, start: int, size: int) -> Floats:
        """Numbers of a list."""
        part = self.points[start : start + size]
        return part / MILLION if part.dtype == np.int32 else np.asarray(part, dtype=np.float64)


def pack(extra: Mapping[str, Any]) -> PackedJson | None:
    """Shape and numbers; ``None`` where there is nothing."""
    if not extra:
        return None
    numbers: list[float] = []
    points: list[float] = []
    shape = _emptied(extra, numbers, points)
    return PackedJson(
        canonical_json(shape),
        np.array(numbers, dtype=np.float64),
        _small(np.array(points, dtype=np.float64)),
    )


def _small(points: Floats) -> Floats | Micro:
    micro = np.rint(points * MILLION)
    exact = np.array_equal(micro / MILLION, points) and np.abs(micro).max(initial=0) < 2**31
    # -0.0 would come back as 0.0, which is another text.
    lost = exact and bool((np.signbit(points) & (points == 0)).any())
    return micro.astype(np.int32) if exact and not lost else points


def _emptied(value: Any, numbers: list[float], points: list[float]) -> Any:
    kind = type(value)
    if kind is float or kind is int:
        numbers.append(value)
        return kind(0)
    if kind is list or kind is tuple:
        kinds = set(map(type, value))
        if kinds and kinds <= _NUMBERS:
            points.extend(value)
            return [len(value) if kinds == {int} else float(len(value))]
        return [_emptied(inner, numbers, points) for inner in value]
    if isinstance(value, Mapping):
        return {key: _emptied(value[key], numbers, points) for key in sorted(value)}
    return value


Path = tuple[str, ...]
# Where the first number and the first point are.
Place = tuple[int, int]
Nodes = Mapping[Path, tuple[Any, Place]]


class Shapes:
    """Looks up what lies where in packed records; each shape is parsed once."""

    def __init__(self) -> None:
        self._known: dict[str, Nodes] = {}

    def nodes(self, packed: PackedJson) -> Nodes:
        """Path of keys -> the shape there and the place of its first number and point."""
        found = self._known.get(packed.shape)
        if found is None:
            found = self._known[packed.shape] = dict(_walk((), json.loads(packed.shape), (0, 0)))
        return found


def unpack(packed: PackedJson, nodes: Nodes, path: Path = ()) -> Any:
    """What lies at a path, as it was but for lists of numbers, which are arrays.

    Raises:
        KeyError: nothing does.
    """
    shape, place = nodes[path]
    return _filled(shape, packed, place)[0]


def _walk(path: Path, shape: Any, at: Place) -> Iterator[tuple[Path, tuple[Any, Place]]]:
    yield path, (shape, at)
    if isinstance(shape, dict):
        for key, inner in shape.items():
            yield from _walk((*path, key), inner, at)
            at = _after(inner, at)


def _after(shape: Any, at: Place) -> Place:
    """The place behind a shape that starts at ``at``."""
    size = length(shape)
    if size is not None:
        return at[0], at[1] + size
    if isinstance(shape, dict | list):
        for inner in shape.values() if isinstance(shape, dict) else shape:
            at = _after(inner, at)
        return at
    return at[0] + is_number(shape), at[1]


def is_number(shape: Any) -> bool:
    """Whether a shape is that of one number."""
    return type(shape) in _NUMBERS


def length(shape: Any) -> int | None:
    """How many numbers a shape holds if it is a list of numbers, else ``None``."""
    listed = type(shape) is list and len(shape) == 1 and is_number(shape[0])
    return int(shape[0]) if listed else None


def _filled(shape: Any, packed: PackedJson, at: Place) -> tuple[Any, Place]:
    """The value with its numbers from ``at`` on, and the place after them."""
    if is_number(shape):
        return type(shape)(packed.numbers[at[0]]), (at[0] + 1, at[1])
    size = length(shape)
    if size is not None:
        found = packed.span(at[1], size)
        return found.astype(np.int64) if type(shape[0]) is int else found, (at[0], at[1] + size)
    if isinstance(shape, dict):
        filled: dict[str, Any] = {}
        for key, inner in shape.items():
            filled[key], at = _filled(inner, packed, at)
        return filled, at
    if isinstance(shape, list):
        values = []
        for inner in shape:
            value, at = _filled(inner, packed, at)
            values.append(value)
        return values, at
    return shape, at
