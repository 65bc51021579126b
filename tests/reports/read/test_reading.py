"""Reading a store: only what changed, never a cache over a record, and what is unreadable named."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nlbench import reports
from nlbench.benchmark.spec.canonical_json import canonical_json, sha256_of
from nlbench.benchmark.store import text as text_of_records
from nlbench.benchmark.store.record import RunRecord, pack_bits, proven_digest
from nlbench.benchmark.store.store import Store
from nlbench.reports.read import cache
from nlbench.reports.read import reader as reading
from nlbench.reports.read.extract import gather
from nlbench.reports.read.frame import tidy
from tests.helpers.records import SIZE

Make = Callable[..., Any]
A = [90.0, 91.0, 90.5]
B = [88.1, 89.2, 88.3]
OLD = 1_600_000_000_000_000_000  # ns: long before any report


@pytest.fixture(name="made")
def _made(make_study: Make) -> Any:
    made = make_study({(m, line): v for line in ("clean", "symmetric:0.2")
                       for m, v in (("ce", B), ("gce", A))})  # fmt: skip
    made.change("ce", "clean", 0, test_correct=pack_bits(np.arange(SIZE) < 8810))
    error = {"epoch": 1, "message": "loss is not finite"}
    made.change("gce", "clean", 1, status="diverged", metrics={}, curves={}, error=error)
    return made


@pytest.fixture(name="store")
def _store(made: Any, tmp_path: Path) -> Store:
    store = Store.open(tmp_path / "runs", create=True)
    for record in made.records:
        age(store.write(record))
    return store


def age(path: Path, by: int = 0) -> None:
    """Give a file a time of change long past, as if it had been there for a while."""
    os.utime(path, ns=(OLD + by, OLD + by))


def same(read: reports.Read, records: list[RunRecord], study: reports.Study) -> None:
    """What was read is what the records themselves say."""
    mine, theirs = tidy(study, read.intake), tidy(study, gather(study, records))
    assert mine.runs.equals(theirs.runs)
    assert mine.curves.keys() == theirs.curves.keys()
    for run_id, curves in theirs.curves.items():
        np.testing.assert_array_equal(mine.curves[run_id], curves)
    assert mine.correct.keys() == theirs.correct.keys()
    for run_id, bits in theirs.correct.items():
        np.testing.assert_array_equal(mine.correct[run_id], bits)


def test_the_second_report_opens_no_record_and_says_the_same(made: Any, store: Store) -> None:
    first, second = reports.read_records(made.study, store), reports.read_records(made.study, store)
    assert (first.fresh, second.fresh) == (12, 0)
    same(first, made.records, made.study)
    same(second, made.records, made.study)
    assert first.note == second.note == ""


def test_the_report_is_byte_equal_with_and_without_what_was_kept(
    made: Any, store: Store, tmp_path: Path
) -> None:
    folders = []
    for at in range(2):
        folder = tmp_path / f"report-{at}"
        reports.build_report(made.study, reports.read_records(made.study, store).intake, folder)
        folders.append({p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()})
    assert folders[0] == folders[1]


def test_only_new_records_are_opened(made: Any, store: Store) -> None:
    late = made.records[-1]
    store.path(late.run_id).unlink()
    assert reports.read_records(made.study, store).fresh == 11
    age(store.write(late))
    read = reports.read_records(made.study, store)
    assert read.fresh == 1
    same(read, made.records, made.study)


def test_a_record_that_changed_is_read_again(made: Any, store: Store) -> None:
    reports.read_records(made.study, store)
    old = made.records[0]
    made.records[0] = replace(old, timing={**old.timing, "seconds": 2.5})
    age(store.write(made.records[0]), by=1)
    read = reports.read_records(made.study, store)
    assert read.fresh == 1
    same(read, made.records, made.study)


def test_a_copied_file_with_the_same_content_is_not_parsed_again(made: Any, store: Store) -> None:
    first = reports.read_records(made.study, store)
    run_id = made.records[0].run_id
    age(store.path(run_id), by=7)
    second = reports.read_records(made.study, store)
    assert second.fresh == 1
    same(second, made.records, made.study)
    assert second.intake.taken[run_id].row == first.intake.taken[run_id].row


def test_a_file_changed_just_before_it_was_read_is_read_again(made: Any, store: Store) -> None:
    """Same size, same time of change: what a file system with coarse times can show."""
    record = made.records[0]
    path = store.write(record)
    seen = path.stat()
    reports.read_records(made.study, store)
    text = path.read_bytes()
    other = replace(record, timing={**record.timing, "seconds": 2.5})
    path.write_bytes(other.to_json().encode())
    assert path.stat().st_size == len(text)
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    made.records[0] = other
    same(reports.read_records(made.study, store), made.records, made.study)


def test_a_record_that_is_gone_is_missing_whatever_was_kept(made: Any, store: Store) -> None:
    reports.read_records(made.study, store)
    store.path(made.records[0].run_id).unlink()
    read = reports.read_records(made.study, store)
    same(read, made.records[1:], made.study)
    assert made.records[0].run_id not in cache.load(store.root)


@pytest.mark.parametrize("how", ["cut", "flipped", "other", "gone"])
def test_a_cache_that_is_not_whole_counts_as_none(made: Any, store: Store, how: str) -> None:
    reports.read_records(made.study, store)
    file = store.root / cache.FILE
    content = bytearray(file.read_bytes())
    if how == "gone":
        file.unlink()
    elif how == "other":
        file.write_bytes(b"not an archive")
    elif how == "cut":
        file.write_bytes(content[: len(content) // 2])
    else:
        content[content.index(b"digest.npy") + 400] ^= 1
        file.write_bytes(content)
    read = reports.read_records(made.study, store)
    assert read.fresh == 12
    same(read, made.records, made.study)


def test_the_cache_can_be_left_aside(made: Any, store: Store) -> None:
    reports.read_records(made.study, store)
    assert reports.read_records(made.study, store, cached=False).fresh == 12


def test_a_study_keeps_what_was_read_for_another(made: Any, store: Store) -> None:
    half = replace(made.study, specs=made.study.specs[:6])
    assert reports.read_records(half, store).fresh == 6
    assert reports.read_records(made.study, store).fresh == 6
    assert reports.read_records(half, store).fresh == 0
    assert reports.read_records(made.study, store).fresh == 0


def test_a_store_that_cannot_be_written_is_reported_all_the_same(
    made: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any, **_words: Any) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("nlbench.reports.read.cache.whole.writing", refuse)
    read = reports.read_records(made.study, store)
    assert "Read-only file system" in read.note
    same(read, made.records, made.study)


def test_a_damaged_record_is_set_aside_and_the_rest_reported(made: Any, store: Store) -> None:
    path = store.path(made.records[0].run_id)
    path.write_bytes(path.read_bytes().replace(b"Digits", b"Cigits"))
    read = reports.read_records(made.study, store)
    assert len(read.damaged) == 1
    assert "does not agree with its digest; set aside as" in read.damaged[0]
    same(read, made.records[1:], made.study)


def other_schema(store: Store, record: RunRecord) -> None:
    body = {**record.to_dict(), "schema": 7}
    del body["digest"]
    text = canonical_json({**body, "digest": sha256_of(body)}) + "\n"
    store.path(record.run_id).write_text(text)


def test_a_record_of_another_schema_is_named_left_there_and_the_rest_reported(
    made: Any, store: Store
) -> None:
    other_schema(store, made.records[0])
    read = reports.read_records(made.study, store)
    line = f"run {made.records[0].run_id}, which counts as missing: record: schema 7 is newer"
    (warning,) = read.intake.warnings
    assert warning.startswith(line)
    assert warning in tidy(made.study, read.intake).warnings
    assert store.path(made.records[0].run_id).is_file()
    assert tidy(made.study, read.intake).runs["status"].tolist().count("missing") == 1


def test_nothing_readable_is_an_error_that_says_why(made: Any, store: Store) -> None:
    one = replace(made.study, specs=made.study.specs[:1])
    other_schema(store, made.records[0])
    with pytest.raises(reports.ReportError, match=r"schema 7 is newer .*, none of its 1 runs"):
        reports.read_records(one, store)
    store.path(made.records[0].run_id).unlink()
    with pytest.raises(reports.ReportError, match="'small': no records, none of its 1 runs"):
        reports.read_records(one, store)


def test_a_records_own_text_proves_its_digest(made: Any) -> None:
    record = made.records[0]
    text = record.to_json()
    assert proven_digest(text.encode()) == record.to_dict()["digest"]
    assert proven_digest(text.replace("Digits", "Cigits").encode()) is None
    spaced = json.dumps(json.loads(text), indent=1)
    assert proven_digest(spaced.encode()) is None
    assert RunRecord.from_json(spaced).to_json() == text


def test_an_expected_spec_never_stands_for_another(made: Any) -> None:
    record, other = made.records[0], made.study.specs[3]
    assert RunRecord.from_json(record.to_json(), other).spec == record.spec
    assert RunRecord.from_json(record.to_json(), record.spec).spec is record.spec


def several(store: Store, study: reports.Study, monkeypatch: pytest.MonkeyPatch) -> reports.Read:
    """Read by two processes, four records a part."""
    monkeypatch.setattr(reading, "PART", 4)
    return reports.read_records(study, store, workers=2)


def test_several_processes_read_what_one_does(
    made: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = several(store, made.study, monkeypatch)
    assert (read.fresh, read.damaged) == (12, ())
    same(read, made.records, made.study)
    assert list(read.intake.taken) == list(gather(made.study, made.records).taken)
    again = reports.read_records(made.study, store)
    assert again.fresh == 0
    same(again, made.records, made.study)


def test_several_processes_name_what_cannot_be_read(
    made: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged, foreign = made.records[2].run_id, made.records[7].run_id
    store.path(damaged).write_text("{")
    values = json.loads(store.path(foreign).read_text())
    values["schema"] = 99
    del values["digest"]
    store.path(foreign).write_text(canonical_json({**values, "digest": sha256_of(values)}))
    read = several(store, made.study, monkeypatch)
    assert len(read.intake.taken) == 10
    (line,) = read.damaged
    assert damaged in line
    assert not store.path(damaged).exists()
    (warning,) = read.intake.warnings
    assert foreign in warning
    assert "99" in warning


def test_a_part_of_the_cache_is_used_until_one_of_its_records_changes(
    made: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "PART", 4)
    several(store, made.study, monkeypatch)
    before = cache.load(store.root)
    assert [len(part.entries) for part in before] == [4, 4, 4]
    old = made.records[5]
    made.records[5] = replace(old, timing={**old.timing, "seconds": 2.5})
    age(store.write(made.records[5]), by=1)
    same(reports.read_records(made.study, store), made.records, made.study)
    after = cache.load(store.root)
    kept = [part for part in after if any(part.entries.keys() == b.entries.keys() for b in before)]
    assert len(kept) == 3
    changed = next(part for part in after if old.run_id in part.entries)
    assert changed.entries[old.run_id].taken.row != before[1].entries[old.run_id].taken.row


def test_a_whole_text_that_is_no_record_is_set_aside(made: Any, store: Store) -> None:
    run_id = made.records[0].run_id
    body = {"schema": 1, "made": "by hand"}
    store.path(run_id).write_text(canonical_json({**body, "digest": sha256_of(body)}))
    (line,) = reports.read_records(made.study, store).damaged
    assert run_id in line
    assert "'run_id' is missing" in line


@pytest.mark.parametrize("parser", ["json", "orjson"])
def test_records_are_read_alike_whatever_parses_them(
    made: Any, store: Store, parser: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = pytest.importorskip(parser, reason="orjson: pip install '.[dev]'").loads
    monkeypatch.setattr(text_of_records, "loads", None if parser == "json" else loads)
    same(reports.read_records(made.study, store, workers=1), made.records, made.study)
    with pytest.raises(ValueError, match="line 1 column"):
        loads(made.records[0].to_json().encode()[:-2])  # what a reader takes for damage
