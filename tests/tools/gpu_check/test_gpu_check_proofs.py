"""Proofs of the GPU call: what is not the loop is found and explained, then the next is tried."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from nlbench import baselines
from nlbench.baselines.methods.ce import CE
from nlbench.benchmark.runs.backend_check import METHODS
from nlbench.benchmark.training import GraphBackend, Task
from nlbench.benchmark.training.cuda_graph_slot import GraphRunner
from tools.gpu_check import prove, words
from tools.gpu_check.proofs import STUDY, Trial, cases, does, one_of_each_kind, unproved
from tools.gpu_check.prove import Case, Proof

CPU = torch.device("cpu")
CASE = Case("drainage", "mlp", "float64", strict=True)


@pytest.mark.parametrize("case", [CASE, Case("gce", "cnn_small", "bf16", strict=False)])
def test_static_steps_are_proved(case: Case) -> None:
    proof = prove.prove(case, CPU)
    assert (proof.ok, proof.reason, proof.traceback) == (True, "", "")
    assert proof.apart is not None
    assert proof.apart < 1e-10 if case.precision == "float64" else proof.apart < 0.05


def test_another_rate_is_not_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    original = GraphRunner.begin

    def begin(runner: GraphRunner, *args: Any) -> None:
        original(runner, *args)
        for group in (g for m in runner.trainer.members for g in m.optimiser.param_groups):
            group["lr"].mul_(0.9)

    monkeypatch.setattr(GraphRunner, "begin", begin)
    for precision in ("float64", "bf16"):
        proof = prove.prove(replace(CASE, precision=precision), CPU)
        assert not proof.ok
        assert re.search(r"network 1.* differs from the loop's by a share of", proof.reason)


def test_calls_that_differ_are_not_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    count = iter(range(1, 100))
    original = GraphBackend.train_pack

    def other(self: GraphBackend, jobs: Any) -> Iterator[Any]:
        def moved(task: Task) -> Task:
            with torch.no_grad():
                next(task.network.parameters()).mul_(1 + 1e-13 * next(count))
            return task

        return original(self, [lambda job=job: moved(job()) for job in jobs])  # type: ignore[misc]

    monkeypatch.setattr(GraphBackend, "train_pack", other)
    assert "two calls differ" in prove.prove(CASE, CPU).reason
    assert prove.prove(replace(CASE, strict=False), CPU).ok


class _Broken(CE):
    """Fails as a card does in deterministic mode, in the midst of a step."""

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        del targets
        logits.sort(dim=1)
        raise RuntimeError("put_ does not have a deterministic implementation, but you set it")


def test_an_error_comes_with_traceback_operation_and_kernel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(baselines, "create", lambda *_args: _Broken())
    proof = prove.prove(CASE, CPU)
    assert not proof.ok
    assert proof.reason.startswith("RuntimeError: put_ does not have")
    assert proof.operation.startswith("aten.sort")
    assert proof.kernel == "put_"
    assert "in per_sample" in proof.traceback


def test_where_a_card_answers_no_more_no_operation_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a failed assertion on a card the next operation fails, whichever it is."""
    monkeypatch.setattr(baselines, "create", lambda *_args: _Broken())

    def dead(*_: Any, **__: Any) -> Tensor:
        raise RuntimeError("CUDA error: device-side assert triggered")

    monkeypatch.setattr(torch, "ones", dead)
    proof = prove.prove(CASE, CPU)
    assert (proof.ok, proof.operation) == (False, "")
    assert "in per_sample" in proof.traceback


def test_the_study_comes_first_and_every_case_once() -> None:
    made = cases(("ce", "drainage", "forward", "gce"), ("cnn8", "resnet18"))
    assert len(set(made)) == len(made) == 4 * 2 * 4
    assert {case.method for case in made[:24]} == set(STUDY)
    assert made[0] == Case("ce", "cnn8", "bf16", True)
    assert all(case.strict for case in made[:12])


def test_after_the_study_comes_one_method_of_each_kind() -> None:
    carried = [name for name in baselines.names() if not prove.skipped(name)]
    kinds = one_of_each_kind(baselines.names())
    assert set(METHODS) <= set(kinds) <= set(carried)
    shown, there = (
        set().union(*(does(baselines.get(name)) for name in names)) for names in (kinds, carried)
    )
    assert shown == there >= {"members", "views", "mixing", "optimiser", "wants_sweep"}
    made = cases(baselines.names(), ("cnn8",))
    assert {case.method for case in made} == set(baselines.names())
    order = list(dict.fromkeys(case.method for case in made))
    assert set(order[: len(kinds)]) == set(kinds)
    assert len(kinds) < len(carried) / 2


