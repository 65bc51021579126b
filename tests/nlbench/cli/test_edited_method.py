"""A method from outside is edited and the command given again: nothing old is shown as new."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from nlbench.benchmark.store.store import Store
from nlbench.cli import main

LOSS = """
from dataclasses import dataclass
from nlbench.baselines import Method, hyper
from lnl_edited.scale import SCALE

@dataclass(frozen=True, kw_only=True)
class MyLoss(Method):
    factor: float = hyper(1.0, "multiplies the loss", "(0, 1]")

    def per_sample(self, logits, targets):
        picked = logits.log_softmax(1).gather(1, targets[:, None]).squeeze(1)
        return -self.factor * SCALE * picked
"""
SUITE = """
methods = ["ce", { name = "lnl_edited.losses:MyLoss", factor = [1.0, 0.5] }]
noise = ["symmetric:0.4"]
seeds = 2
model = "mlp"
[dataset]
name = "digits"
train_per_class = 20
[recipe]
epochs = 1
batch_size = 32
lr = 0.05
"""
MINE = "lnl_edited.losses:MyLoss"


@dataclass(frozen=True)
class Place:
    """A folder with a study and a package that holds its method; commands are given there."""

    root: Path
    capture: pytest.CaptureFixture[str]

    def nlbench(self, *words: str, status: int = 0) -> str:
        """Give a command as a new process would: what was imported of the package is forgotten."""
        for name in [m for m in sys.modules if m.startswith("lnl_edited")]:
            del sys.modules[name]
        importlib.invalidate_caches()
        self.capture.readouterr()
        assert main(list(words)) == status
        return "".join(self.capture.readouterr())

    def run(self, *words: str, status: int = 0) -> str:
        where = ("--device", "cpu", "--workers", "1")
        return self.nlbench("run", "mine.toml", *where, *words, status=status)

    def report(self) -> str:
        return self.nlbench("report", "mine.toml", "--only", "leaderboard", "--workers", "1")


@pytest.fixture
def place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Place:
    (tmp_path / "lnl_edited").mkdir()
    (tmp_path / "lnl_edited" / "__init__.py").touch()
    (tmp_path / "lnl_edited" / "losses.py").write_text(LOSS)
    (tmp_path / "lnl_edited" / "scale.py").write_text("SCALE = 1.0\n")
    (tmp_path / "mine.toml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    # A file that is edited twice within a second must not be taken from its compiled form.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return Place(tmp_path, capsys)


def edit(place: Place, name: str, old: str, new: str) -> None:
    path = place.root / "lnl_edited" / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def losses(place: Place) -> dict[tuple[str, object, int], float | None]:
    """The first training loss of every run, which the edits below change."""
    return {
        (r.spec.method.name, r.spec.method.values.get("factor"), r.spec.seed): loss
        for r in Store.open(place.root / "results" / "runs").records()
        for loss in r.curves["train_loss"][:1]
    }


def changed(place: Place, before: dict[tuple[str, object, int], float | None]) -> set[str]:
    """Names of the methods of which every run has another loss now; of the others none has."""
    now = losses(place)
    names = {key[0] for key in now if now[key] != before[key]}
    assert all(now[key] != before[key] for key in now if key[0] in names)
    return names


def test_an_edited_method_is_trained_again_and_nothing_else(place: Place) -> None:
    place.run()
    first = losses(place)
    assert "runs to train" not in place.run()
    assert losses(place) == first
    edit(place, "losses.py", "-self.factor", "-2 * self.factor")
    assert "2 of 6 runs have a record" in place.nlbench("status", "mine.toml")
    out = place.run()
    assert f"method '{MINE}': 4 records were made by another source (sha256:" in out
    assert "run again (--keep-old keeps them)" in out
    assert "4 of 6 runs to train" in out
    assert "6 ok, 0 diverged, 0 failed, 0 missing" in out
    assert changed(place, first) == {MINE}
    assert "another source" not in place.run()
    second = losses(place)
    edit(place, "scale.py", "1.0", "3.0")
    assert "4 of 6 runs to train" in place.run()
    assert changed(place, second) == {MINE}


@pytest.mark.slow
def test_worker_processes_train_and_record_the_edited_source(place: Place) -> None:
    """In real processes, as a user's: what a worker has imported is what its record carries."""
    path = os.pathsep.join([str(place.root), str(Path(__file__).resolve().parents[3])])
    env = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "nlbench", "run", "mine.toml", "--device", "cpu"]
    command += ["--workers", str(min(2, os.cpu_count() or 1)), "--executor", "loky"]
    subprocess.run(command, env=env, check=True)
    first = losses(place)
    edit(place, "scale.py", "1.0", "3.0")
    subprocess.run(command, env=env, check=True)
    assert changed(place, first) == {MINE}
    assert "another source" not in place.run("--dry-run")


def test_old_records_are_kept_on_request_and_named_wherever_they_are_shown(place: Place) -> None:
    place.run()
    first = losses(place)
    edit(place, "losses.py", "-self.factor", "-2 * self.factor")
    out = place.run("--keep-old")
    assert "4 records were made by another source" in out
    assert ": kept" in out
    assert losses(place) == first
    assert f"{MINE}': 4 records" in place.nlbench("status", "mine.toml")
    assert "MyLoss: its runs were made by another source of the method than" in place.report()
    place.run("--seeds", "0")
    assert "MyLoss: its numbers mix 2 sources of the method (2 by sha256:" in place.report()
    place.run()
    assert "source" not in place.report()


def test_a_record_without_a_source_was_made_by_another(place: Place) -> None:
    place.run("--methods", "MyLoss", "--seeds", "0")
    store = Store.open(place.root / "results" / "runs")
    for record in list(store.records()):
        store.write(replace(record, method_source=""))
    out = place.run("--methods", "MyLoss", "--seeds", "0")
    assert "2 records were made by another source (not recorded; now sha256:" in out
    assert "2 of 2 runs to train" in out


def test_force_repeats_what_it_names(place: Place) -> None:
    part = ("--seeds", "0")
    place.run(*part)
    again = place.run(*part, "--force", "ce", "--force", "myloss:factor=0.5", "--dry-run")
    assert "2 runs to train, 1 done" in again
    assert "2 of 3 runs to train" in place.run(*part, "--force", "CE,MyLoss:factor=0.5")
    assert "3 of 3 runs to train" in place.run(*part, "--force")
    assert "0 runs to train, 3 done" in place.run(*part, "--dry-run")
    late = place.run(*part, "--force", "ce", "--minutes", "0")
    assert "1 of the runs to repeat have their earlier record still" in late
    assert "did you mean 'MyLoss'" in place.run("--force", "MyLos", status=2)
    assert "names no method" in place.run("--force", ",", status=2)
