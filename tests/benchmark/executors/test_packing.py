"""Packs of a suite's runs, one process per GPU, and malloc: who does the work changes no result."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.executors.executor import WINDOW, Pack, Worker, packs
from nlbench.benchmark.executors.gpus import Gpus, gpus
from nlbench.benchmark.machine.allocator import keep_memory
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.suites import suite
from nlbench.benchmark.training import BackendConfig
from nlbench.cli import main
from tests.helpers.runs import HERE, tiny

RECIPES = [tiny(l1=l1, seed=seed) for seed in range(6) for l1 in (0.0, 1e-3)]


@given(picks=st.lists(st.sampled_from(RECIPES), unique_by=id), size=st.integers(1, 5))
def test_packs_hold_every_run_once_with_one_key_and_near_its_place(
    picks: list[RunSpec], size: int
) -> None:
    made = packs(picks, size)
    assert sorted(s.run_id for pack in made for s in pack) == sorted(s.run_id for s in picks)
    assert all(1 <= len(pack) <= size for pack in made)
    assert all(len({s.pack_key for s in pack}) == 1 for pack in made)
    order = [picks.index(s) for pack in made for s in pack]
    assert all(abs(new - old) < size * WINDOW for new, old in enumerate(order))


def test_packs_of_one_are_the_order_of_the_suite() -> None:
    specs = suite.load("quick").specs
    assert [pack for (pack,) in packs(specs, 1)] != []
    assert sorted(s.run_id for (s,) in packs(specs, 1)) == sorted(s.run_id for s in specs)
    one_key = [s for s in specs if s.pack_key == specs[0].pack_key]
    assert [s for (s,) in packs(one_key, 1)] == one_key


def test_a_pack_writes_each_record_and_the_same_as_alone(tmp_path: Path) -> None:
    specs = tuple(tiny(name, seed=seed) for name in ("ce", "gce") for seed in (0, 1))
    one, other = (Store.open(tmp_path / n, create=True) for n in ("one", "other"))
    Worker(one, HERE)(specs)
    for spec in specs:
        Worker(other, HERE)(spec)
    science = [{r.run_id: r.science() for r in store.records()} for store in (one, other)]
    assert len(science[0]) == 4
    assert science[0] == science[1]


def test_stacked_packs_by_the_command_line(tmp_path: Path) -> None:
    words = ["run", "quick", "--results", str(tmp_path), "--workers", "1", "--backend", "stack"]
    assert main([*words, "--seeds", "0", "--noise", "clean"]) == 0
    records = list(Store.open(tmp_path / "runs").records())
    assert {r.environment["backend"] for r in records} == {"stack"}
    assert all(r.status == "ok" and r.metrics["last"] > 0.8 for r in records)
    assert len(records) == 3


@dataclass(frozen=True)
class Note:
    """Work that leaves a file saying which GPU and which process had the pack."""

    folder: Path
    poison: str = ""

    def __call__(self, pack: Pack) -> None:
        (self.folder.parent / f"pid{os.getpid()}").touch()
        deadline = time.monotonic() + 300  # both are at work before the first pack is done
        while len(list(self.folder.parent.glob("pid*"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        if pack[0].run_id == self.poison:
            os._exit(3)
        text = f"{os.environ['CUDA_VISIBLE_DEVICES']} {os.getpid()}"
        (self.folder / pack[0].run_id).write_text(text)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


@pytest.fixture
def numbered() -> list[Pack]:
    return [(spec,) for spec in RECIPES]


@pytest.mark.slow
def test_each_gpu_has_its_own_process_and_all_packs_are_done(
    notes: Path, numbered: list[Pack], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    Gpus(("4", "GPU-5")).run(Note(notes), numbered)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "7"
    found = [path.read_text().split() for path in notes.iterdir()]
    assert len(found) == len(numbered)
    assert {gpu for gpu, _ in found} == {"4", "GPU-5"}
    assert len({tuple(note) for note in found}) == 2
    assert str(os.getpid()) not in {pid for _, pid in found}


@pytest.mark.slow
def test_a_dead_gpu_process_is_said_and_the_other_goes_on(
    notes: Path, numbered: list[Pack]
) -> None:
    poison = numbered[0][0].run_id
    with pytest.raises(RuntimeError, match="3"):
        Gpus(("0", "1")).run(Note(notes, poison), numbered)
    assert len(list(notes.iterdir())) == len(numbered) - 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--backend", "grap"], "grap.*graph"),
        (["--mode", "quick"], "quick.*strict"),
        (["--slots", "3"], "one run at a time"),
        (["--backend", "graph"], "CUDA"),
        (["--gpus", "2"], "--gpus 2"),
        (["--compile"], "--compile"),
    ],
)
def test_mistakes_are_one_line(
    words: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = ["run", "quick", "--device", "cpu", "--results", str(tmp_path), *words]
    assert main(named) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert re.search(says, lines[0]), lines[0]


def test_gpus_are_counted_within_what_is_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert gpus("all") == ("0", "1")
    assert gpus("1") == ("0",)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    assert gpus("all") == ("3", "5")
    for text in ("3", "0", "some"):
        with pytest.raises(UserError, match=text):
            gpus(text)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(UserError, match="no CUDA GPU"):
        gpus("all")


def test_a_choice_travels_to_a_worker_as_it_is() -> None:
    choice = BackendConfig("stack", 3, strict=False)
    assert pickle.loads(pickle.dumps(choice)) == choice


FAULTS = """
import resource, sys
from nlbench.benchmark.machine.allocator import keep_memory
# Not kept: every large block is mapped anew, as glibc starts out. (Left alone, it may keep blocks
# by itself, depending on what happens to lie at the end of the heap.)
if not keep_memory(keep=sys.argv[1] == "kept"):
    sys.exit(77)
import torch
torch.set_num_threads(1)
def work():
    for _ in range(5):
        held = [torch.ones(250_000) for _ in range(100)]
        del held
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_kept_memory_is_not_faulted_in_again(repository: Path) -> None:
    faults = []
    for how in ("kept", "mapped"):
        done = subprocess.run(
            [sys.executable, "-c", FAULTS, how],
            cwd=repository,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 77:
            pytest.skip("not glibc")
        faults.append(int(done.stdout))
    assert faults[0] * 5 < faults[1]


def test_memory_settings_can_be_set_and_taken_back() -> None:
    assert keep_memory() == keep_memory(keep=False)
