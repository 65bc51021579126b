"""Executors by name: those of ours, joblib's, and one from outside."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.executors import registry
from nlbench.benchmark.executors.local import Joblib, Serial
from nlbench.cli import main


def test_names_lead_to_their_executors() -> None:
    assert registry.create("auto", 1) == registry.create("serial", 1) == Serial()
    assert registry.create("auto", 2) == registry.create("loky", 2) == Joblib("loky", 2)
    assert registry.create("threading", 1) == Joblib("threading", 1)


def test_too_many_threads_and_unknown_executors_are_refused() -> None:
    with pytest.raises(UserError, match="more than the 2 cores"):
        registry.check_threads(2, 2, cores=2)
    with pytest.raises(UserError, match="must be at least 1"):
        registry.check_threads(1, 0, cores=2)
    with pytest.raises(UserError, match=r"lokky.*loky"):
        registry.create("lokky", 2)
    with pytest.raises(UserError, match="one worker"):
        registry.create("serial", 2)


BACKWARDS = """
class Backwards:
    def __init__(self, workers):
        if workers > 1:
            raise ValueError("one after the other")

    def run(self, work, packs):
        for pack in reversed(packs):
            work(pack)
            with open(__file__ + ".log", "a") as log:
                log.write(f"{pack.pack[0].method.name} ")


class Nothing:
    def __init__(self, workers):
        pass


NUMBER = 3
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the import path with a module of executors, imported from nowhere else before."""
    (tmp_path / "own_executor.py").write_text(BACKWARDS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_executor", raising=False)
    return tmp_path


def test_an_executor_from_outside_is_one_file(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "quick", "--seeds", "0", "--noise", "clean", "--methods", "ce,gce"]
    words += ["--device", "cpu", "--workers", "1", "--results", str(own)]
    assert main([*words, "--executor", "own_executor:Backward"]) == 2
    assert "did you mean 'Backwards'" in capsys.readouterr().err
    assert main([*words, "--executor", "own_executor:Backwards"]) == 0
    assert "2 ok" in capsys.readouterr().err
    assert (own / "own_executor.py.log").read_text() == "gce ce "


@pytest.mark.parametrize(
    ("name", "workers", "words"),
    [
        ("own_executor:Backwards", 2, "with 2 worker.*one after the other"),
        ("own_executor:Nothing", 1, "should be an executor, with run"),
        ("own_executor:NUMBER", 1, "should be a class or function of the number of workers"),
        ("no_such_module:Backwards", 1, "cannot be loaded: ModuleNotFoundError"),
    ],
)
@pytest.mark.usefixtures("own")
def test_what_is_no_executor_is_one_line(name: str, workers: int, words: str) -> None:
    with pytest.raises(UserError, match=words):
        registry.create(name, workers)
