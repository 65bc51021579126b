"""Records in one file, and stores that become one: verified, idempotent, the same in any order."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.store import archive
from nlbench.benchmark.store.merge import merge, preferred
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.store import Store
from nlbench.cli import main
from tests.helpers.records import failed, sound
from tests.helpers.runs import tiny


def record(seed: int = 0, **changes: Any) -> RunRecord:
    """A record nobody trained."""
    return sound(tiny(seed=seed), **changes)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store.open(tmp_path / "one" / "runs", create=True)
    for seed in range(3):
        made.write(record(seed))
    return made


def content(store: Store) -> dict[str, bytes]:
    return {run_id: store.path(run_id).read_bytes() for run_id in store.ids()}


def empty(tmp_path: Path, name: str = "other") -> Store:
    return Store.open(tmp_path / name / "runs", create=True)


def test_out_and_in_again_is_the_same_store(store: Store, tmp_path: Path) -> None:
    path, other = tmp_path / "piece.tar.gz", empty(tmp_path)
    assert archive.write(path, store.records()) == 3
    first = merge(other, archive.read(path))
    assert content(other) == content(store)
    assert sorted(first.added) == sorted(store.ids())
    assert first.refused == []
    again = merge(other, archive.read(path))
    assert (again.added, len(again.same)) == ([], 3)
    assert content(other) == content(store)


def test_equal_records_give_equal_bytes(store: Store, tmp_path: Path) -> None:
    paths = [tmp_path / "a.tar.gz", tmp_path / "b.tar.gz"]
    archive.write(paths[0], store.records())
    archive.write(paths[1], reversed(list(store.records())))
    assert paths[0].read_bytes() == paths[1].read_bytes()


def repacked(path: Path, change: Callable[[dict[str, bytes]], object]) -> None:
    """The archive with other members, packed as anybody could pack it."""
    with tarfile.open(path) as tar:
        members = {m.name: tar.extractfile(m).read() for m in tar}  # type: ignore[union-attr]
    change(members)
    with tarfile.open(path, "w:gz") as tar:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text))


def damage(members: dict[str, bytes], name: str) -> None:
    members[name] = members[name].replace(b"0.5", b"0.9", 1)


def test_a_damaged_record_is_named_and_the_others_come_in(store: Store, tmp_path: Path) -> None:
    path, other = tmp_path / "piece.tar.gz", empty(tmp_path)
    archive.write(path, store.records())
    bad = next(store.ids())
    repacked(path, lambda members: damage(members, f"{bad}.json"))
    result = merge(other, archive.read(path))
    assert len(result.refused) == 1
    assert bad in result.refused[0]
    assert set(other.ids()) == set(store.ids()) - {bad}


def test_a_record_that_nobody_listed_is_refused(store: Store, tmp_path: Path) -> None:
    path, other = tmp_path / "piece.tar.gz", empty(tmp_path)
    archive.write(path, store.records())
    foreign = record(9)
    repacked(path, lambda m: m.update({f"{foreign.run_id}.json": foreign.to_json().encode()}))
    result = merge(other, archive.read(path))
    assert [foreign.run_id in line for line in result.refused] == [True]
    assert content(other) == content(store)


def test_a_missing_record_and_another_runs_record_are_named(store: Store, tmp_path: Path) -> None:
    path, other = tmp_path / "piece.tar.gz", empty(tmp_path)
    archive.write(path, store.records())
    ids = list(store.ids())

    def change(members: dict[str, bytes]) -> None:
        del members[f"{ids[0]}.json"]
        members[f"{ids[1]}.json"] = members[f"{ids[2]}.json"]

    repacked(path, change)
    result = merge(other, archive.read(path))
    assert len(result.refused) == 2
    assert any(ids[0] in line and "not in the file" in line for line in result.refused)
    assert list(other.ids()) == [ids[2]]


def test_a_cut_file_gives_what_precedes_the_cut(store: Store, tmp_path: Path) -> None:
    for seed in range(3, 60):
        store.write(record(seed))
    path, other = tmp_path / "piece.tar.gz", empty(tmp_path)
    archive.write(path, store.records())
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    result = merge(other, archive.read(path))
    assert 0 < len(result.added) < 60
    assert "damaged from here on" in result.refused[0]
    assert len(result.refused) == 1 + 60 - len(result.added)
    assert content(other).items() <= content(store).items()


def forged(change: dict[str, Any]) -> Callable[[dict[str, bytes]], None]:
    def apply(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"])
        members["manifest.json"] = json.dumps({**manifest, **change}).encode()

    return apply


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda p: p.write_bytes(b"not a tar"), "cannot be read"),
        (lambda p: p.write_bytes(gzip.compress(b"not a tar either" * 99)), "cannot be read"),
        (lambda p: p.write_bytes(p.read_bytes()[:20]), "cannot be read"),
        (lambda p: p.unlink(), "cannot be read"),
        (lambda p: repacked(p, lambda m: m.pop("manifest.json")), "not an archive"),
        (lambda p: repacked(p, forged({"kind": "other"})), "not an archive"),
        (lambda p: repacked(p, forged({"records": {}})), "manifest is damaged"),
    ],
)
def test_what_is_no_archive_is_refused_whole(
    spoil: Callable[[Path], Any], says: str, store: Store, tmp_path: Path
) -> None:
    path, other = tmp_path / "piece.tar.gz", empty(tmp_path)
    archive.write(path, store.records())
    spoil(path)
    with pytest.raises(UserError, match=says):
        merge(other, archive.read(path))
    assert list(other.ids()) == []


RIVALS = [
    record(),
    sound(tiny(), 0.6),
    record(timing={"started": "2025-01-01T00:00:00+00:00", "seconds": 1.0}),
    record(environment={"commit": "c0ffee", "dirty": True, "device": "cpu"}),
    record(environment={"commit": None, "dirty": None, "device": "cuda"}),
    failed(tiny()),
    failed(tiny(), "diverged"),
    sound(tiny(), 0.7, method_source="version 9"),
    failed(tiny(), method_source="version 10", timing={}),
    record(method_source="sha256:aa"),
    record(method_source="sha256:bb", timing={"started": "2026-02-01T00:00:00+00:00"}),
    record(method_source="sha256:bb", timing={}),
]


@settings(max_examples=60)
@given(order=st.permutations(range(len(RIVALS))), cut=st.integers(0, len(RIVALS)))
def test_the_winner_depends_neither_on_order_nor_on_grouping(order: list[int], cut: int) -> None:
    def best(records: list[RunRecord]) -> RunRecord:
        winner = records[0]
        for other in records[1:]:
            winner = preferred(winner, other)
        return winner

    records = [RIVALS[i] for i in order]
    groups = [group for group in (records[:cut], records[cut:]) if group]
    assert best([best(group) for group in groups]) == best(RIVALS)


@pytest.mark.parametrize(
    ("better", "worse"),
    [(2, 0), (0, 3), (0, 4), (3, 5), (6, 5), (0, 5), (7, 0), (8, 7), (9, 2), (10, 9), (10, 11)],
    ids=[
        *("earlier", "clean tree", "known commit", "finished", "diverged", "ok"),
        *("version", "later version", "known source", "later source", "known time"),
    ],
)
def test_the_rule_is_the_one_the_help_tells(better: int, worse: int) -> None:
    assert preferred(RIVALS[better], RIVALS[worse]) == RIVALS[better]
    assert preferred(RIVALS[worse], RIVALS[better]) == RIVALS[better]


def test_stores_merged_in_any_order_end_up_equal_and_disagreement_is_named(tmp_path: Path) -> None:
    sources = []
    for i, rival in enumerate(RIVALS[:3]):
        sources.append(empty(tmp_path, f"source{i}"))
        sources[-1].write(rival)
    results = []
    for i, order in enumerate(itertools.permutations(sources)):
        target = empty(tmp_path, f"target{i}")
        merged = [merge(target, archive.stored(source)) for source in order]
        results.append(content(target))
        lines = [line for result in merged for line in result.disagreeing]
        assert any("60.00 %" in line and "50.00 %" in line for line in lines)
    assert all(result == results[0] for result in results)


def test_a_damaged_file_in_the_store_gives_way_to_a_sound_record(
    store: Store, tmp_path: Path
) -> None:
    other, bad = empty(tmp_path), next(store.ids())
    merge(other, archive.stored(store))
    other.path(bad).write_bytes(b"{}")
    result = merge(other, archive.stored(store))
    assert result.replaced == [bad]
    assert bad in result.refused[0]
    assert content(other) == content(store)


def test_the_commands(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two, path = str(tmp_path / "one"), str(tmp_path / "two"), str(tmp_path / "x.tar.gz")
    assert main(["store", "export", path, "--results", one]) == 0
    assert "3 records" in capsys.readouterr().out
    assert main(["store", "import", path, "--results", two]) == 0
    assert "3 records added" in capsys.readouterr().out
    assert main(["store", "merge", one, f"{one}/runs", "--results", two]) == 0
    assert "0 records added, 6 already there" in capsys.readouterr().out
    assert content(Store.open(tmp_path / "two" / "runs")) == content(store)
    assert main(["store", "export", path, "quick", "--results", one]) == 0
    assert "0 records" in capsys.readouterr().out
    victim = store.path(next(store.ids()))
    victim.write_bytes(victim.read_bytes()[:-9])
    assert main(["store", "export", path, "--results", one]) == 1
    streams = capsys.readouterr()
    assert "2 records" in streams.out
    assert victim.stem in streams.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["export", "nowhere/x.tar.gz"], "nowhere/x.tar.gz"),
        (["export", "x.tar.gz", "quik"], "quik.*quick"),
        (["export", "x.tar.gz", "--seeds", "0"], "need a SUITE"),
        (["import", "missing.tar.gz"], "missing.tar.gz"),
        (["merge", "nowhere"], "nowhere"),
    ],
)
def test_mistakes_are_one_line(
    words: list[str],
    says: str,
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert len(list(store.ids())) == 3
    monkeypatch.chdir(tmp_path)
    assert main(["store", *words, "--results", "one"]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert re.search(says, lines[0]), lines[0]
