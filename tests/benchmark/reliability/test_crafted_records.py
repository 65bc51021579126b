"""Crafted records: none is taken for a result, none stops a command, whatever is sound is read."""

from __future__ import annotations

import itertools
import json
import shutil
import sys
from pathlib import Path

import pytest

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.reliability import crafted
from nlbench.benchmark.reliability.record_attack import (
    COMMANDS,
    EXPORT,
    IMPORT,
    REPORT,
    RUN,
    STATUS,
    Case,
    Ground,
    attempt,
    cases,
    prepare,
)
from nlbench.benchmark.store import files
from nlbench.benchmark.store.record import DamagedRecord, RunRecord
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.store.verified import unwritable, verified
from nlbench.cli import main

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links, pipes and devices")


@pytest.fixture(scope="module", name="ground")
def _ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return prepare(main, tmp_path_factory.mktemp("ground"))


@pytest.fixture(scope="module", name="crafts")
def _crafts(ground: Ground) -> dict[str, Case]:
    return {case.name: case for case in cases(ground)}


def test_what_is_crafted_is_no_record(ground: Ground) -> None:
    """Unchanged it is one; of two hundred changes, each with the right digest, none is taken."""
    assert verified(ground.sound).to_json().encode() == ground.sound
    assert crafted.signed(json.loads(ground.sound)) == ground.sound
    texts = dict(crafted.texts(ground.sound))
    assert len(texts) >= len(crafted.FORGED) + 20
    taken = []
    for name, text in texts.items():
        try:
            verified(text)
        except DamagedRecord as error:
            assert len(str(error).splitlines()) == 1, name  # noqa: PT017
            assert str(error).isprintable(), name  # noqa: PT017
        else:
            taken.append(name)
    assert taken == []


def test_any_other_value_anywhere_is_refused_or_harmless(ground: Ground) -> None:
    """A ninth of the two thousand values that the whole attack replaces."""
    taken = set()
    for name, text in itertools.islice(crafted.replaced(ground.sound), 0, None, 9):
        try:
            record = verified(text)
        except (DamagedRecord, UserError):
            continue
        assert unwritable(record) == ""
        taken.add(name.partition("/")[0].partition(" ")[0])
    assert taken <= {"curves", "data_label", "environment", "error", "extra", "noise", "pairing",
                     "spec", "timing"}  # fmt: skip


@pytest.mark.parametrize("parser", ["json", "orjson"])
def test_both_parsers_refuse_the_same(
    ground: Ground, parser: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = pytest.importorskip(parser).loads
    monkeypatch.setattr("nlbench.benchmark.store.text.loads", None if parser == "json" else loads)
    for name, text in crafted.texts(ground.sound):
        if any(word in name for word in ("NaN", "finity", "1e999", "end", "UTF", "number")):
            with pytest.raises(DamagedRecord):
                verified(text)


def test_a_message_with_half_a_character_is_read(ground: Ground) -> None:
    """As the name of a file that is not UTF-8 is, in an error; orjson alone refuses it."""
    error = {"epoch": None, "message": "no \udcff.npz", "traceback": None}
    values = {**json.loads(ground.sound), "status": "failed", "error": error}
    text = crafted.signed({**values, "metrics": {}, "curves": {}, "extra": {}})
    assert (verified(text).error or {})["message"] == "no \udcff.npz"


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("a pipe", STATUS),
        ("a link to itself", REPORT),
        ("a link to a device", EXPORT),
        ("3 GB", STATUS),
        ("a folder with a file", RUN),
        ("a link to a record", RUN),
        ("last is 7", REPORT),
        ("slots are 0", STATUS),
        ("environment holds nested without end", IMPORT),
        ("a newer schema", IMPORT),
        ("a newer schema", RUN),
        ("curves are null", "merge"),
    ],
)
def test_one_bad_file_stops_nothing(
    ground: Ground, crafts: dict[str, Case], name: str, command: str, tmp_path: Path
) -> None:
    assert command in COMMANDS
    assert attempt(ground, crafts[name], command, tmp_path / "try") == ""


