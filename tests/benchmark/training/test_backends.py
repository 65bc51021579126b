"""Every backend against the reference loop in float64; slots, stacks and packs."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from nlbench.baselines.methods.ce import CE
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.runs.prepare import prepare
from nlbench.benchmark.runs.run import train, train_pack
from nlbench.benchmark.spec.recipe import OPTIMIZERS
from nlbench.benchmark.spec.run_spec import DatasetSpec, RunSpec
from nlbench.benchmark.training import (
    Backend,
    BackendConfig,
    BackendError,
    GraphBackend,
    Job,
    LoopBackend,
    Outcome,
    StackBackend,
    Task,
)
from nlbench.benchmark.training.cuda_graph_slot import GraphRunner
from nlbench.benchmark.training.interleave import Pack, Steps, out_of_memory
from nlbench.benchmark.training.task import train as train_alone
from tests.helpers.card import Recorder
from tests.helpers.runs import HERE, tiny

# 200 images in batches of 32: the last batch of an epoch has 8. Each line stresses something else.
RECIPES: dict[str, dict[str, Any]] = {
    "clipped": {"clip_norm": 0.3},
    "L1, L2": {"l1": 1e-3, "weight_decay": 1e-2, "clip_norm": 0.7},
    "nesterov, steps": {"nesterov": True, "schedule": "step", "milestones": (1,), "epochs": 3},
    "no momentum": {"momentum": 0.0, "clip_norm": 0.0},
    "Adam, L2, clipped": {"optimizer": "adam", "lr": 3e-3, "weight_decay": 1e-2, "clip_norm": 0.3},
    "AdamW, L1, steps": {
        "optimizer": "adamw",
        "lr": 3e-3,
        "weight_decay": 0.1,
        "l1": 1e-3,
        "clip_norm": 0.7,
        "betas": (0.8, 0.99),
        "eps": 1e-6,
        "schedule": "step",
        "milestones": (1,),
        "epochs": 3,
    },
    "augmented, held out": {
        "augment": "crop_flip_rotate",
        "dataset": DatasetSpec("digits", 20, 0.25),
    },
    "every third epoch, held out": {
        "eval_every": 3,
        "epochs": 7,
        "dataset": DatasetSpec("digits", 20, 0.25),
    },
}


def head(task: Task) -> torch.Tensor:
    """A copy of the head's weights."""
    weights: torch.Tensor = task.network.state_dict()["head.weight"]
    return weights.clone()


def rate_of(slot: GraphRunner) -> torch.Tensor:
    """Where the recorded steps read the learning rate."""
    rate: torch.Tensor = slot.trainer.members[0].optimiser.param_groups[0]["lr"]
    return rate


def task_of(spec: RunSpec) -> Task:
    return prepare(spec, HERE)[0]


def static(**settings: Any) -> GraphBackend:
    """The graph backend's static steps, launched one by one instead of recorded."""
    return GraphBackend(capture=False, **settings)


def same(one: Task, other: Task, rtol: float = 1e-10) -> None:
    states = one.network.state_dict(), other.network.state_dict()
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value, rtol=rtol, atol=rtol / 100, msg=name)


def compare(backend: Backend, specs: list[RunSpec]) -> None:
    """Weights, statistics and curves of a pack against the loop's, in float64."""
    expected, found = [task_of(s) for s in specs], [task_of(s) for s in specs]
    reference = [LoopBackend().train(task) for task in expected]
    ended = dict(backend.train_pack([lambda task=task: task for task in found]))  # type: ignore[misc]
    assert sorted(ended) == list(range(len(specs)))
    for number, outcome in enumerate(reference):
        mine = ended[number]
        assert isinstance(mine, Outcome), mine
        same(expected[number], found[number])
        assert mine.diverged == outcome.diverged
        assert mine.correct is not None
        assert outcome.correct is not None
        assert (mine.correct == outcome.correct).all()
        for name, curve in outcome.curves.items():
            assert [v is None for v in mine.curves[name]] == [v is None for v in curve], name
            values = [[v for v in c if v is not None] for c in (mine.curves[name], curve)]
            assert values[0] == pytest.approx(values[1], rel=1e-9), name


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("model", ["mlp", "cnn_small"])
def test_static_steps_are_the_loop_in_float64(model: str, recipe: str) -> None:
    specs = [
        tiny(name, model=model, precision="float64", **RECIPES[recipe])
        for name in ("ce", "drainage")
    ]
    compare(static(slots=2), specs)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("model", ["mlp", "cnn_small"])
