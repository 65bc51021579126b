"""Every registered method in the engine: backends agree, and nobody sees what he must not."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from nlbench import baselines
from nlbench.baselines import Batch, Facts, State, Step, hyper
from nlbench.baselines.methods.ce import CE
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.runs.prepare import prepare
from nlbench.benchmark.runs.run import train
from nlbench.benchmark.spec.run_spec import DatasetSpec, MethodSpec, RunSpec
from nlbench.benchmark.training import (
    Backend,
    GraphBackend,
    LoopBackend,
    Outcome,
    StackBackend,
    Task,
)
from nlbench.benchmark.training.cuda_graph_slot import GraphRunner
from nlbench.benchmark.training.limits import check_method, refusal
from nlbench.benchmark.training.trainer import Trainer
from nlbench.noise import NoisyLabels
from tests.helpers.card import Recorder
from tests.helpers.methods import AT_ONCE, STATEFUL, STATIC, UNTOLD
from tests.helpers.runs import HERE, tiny

# A quarter held out: ids have gaps. 150 images in batches of 32: the last batch has 22.
HELD = DatasetSpec("digits", 20, 0.25)
every = pytest.mark.parametrize("name", baselines.names())
stateful = pytest.mark.parametrize("name", STATEFUL)


def spec_of(name: str, params: dict[str, Any] | None = None, **changes: Any) -> RunSpec:
    method = baselines.create(name, AT_ONCE.get(name, {}) if params is None else params)
    settings = {"precision": "float64", "dataset": HELD, "augment": "crop_flip", **changes}
    return replace(tiny(name, **settings), method=MethodSpec.of(name, method.params()))


def task_of(spec: RunSpec) -> Task:
    return prepare(spec, HERE)[0]


def trained(task: Task) -> tuple[Trainer, dict[str, Tensor]]:
    """A run of the loop to its end, and all it leaves: weights, statistics, state."""
    trainer = Trainer(task)
    for epoch in task.plan.epochs():
        trainer.epoch(epoch)
    return trainer, left(trainer)


def left(trainer: Trainer) -> dict[str, Tensor]:
    weights = {
        f"{number}.{name}": tensor
        for number, member in enumerate(trainer.members)
        for name, tensor in member.tensors.items()
    }
    return {**weights, **trainer.memory.state.named()}


def close(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-10, atol=1e-12, msg=name)


@every
def test_static_steps_leave_the_loop_s_weights_and_state(name: str) -> None:
    task = task_of(spec_of(name))
    backend = GraphBackend(slots=1, capture=False)
    if refusal("graph", task.method, task.recipe):
        ((_, error),) = backend.train_pack([lambda: task])
        assert name in str(error)
        return
    _, expected = trained(task_of(spec_of(name)))
    for _ in range(2):  # the second run finds the slot of the first
        ((_, outcome),) = backend.train_pack([lambda: task_of(spec_of(name))])
        assert isinstance(outcome, Outcome), outcome
        (slot,) = backend._idle
        close(left(slot.trainer), expected)


@pytest.mark.parametrize("name", STATIC)
def test_recording_leaves_no_trace_in_a_state(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in for a card: the steps before recording move the state, and none is left."""
    _, expected = trained(task_of(spec_of(name)))
    recorder = Recorder(monkeypatch)
    backend = GraphBackend(slots=1)
    ((_, outcome),) = backend.train_pack([lambda: task_of(spec_of(name))])
    assert isinstance(outcome, Outcome), outcome
    assert recorder.replays == 2 * 5  # two epochs
    (slot,) = backend._idle
    close(left(slot.trainer), expected)


@every
def test_stacked_runs_are_the_loop_or_are_refused_by_name(name: str) -> None:
    specs = [spec_of(name, seed=seed) for seed in range(2)]
    found, expected = ([task_of(spec) for spec in specs] for _ in range(2))
    ended = dict(StackBackend().train_pack([lambda task=task: task for task in found]))  # type: ignore[misc]
    if refusal("stack", found[0].method, found[0].recipe):
        assert all(name in str(error) for error in ended.values())
        return
    for number, task in enumerate(expected):
        reference, outcome = LoopBackend().train(task), ended[number]
        assert isinstance(outcome, Outcome), outcome
        close(dict(found[number].network.state_dict()), dict(task.network.state_dict()))
        close(dict(outcome.state), dict(reference.state))
        for curve, values in reference.curves.items():
            assert outcome.curves[curve] == pytest.approx(values, rel=1e-9), curve


