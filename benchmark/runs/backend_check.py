"""Proof of a faster backend, on this machine and now: the weights that the reference loop leaves.

Speed is no use where the science changes. Before ``--backend auto`` trains anything by CUDA graphs,
they must leave the loop's weights in float64, over whole epochs with a short last batch, changing
rates, clipping and every kind of head; else the loop trains, and the reason is printed.
"""

from __future__ import annotations

import math
import multiprocessing
from functools import partial
from multiprocessing.connection import Connection

from torch import nn

from nlbench import baselines
from nlbench.benchmark.machine.device import repeatable
from nlbench.benchmark.runs.run import Context, prepare
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.spec.run_spec import DatasetSpec, MethodSpec, RunSpec
from nlbench.benchmark.training import Backend, GraphBackend, LoopBackend, Outcome, Task
from nlbench.benchmark.training.task import train

MODELS = ("mlp", "cnn_small")
METHODS = ("ce", "gce", "drainage")
# Relative, in float64: what different orders of summation may leave after some twenty steps.
TOLERANCE = 1e-10
# A card that has not answered by then, in seconds, is not waited for.
PATIENCE = 300


def graph_fails(device: str, strict: bool = True) -> str:
    """Why CUDA graphs are not trusted on this device, in words; empty if they are.

    In a process of its own: what goes wrong on a card may take everything in its process along.

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
    """Where a backend does not leave the loop's weights, in words; empty if it does everywhere.

    Runs on the digits that scikit-learn ships, every method of METHODS with every model of MODELS,
    two side by side.

    Args:
        backend: to be proved.
        device: as :func:`nlbench.benchmark.machine.device.resolve` names it.
    """
    context = Context(root=None, device=device, threads=1, environment={})
    for model in MODELS:
        specs = [_spec(model, method) for method in METHODS]
        expected, found = ([prepare(spec, context)[0] for spec in specs] for _ in range(2))
        for task in expected:
            train(LoopBackend(), task)
        ended = dict(backend.train_pack([partial(_same, task) for task in found]))
        for number, (spec, mine, other) in enumerate(zip(specs, expected, found, strict=True)):
            outcome = ended.get(number)
            if not isinstance(outcome, Outcome):
                return f"{spec.method.name} on {model}: {_said(outcome)}"
            if not (share := apart(mine.network, other.network)) < TOLERANCE:
                return f"{spec.method.name} on {model}: weights differ by a share of {share:.1e}"
    return ""


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


def apart(one: nn.Module, other: nn.Module) -> float:
    """Of all tensors' largest differences, by their largest values, the largest; inf if no number.

    Args:
        one: a network; its tensors' largest values are the unit.
        other: one of the same shape.
    """
    theirs = other.state_dict()
    shares = []
    for name, value in one.state_dict().items():
        a, b = value.double(), theirs[name].double()
        share = float((a - b).abs().max()) / (float(a.abs().max()) or 1.0)
        shares.append(share if math.isfinite(share) else math.inf)
    return max(shares)


def _said(error: object) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}{': ' + text[0] if text else ''}"
