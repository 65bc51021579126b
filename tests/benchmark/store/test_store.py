"""Store: whole records or none, damage found and set aside, foreign folders left alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.spec.run_spec import DatasetSpec, MethodSpec, RunSpec
from nlbench.benchmark.store.record import DamagedRecord, RunRecord, pack_bits
from nlbench.benchmark.store.store import MARKER, Store, Swept
from nlbench.cli import main
from nlbench.noise import whole
from tests.helpers.records import sound

REPOSITORY = Path(__file__).resolve().parents[3]


def record(seed: int = 0) -> RunRecord:
    spec = RunSpec(
        DatasetSpec("digits"), "mlp", MethodSpec.of("ce", {}), "clean", seed, Recipe(epochs=1)
    )
    accuracy = (10 + seed) / 100
    curves = {"train_loss": (0.5,), "test_accuracy": (accuracy,), "flipped_fit_true": (None,)}
    return sound(spec, accuracy, curves=curves)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "runs", create=True)
    for seed in range(3):
        store.write(record(seed))
    assert list(store.records([record(s).run_id for s in (2, 0)])) == [record(2), record(0)]
    assert sorted(store.ids()) == sorted(record(s).run_id for s in range(3))
    assert Store.open(tmp_path / "runs").read(record(1).run_id) == record(1)
    assert store.read("0" * 16) is None


def test_no_temporary_file_stays(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "runs", create=True)
    path = store.write(record())
    store.write(record())
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@given(position=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_any_changed_byte_is_found(position: int, byte: int) -> None:
    text = bytearray(record().to_json().encode())
    position %= len(text) - 1  # the closing newline carries nothing
    if text[position] == byte:
        return
    text[position] = byte
    try:
        found = RunRecord.from_json(bytes(text))
    except DamagedRecord:
        return
    assert found == record()  # a change that means nothing, such as white space


@pytest.mark.parametrize("cut", [0, 1, 50, -2])
def test_a_cut_record_is_damaged(cut: int) -> None:
    with pytest.raises(DamagedRecord):
        RunRecord.from_json(record().to_json()[:cut])


def test_damage_is_named_set_aside_and_missing_afterwards(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "runs", create=True)
    for seed in range(2):
        store.write(record(seed))
    ids = [record(s).run_id for s in range(2)]
    path = store.path(ids[0])
    path.write_text(path.read_text().replace("0.1", "0.9", 1))
    with pytest.raises(DamagedRecord, match=ids[0]):
        store.read(ids[0])
    swept = store.sweep(ids, lambda r: r)
    assert list(swept.sound) == [ids[1]]
    (line,) = swept.damaged
    assert ids[0] in line
    assert "digest" in line
    assert not path.exists()
    assert len(list((tmp_path / "runs" / "damaged").iterdir())) == 1
    assert store.sweep(ids, lambda r: r) == Swept(swept.sound, (), {})


def test_a_record_under_another_runs_name_is_damaged(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "runs", create=True)
    target = store.path(record(1).run_id)
    target.parent.mkdir(exist_ok=True)
    target.write_text(record(0).to_json())
    with pytest.raises(DamagedRecord, match=record(0).run_id):
        store.read(record(1).run_id)


def test_a_foreign_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UserError, match=r"not an nlbench store.*thesis\.tex"):
        Store.open(tmp_path, create=True)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_empty_absent_and_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is empty"):
        Store.open(tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        Store.open(tmp_path / "no")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file"):
        Store.open(tmp_path / "file", create=True)
    assert (Store.open(tmp_path / "new", create=True).root / MARKER).is_file()


def test_a_store_killed_at_birth_or_made_by_many_opens(tmp_path: Path) -> None:
    words = [sys.executable, str(REPOSITORY / "tests" / "helpers" / "store_race.py"), str(tmp_path)]
    here = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(words, env=here, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    alone, rush = found["alone"], found["rush"]
    assert {one["left"] for one in alone} >= {"nothing", "empty", "leftover", MARKER}
    assert len(alone) >= 7  # mkdir, the temporary file opened, on disk, renamed, leftovers ...
    assert all(one["next"] == 0 and one["later"] == MARKER for one in alone)
    assert len(rush) == 50
    assert all(len(statuses) == 8 and set(statuses[1:]) == {0} for statuses in rush)
    assert sum(statuses[0] != 0 for statuses in rush) >= 25  # the one that is to die does


def test_leftovers_of_killed_writes_are_removed(tmp_path: Path) -> None:
    store = Store.open(tmp_path, create=True)
    path = store.write(record())
    old, foreign = (path.parent / f".{path.name}.{end}" for end in ("abcd_123", "x"))
    cache = tmp_path / ".report-cache.npz.abcdefgh"
    for file in (old, foreign, cache):
        file.touch()
    Store.open(tmp_path)
    assert old.exists()  # who only reads removes nothing
    with whole.writing(path) as on_its_way:
        on_its_way.write(path.read_bytes())
        Store.open(tmp_path, create=True)  # and a write that goes on is let be
    assert not old.exists()
    assert not cache.exists()
    assert foreign.exists()
    assert store.read(record().run_id) == record()


def test_the_refusal_names_the_option_that_the_command_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "thesis.tex").write_text("mine")
    for words in (["run", "quick", "--device", "cpu"], ["status", "quick"], ["report", "quick"]):
        assert main([*words, "--results", str(tmp_path)]) == 2
        said = capsys.readouterr().err
        assert f"--results {tmp_path}: store {tmp_path / 'runs'}: not an nlbench store" in said
        assert "--store" not in said


@given(st.lists(st.booleans(), max_size=40))
def test_correctness_bits_round_trip(bits: list[bool]) -> None:
    packed = replace(record(), test_correct=pack_bits(np.array(bits, bool)), test_size=len(bits))
    assert packed.correct().tolist() == bits
