"""The schema grows by fields: old records keep their bytes, newer ones are refused by name."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.runs import plan
from nlbench.benchmark.spec.canonical_json import canonical_json, sha256_of
from nlbench.benchmark.store import archive
from nlbench.benchmark.store.merge import merge
from nlbench.benchmark.store.record import DamagedRecord, RunRecord
from nlbench.benchmark.store.schema import newest, written
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.suites.suite import Suite
from tests.helpers.records import sound
from tests.helpers.runs import tiny

NEWEST = newest(RunRecord)


@dataclass(frozen=True, kw_only=True)
class Grown(RunRecord):
    """The record of a later version: one more field, nothing else."""

    energy: float = field(default=0.0, metadata=written("joules", since=NEWEST + 1))


def values(seed: int = 0) -> dict[str, Any]:
    return {"spec": tiny(seed=seed), "status": "ok", "data_label": "Digits", "test_size": 7}


def text(body: dict[str, Any]) -> str:
    body = {key: value for key, value in body.items() if key != "digest"}
    return canonical_json({**body, "digest": sha256_of(body)}) + "\n"


def newer(seed: int = 0) -> RunRecord:
    return Grown(**values(seed), energy=2.5)


def test_a_new_field_changes_no_byte_where_it_is_empty_and_comes_back_where_it_is_not() -> None:
    old = RunRecord(**values())
    assert Grown(**values()).to_json() == old.to_json()
    assert Grown.from_json(old.to_json()) == Grown(**values())
    assert '"joules":2.5' in newer().to_json()
    assert Grown.from_json(newer().to_json()) == newer()
    assert newer().to_dict()["schema"] == NEWEST + 1


def test_the_first_schema_is_written_as_it_always_was() -> None:
    """Written out here once, so that no change of the code can change it unseen."""
    record = RunRecord(**values(), curves={"train_loss": (1.0, None)})
    body = record.to_dict()
    assert body.pop("digest") == sha256_of(body)
    assert body.pop("spec") == record.spec.to_dict()
    assert body == {
        "schema": 1,
        "run_id": record.run_id,
        "status": "ok",
        "data_label": "Digits",
        "error": None,
        "metrics": {},
        "curves": {"train_loss": [1.0, None]},
        "noise": {},
        "pairing": {},
        "test_correct": "",
        "test_size": 7,
        "environment": {},
        "timing": {},
    }
    assert record.science().keys() == body.keys() - {"environment", "timing"} | {"spec"}
    full = replace(record, evaluations={"a": 1}, method_source="version 2").to_dict()
    assert (full["schema"], full["extra"], full["method_source"]) == (1, {"a": 1}, "version 2")


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (
            {"schema": 99},
            UserError,
            f"schema 99 is newer than {NEWEST}, the newest",
        ),
        ({"schema": "1"}, DamagedRecord, f"schema '1' should be a number from 1 to {NEWEST}"),
        ({"schema": True}, DamagedRecord, "schema True should be"),
        ({"joules": 2.5}, DamagedRecord, "schema 1 has no field 'joules'"),
        ({"status": None}, DamagedRecord, "'status' is missing"),
        ({"curves": None}, DamagedRecord, "'curves' is missing"),
    ],
)
def test_what_is_not_of_a_known_schema_is_refused_by_name(
    change: dict[str, Any], error: type[Exception], words: str
) -> None:
    changed = {**RunRecord(**values()).to_dict(), **change}
    body = {key: value for key, value in changed.items() if change.get(key, "") is not None}
    with pytest.raises(error, match=words):
        RunRecord.from_json(text(body))


def test_an_older_version_leaves_a_newer_record_alone_and_goes_on(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "runs", create=True)
    path = store.write(newer(0))
    kept = path.read_bytes()
    store.write(sound(tiny(seed=1)))
    specs = tuple(tiny(seed=seed) for seed in range(3))
    result = plan.make(Suite("s", "s", "", "ce", specs), store)
    assert list(result.done) == [specs[1].run_id]
    assert result.todo == (specs[2],)
    (line,) = result.foreign.values()
    assert str(path) in line
    assert f"schema {NEWEST + 1} is newer than {NEWEST}" in line
    merged = merge(store, [sound(tiny(seed=0)), sound(tiny(seed=2))])
    assert merged.added == [specs[2].run_id]
    assert len(merged.refused) == 1
    assert path.read_bytes() == kept
    found = list(archive.stored(store))
    assert sum(isinstance(item, str) for item in found) == 1
    assert len(found) == 3
    assert json.loads(kept)["joules"] == 2.5