def test_hooks_and_declarations_tell_kinds_apart() -> None:
    plain, two = (does(baselines.get(name)) for name in ("ce", "coteaching"))
    assert two - plain >= {"members", "selects", "begin", "step"}
    assert "members" not in plain
    assert "optimiser" in does(baselines.get("volminnet"))


def test_what_graph_does_not_carry_is_skipped_by_name() -> None:
    proof = prove.prove(replace(CASE, method="forward-est"), CPU)
    assert (proof.ok, proof.tried) == (False, False)
    assert proof.reason.startswith(prove.SKIPPED)
    assert "'forward-est' (it trains in stages)" in proof.reason


@pytest.mark.parametrize("method", ["coteaching", "elr"])
def test_every_network_and_the_state_are_compared(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of Co-teaching the second network, of ELR the rows, are spoilt at the end."""
    original = GraphRunner.unload

    def unload(runner: GraphRunner, task: Task) -> dict[str, Tensor]:
        state = original(runner, task)
        with torch.no_grad():
            for network in task.others:
                next(network.parameters()).add_(0.1)
        return {name: tensor + 0.1 for name, tensor in state.items()}

    monkeypatch.setattr(GraphRunner, "unload", unload)
    where = {"coteaching": "network 2|globals", "elr": "rows"}[method]
    for precision in ("float64", "bf16"):
        proof = prove.prove(Case(method, "mlp", precision, strict=True), CPU)
        assert re.match(rf"({where}).* differs from the loop's", proof.reason)


# --- cases in processes ---------------------------------------------------------------------------


def _acts(case: Case, _device: torch.device) -> Proof:
    if case.method == "dies":
        os._exit(7)
    if case.method == "hangs":
        time.sleep(600)
    return Proof(str(case), case.method == "good", reason="" if case.method == "good" else "bad")


def named(*methods: str) -> list[Case]:
    return [replace(CASE, method=method) for method in methods]


def test_a_process_that_dies_or_hangs_ends_its_case_alone(tmp_path: Path) -> None:
    path = tmp_path / "tables" / "proofs.json"
    trial = Trial("cpu", time.monotonic() + 300, path, _acts, patience=2.0)
    todo = named("good", "dies", "good", "fails", "hangs", "good")
    found = trial.run(todo, workers=1)
    assert [proof.ok for proof in found] == [True, False, True, False, False, True]
    assert "died (exit status 7)" in found[1].reason
    assert "no answer within 2 s" in found[4].reason
    table = words.read(path)
    assert [row["ok"] for row in table] == [proof.ok for proof in found]


def test_what_there_is_no_time_for_is_said_to_be_untried(tmp_path: Path) -> None:
    trial = Trial("cpu", time.monotonic() - 1, tmp_path / "proofs.json", _acts)
    found = trial.run(named("good", "good"), workers=2)
    assert [proof.reason for proof in found] == ["not tried: the time was over"] * 2
    assert not any(proof.tried for proof in found)


def test_a_case_that_the_end_of_the_time_cuts_off_has_not_failed(tmp_path: Path) -> None:
    trial = Trial("cpu", time.monotonic() + 5, tmp_path / "proofs.json", _acts, patience=120.0)
    (found,) = trial.run(named("hangs"), workers=1)
    assert (found.ok, found.tried, found.reason) == (False, False, "not tried: the time was over")


def test_graphs_are_used_only_where_each_method_of_the_study_is_proved() -> None:
    whole = [
        asdict(Proof(str(Case(method, "cnn8", precision, strict=True)), ok=True))
        for method in STUDY
        for precision in ("bf16", "float64")
    ]
    assert unproved(whole, "cnn8") == ""
    assert "not tried" in unproved(whole, "resnet18")
    assert "not tried" in unproved(whole[1:], "cnn8")
    assert unproved(None, "cnn8") == "there are no proofs"
    broken = [*whole[:-1], {**whole[-1], "ok": False, "reason": "no kernel"}]
    assert "no kernel" in unproved(broken, "cnn8")
