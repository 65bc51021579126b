"""Proof of a faster backend, on this machine and now: the weights that the reference loop leaves.

Speed is no use where the science changes. Before ``--backend auto`` trains anything by CUDA graphs,
they must leave the loop's weights and the loop's state of the method in float64, over whole epochs
with a short last batch, changing rates, clipping, every kind of head, several networks and state of
each kind; else the loop trains, and the reason is printed.
"""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Mapping
from functools import partial
from multiprocessing.connection import Connection

from torch import Tensor

from nlbench import baselines
from nlbench.benchmark.machine.device import repeatable
from nlbench.benchmark.runs.context import Context
from nlbench.benchmark.runs.prepare import prepare
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.spec.run_spec import DatasetSpec, MethodSpec, RunSpec
from nlbench.benchmark.training import Backend, GraphBackend, LoopBackend, Outcome, Task
from nlbench.benchmark.training.limits import refusal
from nlbench.benchmark.training.task import train

MODELS = ("mlp", "cnn_small")
# Losses alone, one with a further output; then rows of state, two networks, rows that are trained.
METHODS = ("ce", "gce", "drainage", "elr", "coteaching", "sop")
# Relative, in float64: what different orders of summation may leave after some twenty steps.
TOLERANCE = 1e-10
# A GPU that has not answered by then, in seconds, is not waited for.
PATIENCE = 300


def graph_fails(device: str, strict: bool = True) -> str:
    """Why CUDA graphs are not trusted on this device, in words; empty if they are.

    In a process of its own: an error on a GPU may end every computation of its process.

    Args:
        device: ``cuda`` or ``cuda:N``.
        strict: whether algorithms must be deterministic, as the runs' will be.
    """
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_tell, args=(theirs, device, strict), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(PATIENCE):
            return f"no answer within {PATIENCE} s"
        return str(ours.recv())
    except EOFError:
        return "the process that tried them died"
    finally:
        process.kill()
        process.join()


def _tell(ours: Connection, device: str, strict: bool) -> None:
    try:
        ours.send(_graph(device, strict))
    except Exception as error:  # noqa: BLE001  # whatever it is, it is a reason
        ours.send(_said(error))


def _graph(device: str, strict: bool) -> str:
    with repeatable(1, strict):
        return disagreement(GraphBackend(slots=2), device)


def disagreement(backend: Backend, device: str) -> str:
    """Where a backend does not leave what the loop leaves, in words; empty if it does everywhere.

    Runs on the digits that scikit-learn ships, every method of METHODS that the backend trains with
    every model of MODELS, two side by side.

    Args:
        backend: to be proved.
        device: as :func:`nlbench.benchmark.machine.device.resolve` names it.
    """
    context = Context(root=None, device=device, threads=1, environment={})
    for model in MODELS:
        specs = [_spec(model, method) for method in METHODS if _trains(backend, method)]
        expected = [_by_loop(spec, context) for spec in specs]
        found = [prepare(spec, context)[0] for spec in specs]
        ended = dict(backend.train_pack([partial(_same, task) for task in found]))
        for number, (spec, mine, task) in enumerate(zip(specs, expected, found, strict=True)):
            outcome = ended.get(number)
            if not isinstance(outcome, Outcome):
                return f"{spec.method.name} on {model}: {_said(outcome)}"
            share, where = apart(mine, left(task, outcome))
            if not share < TOLERANCE:
                return f"{spec.method.name} on {model}: {where} differs by a share of {share:.1e}"
    return ""


def _trains(backend: Backend, method: str) -> bool:
    return not refusal(backend.name, baselines.create(method, {}), _spec("mlp", method).recipe)


def _by_loop(spec: RunSpec, context: Context) -> dict[str, Tensor]:
    task = prepare(spec, context)[0]
    return left(task, train(LoopBackend(), task))


def _spec(model: str, method: str) -> RunSpec:
    """200 images in batches of 32, the last of 8; rates that float32 holds exactly.

    The fused kernel of CUDA reads the rate from a float32.
    """
    recipe = Recipe(
        epochs=3,
        batch_size=32,
        lr=0.0625,
        schedule="step",
        milestones=(1, 2),
        gamma=0.5,
        weight_decay=1e-3,
        l1=1e-3,
        clip_norm=0.5,
        precision="float64",
    )
    settings = MethodSpec.of(method, baselines.create(method, {}).params())
    return RunSpec(DatasetSpec("digits", 20), model, settings, "symmetric:0.4", 0, recipe)


def _same(task: Task) -> Task:
    return task


def left(task: Task, outcome: Outcome) -> dict[str, Tensor]:
    """What a training left, by name: weights and buffers of every network, the method's state."""
    networks = {
        f"network {number}, {name}": tensor
        for number, network in enumerate(task.networks, 1)
        for name, tensor in network.state_dict().items()
    }
    return {**networks, **outcome.state}


def apart(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> tuple[float, str]:
    """The largest difference of two sets of tensors, and in which tensor it is.

    Of each tensor the largest difference over its own largest value; inf if that is no number, or
    if only one of the two has the tensor.

    Args:
        one: tensors by name; their largest values are the units.
        other: those of another training.
    """
    shares = dict.fromkeys(one.keys() ^ other.keys(), math.inf)
    for name in one.keys() & other.keys():
        a, b = one[name].double(), other[name].double()
        share = float((a - b).abs().max()) / (float(a.abs().max()) or 1.0)
        shares[name] = share if math.isfinite(share) else math.inf
    return max(((share, name) for name, share in shares.items()), key=lambda found: found[0])


def _said(error: object) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}{': ' + text[0] if text else ''}"
