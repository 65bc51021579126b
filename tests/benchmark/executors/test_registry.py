"""Executors by name: those of ours, joblib's, and one that somebody adds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.executors import registry
from nlbench.benchmark.executors.executor import T
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


@dataclass(frozen=True)
class Backwards:
    """The last pack first; notes how many there were."""

    workers: int
    seen: list[bool] = field(default_factory=list)

    def run(self, work: Callable[[T], None], packs: Sequence[T]) -> None:
        for pack in reversed(packs):
            work(pack)
            self.seen.append("'gce'" in repr(pack))


def test_an_executor_is_added_by_a_line_of_the_registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[Backwards] = []

    def backwards(workers: int) -> Backwards:
        made.append(Backwards(workers))
        return made[-1]

    monkeypatch.setitem(registry.NAMED, "backwards", backwards)
    words = ["run", "quick", "--seeds", "0", "--noise", "clean", "--methods", "ce,gce"]
    words += ["--device", "cpu", "--workers", "1", "--results", str(tmp_path)]
    assert main([*words, "--executor", "backward"]) == 2
    assert "did you mean 'backwards'" in capsys.readouterr().err
    assert main([*words, "--executor", "backwards"]) == 0
    assert "2 ok" in capsys.readouterr().err
    assert made == [Backwards(1, [True, False])]
