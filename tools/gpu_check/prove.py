"""One proof: a method's steps recorded on a network, against the reference loop, and again."""

from __future__ import annotations

import math
import re
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from nlbench import baselines
from nlbench.benchmark.machine.device import repeatable
from nlbench.benchmark.runs.backend_check import TOLERANCE, apart, left
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.speed.engines import task_of
from nlbench.benchmark.training import GraphBackend, LoopBackend, Outcome, Task
from nlbench.benchmark.training.limits import refusal
from nlbench.benchmark.training.memory import Memory
from nlbench.benchmark.training.task import train

# How far what recorded steps leave (weights, the method's state) may be from the loop's after six
# steps: in float64 by a tensor's largest value; in bf16, where another kernel may round another
# way, by how far the training moved it.
ALLOWED = {"float64": TOLERANCE, "bf16": 0.05}
# Two full batches and one of half the size an epoch: two recordings.
BATCH, IMAGES, EPOCHS = 32, 80, 2
# How the reason begins of a case that backend graph does not take on.
SKIPPED = "skipped"
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
        ok: whether weights and state are the loop's, in strict mode the same bits on each call.
        apart: distance from the loop's, see :data:`ALLOWED`.
        seconds: it took.
        tried: to its end; if not, ``reason`` states why not, and nothing is known.
        reason: one line; empty if ``ok``.
        operation: the last operation begun before the error, seen in a second try; empty where
            there can be none.
        kernel: what has no deterministic form according to torch.
        traceback: of the error, with its causes.
    """

    case: str
    ok: bool
    apart: float | None = None
    seconds: float = 0.0
    tried: bool = True
    reason: str = ""
    operation: str = ""
    kernel: str = ""
    traceback: str = ""


def prove(case: Case, device: torch.device) -> Proof:
    """Try one case; every error is an answer."""
    start = time.perf_counter()
    if reason := skipped(case.method):
        return Proof(str(case), ok=False, tried=False, reason=f"{SKIPPED}: {reason}")
    try:
        share, reason = _compare(case, device)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is the result
        return _explained(case, device, error, start)
    seconds = round(time.perf_counter() - start, 2)
    return Proof(str(case), not reason, share, seconds, reason=reason)


def skipped(method: str) -> str:
    """Why backend graph does not train a method at all; empty if it does."""
    return refusal("graph", baselines.create(method, {}), _recipe("float64"))


def _compare(case: Case, device: torch.device) -> tuple[float, str]:
    """How far from the loop, and what is wrong about it, if anything."""
    with repeatable(1, case.strict):
        (task,) = _tasks(case, device, 1)
        reference = left(task, train(LoopBackend(), task))
        first = _graph(case, device)
        share, where = _share(case, device, reference, first)
        if not share <= ALLOWED[case.precision]:
            return share, f"{where} differs from the loop's by a share of {share:.1e}"
        if case.strict:
            between, where = apart(first, _graph(case, device))
            if between != 0.0:
                return share, f"two calls differ by a share of {between:.1e}, in {where}"
    return share, ""


def _share(
    case: Case, device: torch.device, reference: Mapping[str, Tensor], found: Mapping[str, Tensor]
) -> tuple[float, str]:
    """How far it is from the reference, by the measure of the precision, and in what."""
    if case.precision == "float64":
        return apart(reference, found)
    (task,) = _tasks(case, device, 1)
    start = left(task, Outcome(state=Memory(task).state.named()))
    return max(
        (_by_movement(start, reference, found, names), what)
        for what, names in _parts(task, reference).items()
    )


def _parts(task: Task, tensors: Mapping[str, Tensor]) -> dict[str, list[str]]:
    """Names of tensors that are compared as one: a network's weights, a tensor of the state.

    BatchNorm's statistics act in no step; weights and state do.
    """
    parts = {name: [name] for name in tensors if not name.startswith("network ")}
    for number, network in enumerate(task.networks, 1):
        weights = [f"network {number}, {name}" for name, _ in network.named_parameters()]
        parts[f"network {number}"] = weights
    return parts


def _by_movement(
    start: Mapping[str, Tensor],
    reference: Mapping[str, Tensor],
    found: Mapping[str, Tensor],
    names: Sequence[str],
) -> float:
    """Distance from the reference over the way that the training went; inf if it is no number."""
    before, expected, mine = (
        torch.cat([tensors[name].detach().double().flatten() for name in names])
        for tensors in (start, reference, found)
    )
    # What does not move in a training, such as a given transition matrix, must be the same.
    moved = float((expected - before).norm()) or torch.finfo(torch.float64).tiny
    share = float((mine - expected).norm()) / moved
    return share if math.isfinite(share) else math.inf


def _graph(case: Case, device: torch.device) -> dict[str, Tensor]:
    """What the first of two runs side by side leaves; off a GPU the same steps, not recorded."""
    tasks = _tasks(case, device, 2)
    backend = GraphBackend(slots=2, capture=device.type == "cuda")
    ended = dict(backend.train_pack([lambda task=task: task for task in tasks]))  # type: ignore[misc]
    outcomes = [_sound(ended[number]) for number in range(len(tasks))]
    return left(tasks[0], outcomes[0])


def _sound(outcome: Outcome | Exception) -> Outcome:
    if isinstance(outcome, Exception):
        raise outcome
    if outcome.diverged is not None:
        raise ArithmeticError(f"loss or weights were not finite in epoch {outcome.diverged}")
    return outcome


def _tasks(case: Case, device: torch.device, count: int) -> list[Task]:
    recipe = _recipe(case.precision)
    return [
        task_of(case.model, recipe, IMAGES, device, seed, baselines.create(case.method, {}))
        for seed in range(count)
    ]


def _recipe(precision: str) -> Recipe:
    """Rates are such that float32 holds them: the fused kernel of CUDA reads a float32."""
    return Recipe(
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
        precision=precision,
    )


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


def _last_operation(case: Case, device: torch.device) -> str:
    with LastOperation() as seen:  # type: ignore[no-untyped-call]
        try:
            _compare(case, device)
        except Exception:  # noqa: BLE001  # the same again
            return str(seen.name)
    return "a second try did not fail"


def _answers(device: torch.device) -> bool:
    """Whether a process can still compute: not after an assertion failed on its GPU."""
    try:
        torch.ones(1, device=device).sum().item()
    except RuntimeError:
        return False
    return True


def _explained(case: Case, device: torch.device, error: Exception, start: float) -> Proof:
    """The error, and by a second try the operation at which it was raised."""
    operation = _last_operation(case, device) if _answers(device) else ""
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
