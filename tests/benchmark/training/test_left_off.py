"""A run that is asked to stop writes its checkpoint and leaves no record; the next call ends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nlbench.benchmark.runs.run import train, train_pack
from nlbench.benchmark.training import Backend, GraphBackend, LoopBackend
from nlbench.benchmark.training.checkpoint import Checkpoint, Checkpoints
from tests.helpers.runs import HERE, tiny


def static() -> Backend:
    return GraphBackend(slots=2, capture=False)


@pytest.mark.parametrize(("kind", "begun"), [(LoopBackend, 1), (static, 2)])
def test_what_was_begun_is_written_and_goes_on_to_the_same_bits(
    kind: Callable[[], Backend], begun: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = [tiny(seed=seed, epochs=4) for seed in range(3)]
    expected = [train(spec, HERE, kind()).science() for spec in specs]
    stop, checkpoints = tmp_path / "stop", Checkpoints(tmp_path / "checkpoints", 60.0)
    here = replace(HERE, stop=stop, checkpoints=checkpoints)
    due, asked = Checkpoint.due, []

    def in_the_second_epoch(self: Checkpoint) -> bool:
        asked.append(self.path)
        if asked.count(self.path) == 2:
            stop.touch()
        return due(self)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "due", in_the_second_epoch)
        assert list(train_pack(specs, here, kind())) == []
    assert sum(checkpoints.path(spec.run_id).is_file() for spec in specs) == begun
    assert list(train_pack(specs, here, kind())) == []
    stop.unlink()
    records = sorted(train_pack(specs, here, kind()), key=lambda record: record.spec.seed)
    assert [record.science() for record in records] == expected
    assert sum("resumed" in record.timing for record in records) == begun


def test_a_run_without_checkpoints_goes_on_to_its_end(tmp_path: Path) -> None:
    here = replace(HERE, stop=tmp_path / "stop")
    ended = train_pack([tiny(), tiny(seed=1)], here)
    next(ended)
    (tmp_path / "stop").touch()
    assert list(ended) == []