def test_the_attack_sees_what_it_looks_for(
    ground: Ground, crafts: dict[str, Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers that do not look at values print forged ones: the attack says so."""
    monkeypatch.setattr("nlbench.benchmark.store.verified.problems", lambda _: [])
    assert "exit status 0" in attempt(ground, crafts["last is 7"], STATUS, tmp_path / "a")
    monkeypatch.setattr(Store, "content", lambda self, i: self.path(i).read_bytes())
    assert "exit status 2" in attempt(ground, crafts["a folder"], STATUS, tmp_path / "b")


def test_a_file_is_bounded_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    with path.open("wb") as file:
        file.truncate(files.LIMIT + 1)
    with pytest.raises(DamagedRecord, match="bytes, a record at most"):
        files.plain_bytes(str(path))
    path.write_bytes(b"whole")
    assert files.plain_bytes(str(path)) == b"whole"


def test_folders_that_are_links_are_left_alone(ground: Ground, tmp_path: Path) -> None:
    """What a link leads to is neither read nor changed; the rest is."""
    shutil.copytree(ground.clean, tmp_path / "mine")
    store = Store.open(tmp_path / "mine" / "runs")
    folder = store.path(ground.victim).parent
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    content = {p.name: p.read_bytes() for p in (tmp_path / "elsewhere").iterdir()}
    assert ground.victim not in list(store.ids())
    (line,) = store.closed()
    assert "is a link" in line
    swept = store.sweep([ground.victim], lambda r: r)
    assert "a link" in swept.foreign[ground.victim]
    with pytest.raises(OSError, match="link"):
        store.write(verified(ground.sound))
    assert (
        main(["report", ground.suite, "--only", "leaderboard", "--results", str(tmp_path / "mine")])
        == 1
    )
    assert {p.name: p.read_bytes() for p in (tmp_path / "elsewhere").iterdir()} == content


def test_what_cannot_be_set_aside_is_named_and_left(ground: Ground, tmp_path: Path) -> None:
    """As in a store that cannot be written; here the place for it is taken."""
    shutil.copytree(ground.clean, tmp_path / "mine")
    store = Store.open(tmp_path / "mine" / "runs")
    path = store.path(ground.victim)
    path.write_bytes(b"damaged")
    (store.root / "damaged").write_bytes(b"a file")
    swept = store.sweep(store.ids(), lambda r: r)
    assert "it cannot be set aside" in swept.foreign[ground.victim]
    assert len(swept.sound) == 3
    assert path.read_bytes() == b"damaged"


def test_a_record_written_meanwhile_is_not_set_aside(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process repeats the run between the reading of a damaged file and its move."""
    shutil.copytree(ground.clean, tmp_path / "mine")
    store = Store.open(tmp_path / "mine" / "runs")
    path = store.path(ground.victim)
    path.write_bytes(b"damaged")
    first = True
    content = Store.content

    def read(self: Store, run_id: str) -> bytes:
        nonlocal first
        found = content(self, run_id)
        if first:
            path.write_bytes(ground.sound)
        first = False
        return found

    monkeypatch.setattr(Store, "content", read)
    swept = store.sweep([ground.victim], lambda r: r)
    assert (swept.damaged, swept.foreign) == ((), {})
    assert list(swept.sound) == [ground.victim]
    assert path.read_bytes() == ground.sound
    assert list((store.root / "damaged").iterdir()) == []


def test_an_engine_writes_no_record_that_no_reader_takes(ground: Ground) -> None:
    record = verified(ground.sound)
    assert unwritable(record) == ""
    forged = RunRecord(**{**vars(record), "metrics": {**record.metrics, "last": float("nan")}})
    assert "JSON" in unwritable(forged)
    forged = RunRecord(**{**vars(record), "test_size": record.test_size + 8})
    assert "test" in unwritable(forged)