def test_stacked_runs_are_the_loop_in_float64(model: str, recipe: str) -> None:
    """Two stacks, of K and of K + 1 outputs; seeds and noise differ within a stack."""
    specs = [
        tiny(name, model=model, precision="float64", seed=seed, noise=noise, **RECIPES[recipe])
        for name, seed, noise in (
            ("ce", 0, "symmetric:0.4"),
            ("gce", 1, "clean"),
            ("ce", 2, "asymmetric:0.2"),
            ("drainage", 0, "symmetric:0.4"),
            ("drainage", 1, "symmetric:0.2"),
        )
    ]
    compare(StackBackend(), specs)


@pytest.mark.parametrize("backend", [LoopBackend(), static(), StackBackend()])
def test_epochs_left_out_have_no_accuracy_and_change_no_other_number(backend: Backend) -> None:
    """Against a training that tests after every epoch: the same weights, the same values."""
    data = DatasetSpec("digits", 20, 0.25)
    every, third = (tiny(precision="float64", epochs=7, dataset=data, eval_every=n) for n in (1, 3))
    whole, task = task_of(every), task_of(third)
    expected, found = train_alone(backend, whole), train_alone(backend, task)
    same(whole, task, rtol=0)
    for name, curve in expected.curves.items():
        left_out = name in ("test_accuracy", "val_noisy", "val_clean")
        kept = [v if not left_out or e in (3, 6, 7) else None for e, v in enumerate(curve, 1)]
        assert found.curves[name] == kept, name
        assert len(curve) in (0, 7)
    assert np.array_equal(found.correct, expected.correct)  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", [LoopBackend(), static(slots=1), StackBackend()])
def test_a_run_that_diverges_between_evaluations_keeps_its_epochs(backend: Backend) -> None:
    spec = tiny(precision="float64", epochs=9, eval_every=2, seed=1)
    task = replace(task_of(spec), method=_Late())
    outcome = train_alone(backend, task)
    assert outcome.diverged == 4
    accuracies = outcome.curves["test_accuracy"]
    assert [v is None for v in accuracies] == [True, False, True]
    assert outcome.correct is not None


