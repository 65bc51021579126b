"""Proof of a backend: passes for those that are the loop, and catches each way of not being it."""

from __future__ import annotations

import copy
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import pytest
import torch

from nlbench.benchmark.executors.options import TrainOptions
from nlbench.benchmark.executors.train_suite import automatic, shares
from nlbench.benchmark.runs import backend_check as proof
from nlbench.benchmark.runs.prepare import prepare
from nlbench.benchmark.training import GraphBackend, LoopBackend, StackBackend, Task
from nlbench.benchmark.training.task import Ended, Job, Outcome
from tests.helpers.runs import HERE, tiny


class Changed(LoopBackend):
    """The loop with something else in its tasks."""

    def __init__(self, **recipe: object) -> None:
        self._recipe = recipe

    def train_pack(self, jobs: Iterable[Job]) -> Iterator[Ended]:
        return super().train_pack([lambda job=job: self._other(job()) for job in jobs])  # type: ignore[misc]

    def _other(self, task: Task) -> Task:
        return replace(task, recipe=replace(task.recipe, **self._recipe))  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", [GraphBackend(slots=2, capture=False), StackBackend()])
def test_backends_that_are_the_loop_are_proved(backend: GraphBackend | StackBackend) -> None:
    assert proof.disagreement(backend, "cpu") == ""


@pytest.mark.parametrize(
    "recipe",
    [
        {"schedule": "constant"},  # the rate does not act
        {"clip_norm": 0.0},
        {"weight_decay": 0.0},
        {"l1": 0.0},
        {"momentum": 0.0},
    ],
)
def test_every_part_of_a_step_is_looked_at(recipe: dict[str, object]) -> None:
    said = proof.disagreement(Changed(**recipe), "cpu")
    assert re.match(r"ce on mlp: network 1, .* differs by a share of", said)


class Misremembers(LoopBackend):
    """The loop, but of the state only what is named is right."""

    def __init__(self, keeps: Callable[[str], bool]) -> None:
        self._keeps = keeps

    def train_pack(self, jobs: Iterable[Job]) -> Iterator[Ended]:
        for number, outcome in super().train_pack(jobs):
            assert isinstance(outcome, Outcome)
            outcome.state = {
                name: tensor if self._keeps(name) else tensor + 1e-6
                for name, tensor in outcome.state.items()
            }
            yield number, outcome


@pytest.mark.parametrize("method", ["elr", "sop"])
def test_state_is_looked_at(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "METHODS", (method,))
    said = proof.disagreement(Misremembers(lambda name: not name.startswith("rows.")), "cpu")
    assert re.match(rf"{method} on mlp: rows\.\w+ differs by a share of", said)
    assert proof.disagreement(Misremembers(lambda _: True), "cpu") == ""


class SecondStays(LoopBackend):
    """The loop, whose second networks are given back untrained."""

    def train_pack(self, jobs: Iterable[Job]) -> Iterator[Ended]:
        return super().train_pack([lambda job=job: _copied(job()) for job in jobs])  # type: ignore[misc]


def _copied(task: Task) -> Task:
    return replace(task, others=copy.deepcopy(task.others))


def test_every_network_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "METHODS", ("coteaching",))
    said = proof.disagreement(SecondStays(), "cpu")
    assert re.match(r"coteaching on mlp: network 2, .* differs by a share of", said)


def test_methods_that_a_backend_does_not_train_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proof, "METHODS", ("coteaching",))
    assert proof.disagreement(StackBackend(), "cpu") == ""


def test_a_tensor_that_only_one_has_is_apart() -> None:
    there = {"a": torch.ones(2)}
    assert proof.apart(there, {**there, "b": torch.ones(1)}) == (torch.inf, "b")
    assert proof.apart({"a": torch.tensor([4.0, 1.0])}, {"a": torch.tensor([4.0, 2.0])}) == (
        0.25,
        "a",
    )


class Broken(LoopBackend):
    def train_pack(self, jobs: Iterable[Job]) -> Iterator[Ended]:
        for number, _ in enumerate(jobs):
            yield number, RuntimeError("operation not permitted\nwhen stream is capturing")


def test_what_raises_is_not_proved() -> None:
    said = proof.disagreement(Broken(), "cpu")
    assert said == "ce on mlp: RuntimeError: operation not permitted"


def test_weights_that_are_not_numbers_are_apart() -> None:
    task = _task()
    with torch.no_grad():
        for value in task.network.parameters():
            value.fill_(torch.nan)
    other = _task()
    for pair in ((task, other), (other, task)):
        one, two = (proof.left(each, Outcome()) for each in pair)
        assert proof.apart(one, two)[0] == torch.inf


def _task() -> Task:
    return prepare(proof._spec("mlp", "ce"), HERE)[0]


def test_without_a_card_graphs_are_not_trusted_and_the_reason_is_said() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    assert proof.graph_fails("cuda") != ""


def _dies(*_: object) -> None:
    os._exit(9)


def _sleeps(*_: object) -> None:
    time.sleep(60)


def test_a_card_that_takes_the_process_along_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "_tell", _dies)
    assert proof.graph_fails("cuda") == "the process that tried them died"


def test_a_card_that_does_not_answer_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "_tell", _sleeps)
    monkeypatch.setattr(proof, "PATIENCE", 0.1)
    assert proof.graph_fails("cuda") == "no answer within 0.1 s"


@pytest.mark.parametrize(
    ("fails", "name", "says"),
    [("", "graph", "graph leaves the loop's weights"), ("no kernel", "loop", "no kernel")],
)
def test_auto_takes_graphs_where_they_are_proved(
    fails: str,
    name: str,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proof, "graph_fails", lambda *_: fails)
    said: list[str] = []
    assert automatic(torch.device("cuda:1"), True, said.append) == name
    assert len(said) == 1
    assert says in said[0]


def test_auto_trains_with_the_loop_what_graphs_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "graph_fails", lambda *_: pytest.fail("graphs were tried"))
    said: list[str] = []
    assert automatic(torch.device("cuda:1"), True, said.append, "they do not") == "loop"
    assert "graph is not used, loop trains: they do not" in said[0]


@pytest.mark.parametrize("fails", ["", "no kernel"])
def test_what_graphs_do_not_train_comes_last_and_by_the_loop(
    fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "graph_fails", lambda *_: fails)
    options = TrainOptions(device="cpu")
    setup = replace(options.resolve(), device=torch.device("cuda:1"))
    specs = [tiny(name, seed=seed) for seed in (0, 1) for name in ("dividemix", "ce", "sop+")]
    said: list[str] = []
    found = [
        ([spec.method.name for spec in part], its.choice.name)
        for part, its in shares(specs, options, setup, said.append)
    ]
    every = [spec.method.name for spec in specs]
    assert found == (
        [(every, "loop")]
        if fails
        else [(["ce", "sop+", "ce", "sop+"], "graph"), (["dividemix", "dividemix"], "loop")]
    )
    assert any("the loop trains 2 of the 6 runs" in line for line in said) is not bool(fails)
    asked = TrainOptions(device="cpu", backend="loop")
    (whole,) = shares(specs, asked, asked.resolve(), said.append)
    assert whole[0] == specs


@pytest.mark.gpu
@pytest.mark.parametrize("strict", [True, False])
def test_graphs_are_proved_on_a_gpu(strict: bool) -> None:
    assert proof.graph_fails("cuda:0", strict) == ""
