"""Records at a URL: resumed where they stopped, checked by digest, merged like any others."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import pytest

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.store import remote
from nlbench.benchmark.store.merge import merge
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.remote import Remote
from nlbench.benchmark.store.store import Store
from nlbench.cli.main import main
from tests.helpers.records import as_failed, sound
from tests.helpers.runs import tiny

RECORDS = [sound(tiny(seed=seed)) for seed in range(5)]


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket of an S3 server of our own, on loopback."""
    pytest.importorskip("s3fs", reason="no s3fs: S3 is tried where it and moto are installed")
    moto = pytest.importorskip("moto.server", reason="no moto: the S3 server of the tests")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"key": "made", "secret": "up", "endpoint_url": f"http://{host}:{port}"}
    monkeypatch.setitem(fsspec.config.conf, "s3", keys)
    bucket = f"records-{secrets.token_hex(4)}"  # what the server holds outlives it
    fsspec.filesystem("s3").mkdir(bucket)
    yield f"s3://{bucket}/study"
    server.stop()


@pytest.fixture(params=["file", "memory", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place of each kind."""
    if request.param == "s3":
        return str(request.getfixturevalue("s3"))
    return {"file": f"file://{tmp_path}/remote", "memory": f"memory://{secrets.token_hex(4)}"}[
        request.param
    ]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "new" / "runs", create=True)


def objects(url: str) -> tuple[Any, list[str]]:
    files, path = fsspec.core.url_to_fs(url)
    files.invalidate_cache()
    return files, files.find(path)


def test_what_is_pushed_is_pulled_and_twice_changes_nothing(url: str, store: Store) -> None:
    place = Remote.open(url)
    assert place.push(RECORDS) == remote.Pushed(5, 0)
    assert place.push(RECORDS) == remote.Pushed(0, 5)
    found = merge(store, place.pull(store))
    assert sorted(found.added) == sorted(r.run_id for r in RECORDS)
    for record in RECORDS:
        assert store.content(record.run_id) == record.to_json().encode()
    assert list(place.pull(store)) == []


def test_an_interrupted_push_goes_on(
    url: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "BATCH", 2)
    place = Remote.open(url)

    def cut(records: list[RunRecord]) -> Iterator[RunRecord]:
        yield from records[:3]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place.push(cut(RECORDS))
    files, there = objects(url)
    assert len(there) == 2
    files.pipe(there[0], files.cat(there[0])[:-9])  # a write that was cut off
    assert place.push(RECORDS) == remote.Pushed(4, 1)
    assert len(merge(store, place.pull(store)).added) == 5


def test_an_interrupted_pull_goes_on(
    url: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "BATCH", 2)
    place = Remote.open(url)
    place.push(RECORDS)
    first = place.pull(store)
    merge(store, [next(first), next(first)])
    rest = [item for item in place.pull(store) if isinstance(item, RunRecord)]
    assert len(rest) == 3
    assert {r.run_id for r in rest}.isdisjoint(store.ids())


def test_damage_is_named_and_the_others_come_in(url: str, store: Store) -> None:
    place = Remote.open(url)
    place.push(RECORDS)
    files, there = objects(url)
    content = files.cat(there[0])
    files.pipe(there[0], content.replace(b"0.5", b"0.6"))
    files.pipe(there[1].replace(there[1][-60:-50], "0" * 10), files.cat(there[1]))
    files.pipe(f"{os.path.dirname(there[0])}/README", b"not ours")  # noqa: PTH120
    found = merge(store, place.pull(store))
    assert len(found.added) == 4
    assert [line.partition(": ")[2] for line in found.refused] == [
        "its content does not have the digest in its name"
    ] * 2


def test_a_better_record_of_the_same_run_wins_in_any_order(url: str, store: Store) -> None:
    good = RECORDS[0]
    place = Remote.open(url)
    place.push([as_failed(good)])
    place.push([good])
    place.push([as_failed(replace(good, environment={"device": "another"}))])
    merge(store, place.pull(store))
    assert store.read(good.run_id) == good


def test_what_is_too_large_is_not_fetched(
    url: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Remote.open(url)
    place.push(RECORDS[:1])
    monkeypatch.setattr(remote, "LIMIT", 100)
    (line,) = place.pull(store)
    assert "a record at most 100" in str(line)


def test_a_place_that_keeps_something_else_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Remote.open("memory://liar")
    monkeypatch.setattr(type(place.files), "cat", lambda _s, ps, **_k: dict.fromkeys(ps, b"x"))
    with pytest.raises(UserError, match="what was written is not what is read"):
        place.push(RECORDS[:1])


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("results", "is no URL"),
        ("nosuch://x/y", "nosuch://x/y: ValueError"),
        ("memory://nothing-here", "holds no records"),
        ("file:///proc/nothing", "file:///proc/nothing: "),
    ],
)
def test_what_is_no_place_is_one_line(
    url: str, line: str, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store.write(RECORDS[0])
    action = "push" if url.startswith("file") else "pull"
    assert main(["store", action, url, "--results", str(tmp_path / "new")]) == 2
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1


def test_the_command_line_pushes_and_pulls(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for record in RECORDS:
        store.write(record)
    url = f"file://{tmp_path}/remote"
    assert main(["store", "push", url, "--results", str(tmp_path / "new")]) == 0
    assert "5 records written, 0 already there" in capsys.readouterr().out
    assert main(["store", "pull", url, "--results", str(tmp_path / "other")]) == 0
    assert "5 records added" in capsys.readouterr().out
    assert sorted(Store.open(tmp_path / "other" / "runs").ids()) == sorted(store.ids())