class _Late(CE):
    """Cross-entropy that is not a number from the 22nd step on: the fourth epoch of seven steps."""

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "steps", itertools.count(1))

    def per_sample(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        found = super().per_sample(logits, targets)
        return found * torch.nan if next(self.steps) > 21 else found  # type: ignore[attr-defined]


def test_each_run_of_a_stack_is_clipped_by_its_own_norm() -> None:
    """One run's huge gradient must not shrink its neighbour's: 1e6 times the loss, clipped."""
    spec = tiny(precision="float64", clip_norm=0.5, epochs=1)
    calm, wild = task_of(spec), task_of(replace(spec, seed=1))
    wild = replace(wild, method=_Loud())
    alone = task_of(spec)
    LoopBackend().train(alone)
    ended = dict(StackBackend().train_pack([lambda: calm, lambda: wild]))
    assert all(isinstance(outcome, Outcome) for outcome in ended.values())
    same(alone, calm)


class _Loud(CE):
    def per_sample(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return 1e6 * super().per_sample(logits, targets)


@pytest.mark.parametrize("precision", ["float32", "bf16"])
@pytest.mark.parametrize("model", ["mlp", "cnn_small"])
def test_static_steps_leave_the_bits_of_the_loop(model: str, precision: str) -> None:
    spec = tiny("drainage", model=model, precision=precision, augment="crop_flip")
    assert train(spec, HERE, static()).science() == train(spec, HERE).science()


def test_alone_in_a_pack_in_another_order_the_same_bits() -> None:
    specs = [
        tiny(name, model="cnn_small", seed=seed)
        for name, seed in itertools.product(("ce", "drainage"), (0, 1))
    ]
    alone = {s.run_id: train(s, HERE, static()).science() for s in specs}
    for order, slots in ((specs, 4), (specs[::-1], 2), (specs, 3)):
        found = {r.run_id: r.science() for r in train_pack(order, HERE, static(slots=slots))}
        assert found == alone


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_reused_slot_is_a_fresh_one(optimizer: str) -> None:
    backend = static(slots=1)
    first, second = (
        tiny("gce", model="cnn_small", seed=seed, optimizer=optimizer, lr=0.01) for seed in (0, 1)
    )
    train(first, HERE, backend)
    (slot,) = backend._idle
    again = train(second, HERE, backend)
    assert backend._idle == [slot]
    assert again.science() == train(second, HERE, static()).science()


def test_a_slot_is_clean_after_a_diverged_run() -> None:
    wild = tiny(model="cnn_small", lr=1e30, clip_norm=0.0, epochs=4)
    expected = train(wild, HERE)
    assert expected.status == "diverged"
    backend = static(slots=1)
    found = [train(spec, HERE, backend) for spec in (wild, wild)]
    assert all(record.science() == expected.science() for record in found)


def test_runs_that_differ_in_method_recipe_or_head_get_their_own_slots() -> None:
    backend = static(slots=2)
    specs = [tiny("ce"), tiny("gce"), tiny("ce", l1=1e-3), tiny("drainage"), tiny("ce")]
    for spec in specs:
        assert train(spec, HERE, backend).science() == train(spec, HERE).science()
    assert len(backend._idle) == 2


def test_the_learning_rate_acts_between_replays() -> None:
    """The rate is read from memory at every step: 0 holds the weights, twice the rate doubles."""
    task = task_of(tiny(precision="float64", momentum=0.0, clip_norm=0.0, schedule="constant"))
    slot = GraphRunner(task, capture=False)
    epoch = next(task.plan.epochs())

    def moved(rate: float) -> torch.Tensor:
        slot.load(task)
        slot.begin(epoch)
        rate_of(slot).fill_(rate)
        before = head(slot.task)
        slot.step(0)
        return head(slot.task) - before

    assert moved(0.0).abs().max() == 0
    torch.testing.assert_close(moved(0.02), 2 * moved(0.01))
    assert moved(0.01).abs().max() > 0


def test_what_is_in_the_buffers_before_a_run_does_not_matter() -> None:
    spec = tiny("drainage", model="cnn_small")
    backend = static(slots=1)
    expected = train(spec, HERE, backend).science()
    (slot,) = backend._idle
    with torch.no_grad():
        for batch in slot.buffers.values():
            batch.inputs.rows.fill_(7)
            batch.stats.losses.fill_(float("nan"))
        for value in (*slot.moments, *slot.task.network.parameters(), slot.stats.losses):
            value.fill_(float("nan"))
    assert train(spec, HERE, backend).science() == expected


def test_recording_leaves_no_trace_in_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in for CUDA: warm-up and recording train on, yet no run is moved by them."""
    specs = [tiny("drainage", model="cnn_small", augment="crop_flip", seed=s) for s in range(3)]
    specs.append(tiny("ce", model="cnn_small", dataset=DatasetSpec("digits", 20, 0.25)))
    expected = {s.run_id: train(s, HERE).science() for s in specs}
    recorder = Recorder(monkeypatch)
    found = {r.run_id: r.science() for r in train_pack(specs, HERE, GraphBackend(2))}
    assert found == expected
    # 200 and 150 images in batches of 32, two epochs: every step is a replay.
    assert recorder.replays == 3 * 2 * 7 + 2 * 5


def test_a_step_that_cannot_be_recorded_stops_the_pack_and_names_the_method(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Recorder(monkeypatch)

    @contextlib.contextmanager
    def refuse(*_args: Any, **_words: Any) -> Iterator[None]:
        yield
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(torch.cuda, "graph", refuse)
    with pytest.raises(BackendError, match=r"'gce'.*not permitted.*--backend loop"):
        list(train_pack([tiny("gce")], HERE, GraphBackend(2)))


# --- packs ----------------------------------------------------------------------------------------


class Numbered(int):
    """A number in place of a task."""

    check_time = None  # no time limit


def jobs(count: int) -> list[Job]:
    return [lambda number=number: Numbered(number) for number in range(count)]  # type: ignore[misc]


def test_a_pack_takes_turns_and_starts_a_job_only_when_a_slot_is_free() -> None:
    log: list[str] = []

    def start(task: Any) -> Steps:
        for step in range(2):
            log.append(f"{task}.{step}")
            yield
        return Outcome()

    ended = [number for number, _ in Pack(start, 2).run(jobs(3))]
    assert ended == [0, 1, 2]
    assert log == ["0.0", "1.0", "0.1", "1.1", "2.0", "2.1"]


def test_memory_that_runs_out_halves_the_pack_and_every_run_ends_well() -> None:
    """At most two fit; one that does not is started over, never lost, never recorded as failed."""
    alive: set[int] = set()
    most = [0]
    started: list[int] = []

    def start(task: Any) -> Steps:
        started.append(task)
        alive.add(task)
        try:
            for _ in range(3):
                if len(alive) > 2:
                    raise RuntimeError("recording failed") from torch.OutOfMemoryError("no memory")
                most[0] = max(most[0], len(alive))
                yield
            return Outcome()
        finally:
            alive.discard(task)

    pack = Pack(start, 8)
    ended = dict(pack.run(jobs(8)))
    assert sorted(ended) == list(range(8))
    assert all(isinstance(outcome, Outcome) for outcome in ended.values())
    assert most == [2]
    assert pack.limit <= 2
    assert len(started) > 8


def test_a_run_that_is_alone_and_has_no_memory_fails_and_the_next_goes_on() -> None:
    def start(task: Any) -> Steps:
        if task == 0:
            raise torch.OutOfMemoryError("no memory")
        yield
        return Outcome()

    ended = dict(Pack(start, 1).run(jobs(2)))
    assert isinstance(ended[0], torch.OutOfMemoryError)
    assert isinstance(ended[1], Outcome)


def test_a_run_that_raises_takes_nobody_along_but_a_broken_backend_stops_all() -> None:
    def start(task: Any) -> Steps:
        yield
        if task == 1:
            raise ValueError("bad run")
        if task == 3:
            raise BackendError("bad machine")
        return Outcome()

    ended = dict(Pack(start, 3).run(jobs(3)))
    assert isinstance(ended[1], ValueError)
    assert isinstance(ended[0], Outcome)
    assert isinstance(ended[2], Outcome)
    with pytest.raises(BackendError, match="bad machine"):
        list(Pack(start, 4).run(jobs(4)))


def test_a_run_waits_for_memory() -> None:
    alive = [0]

    def start(_task: Any) -> Steps:
        alive[0] += 1
        assert alive[0] == 1
        yield
        alive[0] -= 1
        return Outcome()

    assert len(list(Pack(start, 4, fits=lambda running: running == 0).run(jobs(3)))) == 3


def test_out_of_memory_is_recognised_as_a_cause() -> None:
    assert out_of_memory(torch.OutOfMemoryError("x"))
    assert not out_of_memory(ValueError("out of memory"))
    error = RuntimeError("while ending the recording")
    assert not out_of_memory(error)
    error.__context__ = torch.OutOfMemoryError("x")
    assert out_of_memory(error)


def test_cuda_itself_out_of_memory_is_recognised() -> None:
    """As an H200 said it on which other processes held what there was."""
    kind = getattr(torch, "AcceleratorError", RuntimeError)  # since PyTorch 2.8
    text = "CUDA error: {}\nSearch for `cudaErrorMemoryAllocation' in https://docs.nvidia.com"
    assert out_of_memory(kind(text.format("out of memory")))
    assert not out_of_memory(kind(text.format("device-side assert triggered")))


@pytest.mark.parametrize("backend", [LoopBackend(), static(), StackBackend()])
def test_a_job_that_cannot_be_prepared_fails_alone(backend: Backend) -> None:
    specs = [tiny(), tiny(noise="symmetric:0.4", dataset=DatasetSpec("nowhere")), tiny("gce")]
    records = {r.run_id: r for r in train_pack(specs, HERE, backend)}
    assert [records[s.run_id].status for s in specs] == ["ok", "failed", "ok"]
    assert "nowhere" in (records[specs[1].run_id].error or {})["message"]


def test_a_stack_in_which_one_run_raises_is_divided_until_it_is_alone() -> None:
    specs = [tiny(seed=seed, precision="float64") for seed in range(4)]

    def bad() -> Task:
        return replace(task_of(specs[2]), method=_Broken())

    made = [lambda s=s: task_of(s) for s in specs]
    ended = dict(StackBackend().train_pack([made[0], made[1], bad, made[3]]))
    assert isinstance(ended[2], ArithmeticError)
    for number in (0, 1, 3):
        outcome = ended[number]
        assert isinstance(outcome, Outcome)
        reference = LoopBackend().train(task_of(specs[number]))
        assert outcome.curves["train_loss"] == pytest.approx(reference.curves["train_loss"])


class _Broken(CE):
    def per_sample(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        raise ArithmeticError(f"{len(logits)} logits, {len(targets)} targets")


def test_a_diverged_run_ends_alone_in_its_stack() -> None:
    specs = [tiny(seed=seed, clip_norm=0.0) for seed in range(2)]
    tasks = [task_of(s) for s in specs]
    with torch.no_grad():
        tasks[0].network.head.weight.fill_(float("inf"))  # type: ignore[union-attr,operator]
    ended = dict(StackBackend().train_pack([lambda t=t: t for t in tasks]))  # type: ignore[misc]
    outcomes = [ended[0], ended[1]]
    assert all(isinstance(outcome, Outcome) for outcome in outcomes)
    assert [o.diverged for o in outcomes if isinstance(o, Outcome)] == [1, None]
    assert isinstance(ended[1], Outcome)
    assert len(ended[1].curves["test_accuracy"]) == 2


def test_what_alone_raises_is_raised() -> None:
    with pytest.raises(ArithmeticError):
        train_alone(LoopBackend(), replace(task_of(tiny()), method=_Broken()))


# --- choice ---------------------------------------------------------------------------------------


def test_auto_is_the_loop_until_something_has_proved_itself() -> None:
    assert BackendConfig().resolve(torch.device("cpu")).name == "loop"
    assert BackendConfig().resolve(torch.device("cuda:1")).name == "loop"


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        (BackendConfig("grap"), "grap.*graph"),
        (BackendConfig("graph"), "CUDA"),
        (BackendConfig("loop", slots=2), "one run at a time"),
        (BackendConfig("stack", slots=0), "at least 1"),
        (BackendConfig("loop", compiled=True), "--compile"),
    ],
)
def test_choices_that_cannot_work_are_refused(choice: BackendConfig, says: str) -> None:
    with pytest.raises(UserError, match=says):
        choice.resolve(torch.device("cpu"))


def test_the_record_says_how_it_was_trained() -> None:
    environment = train(
        tiny(), replace(HERE, choice=BackendConfig("stack", 3, strict=False))
    ).environment
    facts = {"backend": "stack", "slots": 3, "deterministic": False, "compiled": False}
    assert {key: environment[key] for key in facts} == facts


def test_no_run_is_started_after_the_time_is_over() -> None:
    assert list(train_pack([tiny()], replace(HERE, until=0.0))) == []


# --- on a GPU -------------------------------------------------------------------------------------


@pytest.fixture
def card() -> Iterator[torch.device]:
    with torch.cuda.device(0):
        yield torch.device("cuda:0")


def on(device: torch.device, spec: RunSpec) -> Task:
    return prepare(spec, replace(HERE, device=str(device)))[0]


@pytest.mark.gpu
@pytest.mark.parametrize("model", ["mlp", "cnn_small"])
@pytest.mark.parametrize("name", ["ce", "gce", "drainage"])
def test_replays_are_the_loop_in_float64_on_a_gpu(
    card: torch.device, model: str, name: str
) -> None:
    """Rates that float32 holds exactly, for the fused kernel reads the rate from a float32."""
    spec = tiny(
        name,
        model=model,
        precision="float64",
        lr=0.0625,
        schedule="step",
        milestones=(1, 2),
        gamma=0.5,
        epochs=3,
        l1=1e-3,
        clip_norm=0.5,
    )
    expected, found = on(card, spec), on(card, spec)
    LoopBackend().train(expected)
    train_alone(GraphBackend(), found)
    same(expected, found)


@pytest.mark.gpu
def test_replays_leave_equal_bits_alone_and_in_a_pack_on_a_gpu(card: torch.device) -> None:
    here = replace(HERE, device=str(card))
    specs = [
        tiny(name, model="cnn_small", precision="bf16", augment="crop_flip", seed=seed)
        for name, seed in itertools.product(("ce", "gce", "drainage"), (0, 1))
    ]
    alone = {s.run_id: train(s, here, GraphBackend(1)).science() for s in specs}
    for order, slots in ((specs, 4), (specs[::-1], 2)):
        found = {r.run_id: r.science() for r in train_pack(order, here, GraphBackend(slots))}
        assert found == alone


@pytest.mark.gpu
def test_nothing_waits_within_an_epoch_on_a_gpu(card: torch.device) -> None:
    task = on(card, tiny("drainage", model="cnn_small", precision="bf16", augment="crop_flip"))
    slot = GraphRunner(task, capture=True)
    slot.load(task)
    epoch = next(task.plan.epochs())
    slot.begin(epoch)  # pins memory for the first time, which may wait
    torch.cuda.set_sync_debug_mode("error")
    try:
        slot.begin(epoch)
        for number in range(slot.steps):
            slot.step(number)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    slot.finish().wait()


@pytest.mark.gpu
def test_the_learning_rate_acts_between_replays_on_a_gpu(card: torch.device) -> None:
    task = on(card, tiny(momentum=0.0, clip_norm=0.0))
    slot = GraphRunner(task, capture=True)
    slot.load(task)
    slot.begin(next(task.plan.epochs()))
    states = []
    for rate in (0.0, 0.1):
        rate_of(slot).fill_(rate)
        torch.cuda.synchronize()
        slot.step(0)
        torch.cuda.synchronize()
        states.append(head(slot.task))
    assert torch.equal(states[0], head(task))
    assert not torch.equal(states[0], states[1])
