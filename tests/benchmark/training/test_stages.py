"""Stages that train a part of a network, draw parts anew, or go on with the run's schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from nlbench.baselines import MethodError, Stage
from nlbench.baselines.methods.ce import CE
from nlbench.benchmark import models
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.runs.prepare import prepare
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.spec.run_spec import DatasetSpec
from nlbench.benchmark.streams import Streams
from nlbench.benchmark.training import LoopBackend, Task
from nlbench.benchmark.training.course import course
from nlbench.benchmark.training.images import augmented
from nlbench.benchmark.training.limits import check_method
from nlbench.benchmark.training.optimizer import learning_rate
from nlbench.benchmark.training.trainer import Trainer
from tests.helpers.runs import HERE, tiny

FIRST = Stage(epochs=2, at=0)
# At a rate that changes no weight: what is drawn anew can be looked at after the training.
STILL = {"lr": 1e-30, "weight_decay": 0.0}


def staged(*stages: Stage) -> CE:
    """Cross-entropy in these stages."""

    @dataclass(frozen=True, kw_only=True)
    class Staged(CE):
        def stages(self, epochs: int) -> tuple[Stage, ...]:  # noqa: ARG002
            return stages

    return Staged()


def task_of(method: CE | None = None, **changes: Any) -> Task:
    settings = {"precision": "float64", "model": "cnn_small", "augment": "crop_flip", **changes}
    spec = tiny("ce", **{"epochs": 4, "dataset": DatasetSpec("digits", 20, 0.25), **settings})
    task = prepare(spec, HERE)[0]
    return task if method is None else replace(task, method=method)


def left_by(*stages: Stage) -> dict[str, Tensor]:
    """Weights and statistics at the end of a run in these stages."""
    task = task_of(staged(*stages))
    assert LoopBackend().train(task).diverged is None
    return task.network.state_dict()


def moved(one: dict[str, Tensor], other: dict[str, Tensor]) -> set[str]:
    return {name for name, tensor in one.items() if not torch.equal(tensor, other[name])}


def weights_in(names: tuple[str, ...]) -> set[str]:
    """The weights of a network inside these modules."""
    network = task_of().network
    inside = tuple(f"{name}." for name in names)
    return {name for name, _ in network.named_parameters() if name.startswith(inside)}


@pytest.mark.parametrize("count", [1, 2])
def test_only_the_last_parts_are_trained_or_only_the_others(count: int) -> None:
    before = left_by(FIRST)
    names = models.last_parts(task_of().network, count)  # type: ignore[arg-type]
    last, every = weights_in(names), weights_in(("body", "head"))
    assert last < every
    for trains, expected in (("last", last), ("others", every - last), ("all", every)):
        after = left_by(FIRST, Stage(epochs=1, last=count, trains=trains))
        changed = moved(before, after)
        assert changed & every == expected, trains
        # Statistics of BatchNorm move in all parts.
        statistics = {name for name in before if name.endswith(("running_mean", "running_var"))}
        assert statistics <= changed, trains


def test_the_last_parts_are_drawn_from_the_stage_s_own_stream() -> None:
    before = left_by(FIRST)
    again = Stage(epochs=1, last=2, redraw=True, trains="last", recipe=STILL)
    after = left_by(FIRST, again)
    task = task_of()
    network = models.build("cnn_small", task.data.dataset.in_shape, 10)
    draws = partial(Streams(task.seed).generator, "init", "stage", 1)
    models.initialise(network, draws, 10)
    inside = weights_in(models.last_parts(network, 2))
    for name, tensor in network.double().state_dict().items():
        if name in inside:
            torch.testing.assert_close(after[name], tensor, msg=name)
        elif name in weights_in(("body", "head")):
            assert torch.equal(after[name], before[name]), name
    other = left_by(FIRST, Stage(epochs=1, recipe=STILL), again)
    matrices = {name for name in inside if after[name].ndim > 1}
    assert matrices <= moved(after, other)


def test_a_stage_goes_on_with_the_schedule_of_the_run() -> None:
    own = Stage(epochs=2, last=1, redraw=True, trains="last", recipe={"schedule": "constant"})
    method = staged(FIRST, own, Stage(epochs=3, at=2))
    recipe = Recipe(epochs=5, batch_size=32, lr=0.1, schedule="cosine")
    turns = list(course(method, recipe))
    rates = [learning_rate(turn.recipe, turn.at) for turn in turns]
    cosine = [0.05 * (1 + math.cos(math.pi * epoch / 5)) for epoch in range(5)]
    assert rates == pytest.approx([*cosine[:2], 0.1, 0.1, *cosine[2:]])
    assert [turn.begins for turn in turns] == [False, False, True, False, True, False, False]
    assert [turn.number for turn in turns] == list(range(7))
    with pytest.raises(MethodError, match=r"of 4 epochs that begins at 2 goes beyond .* 5 epochs"):
        list(course(staged(FIRST, Stage(epochs=4, at=2)), recipe))


def test_a_run_in_two_stages_of_one_schedule_is_one_run_with_a_new_momentum() -> None:
    method = staged(Stage(epochs=1, at=0), Stage(epochs=3, at=1))
    two, one = task_of(method, momentum=0.0), task_of(momentum=0.0)
    assert LoopBackend().train(two).curves == LoopBackend().train(one).curves
    assert not moved(two.network.state_dict(), one.network.state_dict())


@dataclass(frozen=True, kw_only=True)
class Looks(CE):
    """Cross-entropy whose sweeps are of two augmented views."""

    sweep_views = 2


def test_a_sweep_of_views_is_the_logarithm_of_their_mean_probability() -> None:
    task = task_of(Looks())
    trainer = Trainer(task)
    trainer.epoch(task.plan.take(0))
    found = trainer.sweep(3)
    trainer.members[0].network.eval()
    shares = []
    with torch.no_grad():
        for view in range(2):
            images = trainer.normalise(augmented(task, "sweep", 3, view))
            shares.append(trainer.forward(images).softmax(dim=1))
    assert not torch.equal(*shares)
    torch.testing.assert_close(found[0], torch.stack(shares).mean(dim=0).log())
    assert not torch.equal(found, trainer.sweep(4))
    assert torch.equal(found, trainer.sweep(3))
    plain = Trainer(task_of(Looks(), augment="none"))
    torch.testing.assert_close(
        plain.sweep(0), Trainer(task_of(augment="none")).sweep(0).log_softmax(dim=-1)
    )


def test_augmented_views_of_images_in_files_are_refused() -> None:
    with pytest.raises(UserError, match="looks at 2 augmented views of all images: that is for"):
        check_method(Looks(), "webvision", True, "clean", 0.0)