@every
def test_clean_labels_change_nothing_for_those_who_are_not_told(name: str) -> None:
    """All stages of a training; what records measure with clean labels is another matter."""
    # After two epochs the estimated matrix has no inverse yet.
    epochs = 4 if name == "backward-est" else 2
    spec = spec_of(name, {**AT_ONCE.get(name, {}), **UNTOLD.get(name, {})}, epochs=epochs)
    ended = []
    for change in (lambda labels: labels, poison):
        task = task_of(spec)
        if task.method.asks() - {"noisy_val"}:
            pytest.skip("the method is told, and says so")
        outcome = LoopBackend().train(replace(task, labels=change(task.labels)))
        weights = {
            f"{number}.{key}": value
            for number, network in enumerate(task.networks)
            for key, value in network.state_dict().items()
        }
        ended.append(({**weights, **outcome.state}, outcome.correct, outcome.curves["val_noisy"]))
    (mine, correct, chosen), (other, same, again) = ended
    assert mine.keys() == other.keys()
    assert all(torch.equal(mine[key], other[key]) for key in mine)
    assert np.array_equal(correct, same)  # type: ignore[arg-type]
    assert chosen == again


def test_only_those_who_say_so_are_told() -> None:
    told = {name for name in baselines.names() if baselines.create(name).asks()}
    assert told == {"forward", "backward", *UNTOLD}
    assert not any(baselines.create(name, params).asks() for name, params in UNTOLD.items())


def poison(labels: NoisyLabels) -> NoisyLabels:
    """The same labels with clean ones that nobody can use."""
    copy = replace(labels)
    object.__setattr__(copy, "clean", np.full_like(labels.clean, -1))
    return copy


@stateful
def test_rows_of_samples_held_out_stay_and_all_else_moves(name: str) -> None:
    task = task_of(spec_of(name))
    before = Trainer(task_of(spec_of(name))).memory.state
    if not before.rows and not before.parameters:
        return
    after = LoopBackend().train(task).state
    held = torch.from_numpy(task.split.validation)
    for key, rows in before.rows.items():
        assert torch.equal(after[f"rows.{key}"][held], rows[held]), key
        assert not torch.equal(after[f"rows.{key}"], rows), f"{key} never moves"
    for key, weights in before.parameters.items():
        assert not torch.equal(after[f"parameters.{key}"], weights), f"{key} is never trained"


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("elr", {"lam": 0.0}),
        ("elr", {"beta": 1.0}),
        ("selc", {"start": 1.0}),
        ("mixup", {"alpha": 0.0}),
        ("cdr", {"tau": 0.0}),
        ("coteaching", {"forget": 0.0}),
        ("coteaching+", {"forget": 0.0, "start": 1.0}),
        ("jocor", {"forget": 0.0, "lam": 0.0}),
        ("dividemix", {"warm": 1.0}),
        ("unicon", {"warm": 1.0}),
        ("promix", {"warm": 1.0}),
        ("cores2", {"beta": 0.0, "sieve": 1.0}),
        ("truncated-gce", {"q": 0.0, "start": 1.0, "every": 1.0}),
        ("plc", {"start": 1.0}),
        ("plc", {"theta": 0.0, "start": 0.0, "window": 1}),
        ("boot-soft", {"beta": 1.0}),
        ("boot-hard", {"beta": 1.0}),
        ("forward-est", {}),
        ("backward-est", {}),
    ],
)
def test_a_method_at_its_limit_is_cross_entropy_bit_for_bit(
    name: str, params: dict[str, Any]
) -> None:
    expected, found = (
        trained(task_of(spec_of(*one, precision="float32", clip_norm=0.5)))[1]
        for one in (("ce", {}), (name, params))
    )
    assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_what_recording_starts_from_stays_within_each_batch() -> None:
    """The first thing a recording does is a step with these; on a GPU it fails out of bounds."""
    task = task_of(spec_of("mixup"))
    runner = GraphRunner(task, capture=False)
    assert len(runner.buffers) == 2, "no short last batch"
    for size, batch in runner.buffers.items():
        assert batch.inputs.mixed is not None
        assert sorted(batch.inputs.mixed.partner.tolist()) == list(range(size))
        runner._step(batch)


@pytest.mark.parametrize(("name", "passes"), [("sop+", 1), ("gjs", 2)])
def test_joined_views_are_one_batch_and_others_go_one_after_the_other(
    name: str, passes: int
) -> None:
    """BatchNorm has statistics of both views together, or of each."""
    trainer = Trainer(task_of(spec_of(name, model="cnn_small")))
    (member,) = trainer.members
    sizes: list[int] = []

    def noting(images: Tensor) -> Tensor:
        sizes.append(len(images))
        found: Tensor = member.network(images)
        return found

    member.call = noting
    trainer.epoch(trainer.task.plan.epoch(0))
    share = 2 // passes
    assert sizes == [size for count in (32, 32, 32, 32, 22) for size in [share * count] * passes]


