"""A run that was cut off goes on to the same bits; files that do not fit are set aside."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from nlbench import baselines
from nlbench.baselines import Batch, Facts, Stage, State, Step
from nlbench.baselines.methods.ce import CE
from nlbench.benchmark.executors.executor import Worker, checkpoint, remove_leftovers
from nlbench.benchmark.runs.context import Context
from nlbench.benchmark.runs.run import train
from nlbench.benchmark.spec.run_spec import DatasetSpec, MethodSpec, RunSpec
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.training import Backend, GraphBackend, Job, LoopBackend, Outcome, Task
from nlbench.benchmark.training.checkpoint import Checkpoint, Checkpoints
from nlbench.benchmark.training.task import Ended
from tests.helpers.methods import AT_ONCE, STATEFUL, STATIC
from tests.helpers.runs import HERE, tiny

HELD = DatasetSpec("digits", 20, 0.25)
# Without a state, but with draws beyond cross-entropy's: of partners, and of a second view.
DRAWING = ["mixup", "gjs"]


class Cut(BaseException):
    """The machine is taken away."""


@dataclass(frozen=True, kw_only=True)
class Twice(CE):
    """Cross-entropy, and then from the first weights again."""

    def stages(self, epochs: int) -> tuple[Stage, ...]:
        return Stage(epochs=epochs), Stage(epochs=epochs, start="first")


@dataclass(frozen=True, kw_only=True)
class Looks(CE):
    """Three stages: the best weights of each are looked at and gone on from."""

    def stages(self, epochs: int) -> tuple[Stage, ...]:
        later = Stage(epochs=epochs, start="best", look="best", recipe={"lr": 0.01})
        return Stage(epochs=epochs), later, later

    def begin(self, facts: Facts) -> State:
        return State(globals={"bias": facts.zeros(facts.num_classes)})

    def begin_stage(self, state: State, facts: Facts, stage: int, sweep: Tensor | None) -> None:  # noqa: ARG002
        assert sweep is not None
        assert sweep.shape == (1, facts.samples, facts.num_classes)
        state.put("bias", sweep.mean(dim=(0, 1)))

    def step(self, batch: Batch) -> Step:
        return Step(losses=(self.loss(batch.output + batch.globals["bias"], batch.targets),))


def spec_of(name: str, **changes: Any) -> RunSpec:
    method = baselines.create(name, AT_ONCE.get(name, {}))
    settings = {"dataset": HELD, "epochs": 3, "augment": "crop_flip", **changes}
    return replace(tiny("ce", **settings), method=MethodSpec.of(name, method.params()))


def static() -> Backend:
    return GraphBackend(slots=1, capture=False)


def cut_off(
    spec: RunSpec, here: Context, after: int, backend: Backend, patch: pytest.MonkeyPatch
) -> None:
    """Train until so many checkpoints are written, and lose all but the last."""
    real, count = Checkpoint.save, 0

    def save(self: Checkpoint, content: Any) -> None:
        nonlocal count
        real(self, content)
        count += 1
        if count == after:
            raise Cut

    with patch.context() as here_only:
        here_only.setattr(Checkpoint, "save", save)
        with pytest.raises(Cut):
            train(spec, here, backend)


def left_by(spec: RunSpec, here: Context, backend: Backend) -> tuple[RunRecord, dict[str, Tensor]]:
    """The record of a run, and all weights, statistics and state at its end."""
    kept: dict[str, Tensor] = {}

    class Watched:
        name, slots, facts = backend.name, backend.slots, backend.facts

        def train_pack(self, jobs: Iterable[Job]) -> Iterator[Ended]:
            tasks: list[Task] = []

            def watched(job: Job) -> Task:
                tasks.append(job())
                return tasks[-1]

            for ended in backend.train_pack([partial(watched, job) for job in jobs]):
                assert isinstance(ended[1], Outcome), ended[1]
                for number, network in enumerate(tasks[0].networks):
                    pairs = network.state_dict().items()
                    kept.update({f"{number}.{key}": t.clone() for key, t in pairs})
                kept.update(ended[1].state)
                yield ended

    return train(spec, here, Watched()), kept


@pytest.mark.parametrize(
    ("name", "kind", "recipe"),
    [
        *((name, LoopBackend, {}) for name in ["ce", *DRAWING, *STATEFUL]),
        *((name, static, {}) for name in ["ce", *DRAWING, *STATIC]),
        ("ce", LoopBackend, {"optimizer": "adam", "lr": 3e-3}),
        ("ce", static, {"optimizer": "adamw", "lr": 3e-3, "weight_decay": 0.1}),
        (f"{__name__}:Twice", LoopBackend, {}),
        (f"{__name__}:Looks", LoopBackend, {}),
    ],
)
def test_a_run_cut_off_after_any_epoch_leaves_the_same_record(
    name: str, kind: Any, recipe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of(name, **recipe)
    here = replace(HERE, checkpoints=Checkpoints(tmp_path, 0.0))
    expected, bits = left_by(spec, HERE, kind())
    assert expected.status == "ok", expected.error
    method = baselines.create(name, spec.method.values)
    epochs = sum(stage.epochs for stage in method.stages(spec.recipe.epochs))
    for after in range(1, epochs, 2) if epochs > 3 else (1, 2):
        cut_off(spec, here, after, kind(), monkeypatch)
        record, found = left_by(spec, here, kind())
        assert record.science() == expected.science()
        assert record.timing["resumed"] == 1
        assert found.keys() == bits.keys()
        assert all(torch.equal(found[key], bits[key]) for key in bits)
        here.checkpoints.path(spec.run_id).unlink()  # type: ignore[union-attr]


def test_a_stage_from_the_first_weights_is_the_run_alone() -> None:
    twice, once = (train(spec_of(name), HERE) for name in (f"{__name__}:Twice", "ce"))
    assert dict(twice.curves) == dict(once.curves)
    assert twice.test_correct == once.test_correct
    assert twice.pairing == once.pairing


def test_stages_from_the_best_weights_have_curves_of_all_epochs() -> None:
    record = train(spec_of(f"{__name__}:Looks"), HERE)
    assert len(record.curves["test_accuracy"]) == 9
    without = spec_of(f"{__name__}:Looks", dataset=DatasetSpec("digits", 20))
    failed = train(without, HERE)
    assert failed.error is not None
    assert "held-out samples" in failed.error["message"]


@pytest.mark.parametrize("harm", ["cut short", "changed", "of another machine"])
def test_a_checkpoint_that_does_not_fit_is_set_aside_with_a_line(
    harm: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = spec_of("elr")
    here = replace(HERE, checkpoints=Checkpoints(tmp_path, 0.0))
    cut_off(spec, here, 1, LoopBackend(), monkeypatch)
    path = tmp_path / f"{spec.run_id}.pt"
    content = path.read_bytes()
    if harm == "cut short":
        path.write_bytes(content[:-1000])
    elif harm == "changed":
        path.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
    else:
        here = replace(here, environment={"nlbench": "another"})
    record = train(spec, here)
    assert record.science() == train(spec, HERE).science()
    assert "resumed" not in record.timing
    (line,) = capsys.readouterr().err.splitlines()
    assert str(path) in line
    assert "the run begins anew" in line
    assert path.with_suffix(".aside").exists()


def test_a_written_record_leaves_no_checkpoint(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store", create=True)
    folder = store.root / "checkpoints"
    spec = spec_of("ce")
    Worker(store, replace(HERE, checkpoints=Checkpoints(folder, 0.0)))(spec)
    record = store.read(spec.run_id)
    assert record is not None
    assert record.status == "ok"
    assert list(folder.iterdir()) == []


def test_who_takes_a_run_over_goes_on_from_the_checkpoint_of_the_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(tmp_path / "store", create=True)
    spec = spec_of("elr")
    here = replace(HERE, checkpoints=Checkpoints(store.root / "checkpoints", 0.0))
    cut_off(spec, here, 2, LoopBackend(), monkeypatch)
    claims = store.root / "claims"
    claims.mkdir()
    (claims / f"{spec.run_id}.claim").touch()
    os.utime(claims / f"{spec.run_id}.claim", (1, 1))
    Worker(store, here)(spec)
    record = store.read(spec.run_id)
    assert record is not None
    assert record.timing["resumed"] == 1
    assert record.science() == train(spec, HERE).science()
    assert [*claims.iterdir(), *(store.root / "checkpoints").iterdir()] == []


@pytest.mark.parametrize("newer", [True, False])
def test_a_checkpoint_goes_with_its_record_but_not_with_an_older_one(
    newer: bool, tmp_path: Path
) -> None:
    """Older: its run is being repeated. Newer: its owner died before it removed the checkpoint."""
    store = Store.open(tmp_path / "store", create=True)
    spec = spec_of("ce")
    Worker(store, HERE)(spec)
    last = checkpoint(store, spec.run_id)
    last.parent.mkdir()
    last.touch()
    written = store.path(spec.run_id).stat().st_mtime
    os.utime(last, (written - 1, written - 1) if newer else (written + 1, written + 1))
    remove_leftovers(store, spec.run_id)
    assert last.exists() != newer


def test_a_run_that_is_ended_without_checkpoints_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(tmp_path / "store", create=True)
    spec = spec_of("ce")
    here = replace(HERE, checkpoints=Checkpoints(store.root / "checkpoints", 0.0))
    cut_off(spec, here, 1, LoopBackend(), monkeypatch)
    assert checkpoint(store, spec.run_id).exists()
    Worker(store, HERE)(spec)
    assert not checkpoint(store, spec.run_id).exists()


def test_checkpoints_hold_nothing_but_tensors_and_plain_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of("coteaching")
    cut_off(spec, replace(HERE, checkpoints=Checkpoints(tmp_path, 0.0)), 1, static(), monkeypatch)
    data = (tmp_path / f"{spec.run_id}.pt").read_bytes().split(b"\n", 2)[2]
    (tmp_path / "plain.pt").write_bytes(data)
    assert torch.load(tmp_path / "plain.pt", weights_only=True)["content"]["done"] == 1
