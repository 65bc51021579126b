"""One proof: a method's steps recorded on a network, against the reference loop, and again."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from nlbench import baselines
from nlbench.benchmark.machine.device import repeatable
from nlbench.benchmark.runs.backend_check import TOLERANCE, apart
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.speed.engines import task_of
from nlbench.benchmark.training import GraphBackend, LoopBackend, Outcome, Task
from nlbench.benchmark.training.task import train

# How far recorded steps may be from the loop's after six steps: in float64 by the largest weight;
# in bf16, where another kernel may round another way, by how far the training moved the weights.
ALLOWED = {"float64": TOLERANCE, "bf16": 0.05}
# Two full batches and one of half the size an epoch: two recordings.
BATCH, IMAGES, EPOCHS = 32, 80, 2
KERNEL = re.compile(r"([\w:.<> ]+?) does not have a deterministic implementation")


@dataclass(frozen=True)
class Case:
    """What is to be proved."""

    method: str
    model: str
    precision: str
    strict: bool

    def __str__(self) -> str:
        """In words."""
        mode = "strict" if self.strict else "fast"
        return f"{self.method} on {self.model}, {self.precision}, {mode}"


@dataclass(frozen=True)
class Proof:
    """How it went; plain values, for they are sent between processes and put into a table.

    Attributes:
        case: as words.
        ok: whether the weights are the loop's, and in strict mode the same bits on each call.
        apart: distance from the loop's weights, see :data:`ALLOWED`.
        seconds: it took.
        reason: one line; empty if ``ok``.
        operation: the last operation begun before the error, seen in a second try.
        kernel: what has no deterministic form according to torch.
        traceback: of the error, with its causes.
    """

    case: str
    ok: bool
    apart: float | None = None
    seconds: float = 0.0
    reason: str = ""
    operation: str = ""
    kernel: str = ""
    traceback: str = ""


def prove(case: Case, device: torch.device) -> Proof:
    """Try one case; every error is an answer."""
    start = time.perf_counter()
    try:
        share, reason = _compare(case, device)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is the result
        return _explained(case, device, error, start)
    seconds = round(time.perf_counter() - start, 2)
    return Proof(str(case), not reason, share, seconds, reason)


def _compare(case: Case, device: torch.device) -> tuple[float, str]:
    """How far from the loop, and what is wrong about it, if anything."""
    with repeatable(1, case.strict):
        (reference,) = _tasks(case, device, 1)
        train(LoopBackend(), reference)
        first, _ = _graph(case, device)
        share = _share(case, device, reference, first)
        if not share <= ALLOWED[case.precision]:
            return share, f"weights differ from the loop's by a share of {share:.1e}"
        again, _ = _graph(case, device)
        if case.strict and (between := apart(first.network, again.network)) != 0.0:
            return share, f"two calls differ by a share of {between:.1e}, deterministic mode or not"
    return share, ""


def _share(case: Case, device: torch.device, reference: Task, found: Task) -> float:
    """How far the weights are from the reference's, by the measure of the precision."""
    if case.precision == "float64":
        return apart(reference.network, found.network)
    (start,) = _tasks(case, device, 1)
    weights = [torch.cat([p.detach().flatten() for p in t.network.parameters()]) for t in (
        start, reference, found
    )]  # fmt: skip
    moved = float((weights[1] - weights[0]).norm())
    return float((weights[2] - weights[1]).norm()) / moved


def _graph(case: Case, device: torch.device) -> list[Task]:
    """Two runs side by side, trained; off a GPU the same static steps, not recorded."""
    tasks = _tasks(case, device, 2)
    backend = GraphBackend(slots=2, capture=device.type == "cuda")
    ended = dict(backend.train_pack([lambda task=task: task for task in tasks]))  # type: ignore[misc]
    for number in range(len(tasks)):
        outcome = ended[number]
        if isinstance(outcome, Exception):
            raise outcome
        _check(outcome)
    return tasks


def _check(outcome: Outcome) -> None:
    if outcome.diverged is not None:
        raise ArithmeticError(f"loss or weights were not finite in epoch {outcome.diverged}")


def _tasks(case: Case, device: torch.device, count: int) -> list[Task]:
    """Rates are such that float32 holds them: the fused kernel of CUDA reads a float32."""
    recipe = Recipe(
        epochs=EPOCHS,
        batch_size=BATCH,
        lr=0.0625,
        schedule="step",
        milestones=(1,),
        gamma=0.5,
        weight_decay=1e-3,
        l1=1e-4,
        clip_norm=0.5,
        augment="crop_flip",
        precision=case.precision,
    )
    return [
        task_of(case.model, recipe, IMAGES, device, seed, baselines.create(case.method, {}))
        for seed in range(count)
    ]


class LastOperation(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes each operation before it is done; backward passes are seen too."""

    name = ""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        """Note it and do it."""
        del types
        self.name = str(func)
        return func(*args, **(kwargs or {}))


def _explained(case: Case, device: torch.device, error: Exception, start: float) -> Proof:
    """The error, and by a second try the operation at which it was raised."""
    with LastOperation() as seen:  # type: ignore[no-untyped-call]
        try:
            _compare(case, device)
            operation = "a second try did not fail"
        except Exception:  # noqa: BLE001  # the same again, or what it left behind
            operation = seen.name
    text = "".join(traceback.format_exception(error))
    kernel = KERNEL.search(text)
    return Proof(
        case=str(case),
        ok=False,
        seconds=round(time.perf_counter() - start, 2),
        reason=f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}",
        operation=operation,
        kernel=kernel[1].strip() if kernel else "",
        traceback=text,
    )