@pytest.mark.parametrize(
    "name", ["elr", "sop", "selc", "volminnet", "disc", "dividemix", "elr+", "unicon", "promix"]
)
def test_with_half_precision_networks_all_of_the_state_is_in_full(name: str) -> None:
    trainer, _ = trained(task_of(spec_of(name, precision="bf16")))
    state = list(trainer.memory.state.floating())
    assert state
    assert {tensor.dtype for tensor in state} <= {torch.float32, torch.float64}
    assert all(tensor.isfinite().all() for tensor in state)
    images = trainer.task.resident.x_train[:4]
    (outputs,) = trainer._outputs([trainer.normalise(images)])[0]
    assert outputs.dtype == torch.float32


def test_a_second_member_is_a_network_of_its_own_and_both_see_the_same_batches() -> None:
    record = train(spec_of("coteaching"), HERE)
    alone = train(spec_of("ce"), HERE)
    assert record.status == "ok"
    assert record.pairing == alone.pairing
    assert len(record.curves["test_member_0"]) == 2
    assert record.curves["test_member_0"] != record.curves["test_accuracy"]
    assert record.curves["kept"][0] == 1.0
    assert record.curves["kept"][1] == pytest.approx(0.6, abs=0.05)
    task = task_of(spec_of("coteaching"))
    first, second = (network.state_dict()["head.weight"] for network in task.networks)
    assert torch.equal(first, task_of(spec_of("ce")).network.state_dict()["head.weight"])
    assert not torch.equal(first, second)


@dataclass(frozen=True, kw_only=True)
class Reads(CE):
    """Uses what it does not ask for."""

    what: str = hyper("transition", "what it reads")

    def begin(self, facts: Facts) -> State:
        return State(globals={"read": facts.told[self.what]})


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("transition", "not told 'transition': a method that uses it declares it in `privileged`"),
        ("matrix", "not told 'matrix': there is no such thing, only noise_rate, transition,"),
    ],
)
def test_who_reads_what_it_does_not_ask_for_is_told_so_in_one_line(what: str, says: str) -> None:
    task = replace(task_of(spec_of("ce")), method=Reads(what=what))
    with pytest.raises(baselines.MethodError, match=says) as caught:
        Trainer(task)
    assert "\n" not in str(caught.value)


@dataclass(frozen=True, kw_only=True)
class Spoilt(CE):
    """Its state is no number from the second epoch on; the loss does not use it."""

    def begin(self, facts: Facts) -> State:
        return State(rows={"mark": facts.zeros(facts.samples)})

    def begin_epoch(self, state: State, facts: Facts, epoch: int, sweep: Tensor | None) -> None:  # noqa: ARG002
        state.put("mark", math.nan if epoch == 1 else 0.0)


@pytest.mark.parametrize(
    "backend", [LoopBackend(), GraphBackend(slots=1, capture=False), StackBackend()]
)
def test_a_state_that_is_no_number_ends_the_run_and_is_recorded(backend: Backend) -> None:
    spec = replace(spec_of("ce"), method=MethodSpec.of(f"{__name__}:Spoilt", {}))
    record = train(spec, HERE, backend)
    assert (record.status, len(record.curves["test_accuracy"])) == ("diverged", 1)
    assert record.error is not None
    assert record.error["message"] == (
        "loss, weights or the method's state were not finite in epoch 2"
    )


@dataclass(frozen=True, kw_only=True)
class Loses(CE):
    """Keeps no sample of the class 3."""

    selects: ClassVar[bool] = True

    def step(self, batch: Batch) -> Step:
        losses = self.loss(batch.output, batch.targets)
        return Step(losses=(losses,), weights=((batch.targets != 3).to(losses.dtype),))


def test_a_class_of_which_nothing_is_kept_is_recorded() -> None:
    spec = replace(spec_of("ce"), method=MethodSpec.of(f"{__name__}:Loses", {}))
    record = train(spec, HERE)
    assert record.status == "ok"
    assert record.curves["kept_least"] == (0.0, 0.0)
    assert record.curves["kept"][-1] == pytest.approx(0.9, abs=0.05)


def test_what_a_method_needs_and_a_run_lacks_is_one_line() -> None:
    with pytest.raises(baselines.MethodError, match="noise rate, which is not known"):
        check_method(baselines.create("coteaching"), "clothing1m", True, "given", 0.0)
    check_method(baselines.create("coteaching", {"forget": 0.4}), "clothing1m", True, "given", 0.0)
    with pytest.raises(UserError, match="2 views"):
        check_method(baselines.create("sop+"), "clothing1m", True, "given", 0.0)
