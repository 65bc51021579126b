"""Parts of records beside accuracies: taken apart, kept as columns, read by path, unchanged."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlbench.benchmark.spec.canonical_json import canonical_json
from nlbench.reports.read.columns import Entry, decode, decoded, encode, encoded
from nlbench.reports.read.evaluations import Evaluations
from nlbench.reports.read.extract import KeptRecord
from nlbench.reports.read.fields import COLUMNS
from nlbench.reports.read.packed_json import Shapes, pack, unpack

Make = Callable[..., Any]
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.none() | st.booleans() | st.text(max_size=5) | NUMBERS
LISTS = st.lists(st.floats(0, 1)) | st.lists(st.integers(0, 9)) | st.lists(PLAIN, max_size=4)
TREES = st.recursive(
    PLAIN | LISTS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)
EXTRA = st.dictionaries(st.text(max_size=3), TREES, min_size=1, max_size=3)


def plain(value: Any) -> Any:
    """Arrays as the lists they were."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return value


@given(EXTRA)
def test_what_was_packed_comes_back_by_any_path(extra: dict[str, Any]) -> None:
    packed = pack(extra)
    assert packed is not None
    nodes = Shapes().nodes(packed)
    assert plain(unpack(packed, nodes)) == extra
    for key, value in extra.items():
        found = plain(unpack(packed, nodes, (key,)))
        assert found == value
        assert type(found) is type(value)
        for inner in value if isinstance(value, dict) else ():
            assert plain(unpack(packed, nodes, (key, inner))) == value[inner]


@given(st.lists(st.integers(-3_000_000_000, 3_000_000_000), min_size=1), st.integers(0, 8))
def test_lists_are_kept_small_only_where_nothing_is_lost(values: list[int], digits: int) -> None:
    points = [round(value / 10**digits, digits) for value in values]
    packed = pack({"list": points})
    assert packed is not None
    nodes = Shapes().nodes(packed)
    assert [repr(p) for p in unpack(packed, nodes, ("list",)).tolist()] == [repr(p) for p in points]
    largest = max(map(abs, points))
    if digits <= 6 and largest < 2000 and "-0.0" not in map(repr, points):
        assert packed.points.dtype == np.int32


def test_nothing_is_packed_as_nothing() -> None:
    assert pack({}) is None


@given(EXTRA, st.data())
def test_records_that_differ_in_numbers_only_have_one_shape(
    extra: dict[str, Any], data: st.DataObject
) -> None:
    def other(value: Any) -> Any:
        if type(value) in (int, float):
            return type(value)(data.draw(st.integers(0, 9)))
        if isinstance(value, list):
            return [other(inner) for inner in value]
        if isinstance(value, dict):
            return {key: other(inner) for key, inner in value.items()}
        return value

    one, two = pack(extra), pack(other(extra))
    assert one is not None
    assert two is not None
    assert one.shape == two.shape
    assert (len(one.numbers), len(one.points)) == (len(two.numbers), len(two.points))


@given(st.lists(st.tuples(PLAIN, PLAIN), max_size=8))
def test_columns_come_back_as_they_were(rows: list[tuple[Any, Any]]) -> None:
    columns = list(zip(*rows, strict=True)) if rows else []
    found = decoded(*encoded(columns))
    assert [[(type(v), v) for v in row] for row in found] == [
        [(type(v), v) for v in row] for row in rows
    ]


@given(st.lists(st.tuples(st.none() | EXTRA, st.integers(0, 3), PLAIN), max_size=4))
def test_entries_come_back_from_arrays(made: list[tuple[Any, int, Any]]) -> None:
    entries = {}
    for at, (extra, epochs, value) in enumerate(made):
        row = (value,) * len(COLUMNS)
        curves = np.arange(11 * epochs, dtype=np.float32).reshape(11, epochs) if epochs else None
        bits = np.arange(at, dtype=np.uint8) if at else None
        taken = KeptRecord(row, curves, bits, f"second {at}", pack(extra or {}))
        entries[f"{at:016x}"] = Entry(at, at + 1, at + 2, "digest", taken)
    found = dict(decode(encode(entries)))
    assert list(found) == list(entries)
    for run_id, entry in entries.items():
        mine, other = entry.taken, found[run_id].taken
        assert found[run_id].digest == entry.digest
        assert (other.row, other.started) == (mine.row, mine.started)
        for a, b in ((other.curves, mine.curves), (other.correct, mine.correct)):
            assert (a is None) == (b is None)
            assert a is None or b is None or a.tolist() == b.tolist()
        assert (other.evaluations is None) == (mine.evaluations is None)
        if other.evaluations is not None and mine.evaluations is not None:
            assert other.evaluations.shape == mine.evaluations.shape
            np.testing.assert_array_equal(other.evaluations.numbers, mine.evaluations.numbers)
            np.testing.assert_array_equal(other.evaluations.points, mine.evaluations.points)


@pytest.fixture(name="parts")
def _parts() -> tuple[Any, Evaluations]:
    extra: dict[str, dict[str, Any]] = {
        "a": {"part": {"score": {"auroc": 0.5, "roc": [0.0, 0.25]}, "name": "x"}},
        "b": {"part": {"score": {"auroc": 1, "roc": [0.5, 0.75]}, "other": {}}},
        "c": {"part": {"score": None}},
        "d": {"else": 1},
    }
    packed = {run_id: p for run_id, e in extra.items() if (p := pack(e)) is not None}
    assert canonical_json(extra["a"]) != packed["a"].shape
    cell = SimpleNamespace(run_ids=("a", "b", "c", "d", "missing"))
    block = SimpleNamespace(declared=lambda: iter([cell]))
    return cell, Evaluations(block, packed, "part")  # type: ignore[arg-type]


def test_parts_are_read_run_by_run(parts: tuple[Any, Evaluations]) -> None:
    cell, found = parts
    assert (len(found), list(found), found.runs(cell)) == (3, ["a", "b", "c"], ["a", "b", "c"])
    np.testing.assert_array_equal(
        found.column(cell, "score", "auroc"), [0.5, 1.0, np.nan, np.nan, np.nan]
    )
    np.testing.assert_array_equal(found.column(cell, "nowhere"), [np.nan] * 5)
    np.testing.assert_array_equal(found.curves(cell, "score", "roc"), [[0, 0.25], [0.5, 0.75]])
    assert found.curves(cell, "score", "auroc").shape == (0, 0)
    assert found.names(cell) == {"score", "name", "other"}
    assert found.names(cell, "score") == {"auroc", "roc"}
    assert (found.value("a", "name"), found.value("b", "name")) == ("x", None)
    assert found.value("c") == {"score": None}
