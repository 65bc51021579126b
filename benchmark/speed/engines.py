"""Speed of the training engines: the plain loop of a repository, loop, graph and stack.

Images are random 32x32 pixels: the speed does not depend on them, and no data set is needed.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from nlbench import baselines, noise
from nlbench.benchmark.datasets import Dataset
from nlbench.benchmark.machine.device import cores, repeatable, resolve
from nlbench.benchmark.pipeline.batches import BatchPlan, Split
from nlbench.benchmark.pipeline.in_memory import Resident
from nlbench.benchmark.runs.context import Context
from nlbench.benchmark.runs.prepare import networks, prepare
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.spec.run_spec import DatasetSpec, MethodSpec, RunSpec
from nlbench.benchmark.speed.peak_flops import peak_flops, timed, training_flops
from nlbench.benchmark.speed.pipeline import PerSample
from nlbench.benchmark.speed.table import SUITES, compare_with_plain, failed, in_suites, line, write
from nlbench.benchmark.suites import suite
from nlbench.benchmark.training import LoopBackend, StackBackend, Task
from nlbench.benchmark.training.cuda_graph_slot import GraphRunner
from nlbench.benchmark.training.images import memory_format
from nlbench.benchmark.training.trainer import Trainer

MODELS = {"cuda": ("cnn8", "resnet18", "resnet34"), "cpu": ("cnn_small",)}
STEPS = {"cuda": 100, "cpu": 8}
ROUNDS = 3
BATCH = 128
# Of the random images' labels: methods are told a rate and have something to select.
NOISE = "symmetric:0.4"


@dataclass(frozen=True)
class Contestant:
    """A way to train. ``ready(task)`` warms up and returns what trains all of its steps once.

    ``ours``: of this repository, so that a suite may train like it.
    """

    name: str
    ready: Callable[[Sequence[Task]], Callable[[], None]]
    precision: str = "bf16"
    runs: int = 1
    ours: bool = True


def run(device: str = "auto", out: Path | None = None) -> list[dict[str, Any]]:
    """One row per network and way to train; the best of three rounds counts.

    ``img/s`` is of all runs together, ``TFLOP/s`` from the counted floating-point operations of
    forward and backward pass (1 multiply-add = 2), ``s/run`` and ``runs/h`` for 120 epochs of
    50,000 images, training steps only (a test pass per epoch adds 7 % of the operations).
    ``% of floor`` is the time that the counted operations would take at the rate of a large matrix
    product on this device, measured just before (:func:`peak_flops`), over the time they took. An
    engine that raises has a row with its error and no figures; files are written after each model.

    Args:
        device: as for ``nlbench run``.
        out: folder for engines.csv and engines.png, ``None`` for neither.
    """
    where = resolve(device)
    threads = cores() if where.type == "cpu" else 1
    rows = []
    with repeatable(threads):
        peak = peak_flops(where)
        for model in MODELS[where.type]:
            flops = training_flops(model)
            for contestant in contestants(where):
                try:
                    speed, memory = measured(model, contestant, where)
                except Exception as error:  # noqa: BLE001  # the others are still worth knowing
                    rows.append(failed(model, contestant.name, where, error))
                    continue
                row = line(model, contestant.name, where, speed, flops, peak, memory)
                precision = contestant.precision if contestant.ours else None
                rows.append({**row, SUITES: in_suites(precision, where)})
            compare_with_plain(rows)
            if out is not None:
                write(rows, where, out)
    return rows


def stacked(device: str = "auto", runs: int = 15, epochs: int = 4) -> list[dict[str, Any]]:
    """Runs of suite ``quick`` one after the other and as one stack, epochs cut short."""
    where = resolve(device)
    recipe = replace(suite.load("quick").specs[0].recipe, epochs=epochs)
    specs = [replace(s, recipe=recipe) for s in suite.load("quick").specs[: runs * 3]]
    specs = [s for s in specs if not baselines.get(s.method.name).has_extra_output][:runs]
    context = Context(None, str(where), 1, {})
    best = {"loop": float("inf"), "stack": float("inf")}
    with repeatable(1):
        for _ in range(ROUNDS):
            for backend in (LoopBackend(), StackBackend(runs)):
                tasks = [prepare(spec, context)[0] for spec in specs]
                start = time.perf_counter()
                for _ in backend.train_pack([lambda task=task: task for task in tasks]):  # type: ignore[misc]
                    pass
                best[backend.name] = min(best[backend.name], time.perf_counter() - start)
    base = best["loop"]
    return [
        {
            "backend": name,
            "runs": len(specs),
            "device": str(where),
            "seconds": round(seconds, 3),
            "times loop": round(base / seconds, 2),
        }
        for name, seconds in best.items()
    ]


def contestants(device: torch.device) -> Iterator[Contestant]:
    """What is compared here: the typical repository first."""
    yield Contestant("plain loop (DataLoader, float32)", _plain, "float32", ours=False)
    yield Contestant("loop, float32", _loop, "float32")
    if device.type == "cuda":
        yield Contestant("loop, tf32", _loop, "tf32")
    yield Contestant("loop, bf16", _loop)
    if device.type == "cuda":
        for compiled in (False, True):
            for slots in (1, 2, 4, 8):
                name = f"graph, {slots} slot(s){', compiled' if compiled else ''}"
                yield Contestant(name, _graph(compiled), runs=slots)


def task_of(
    model: str,
    recipe: Recipe,
    count: int,
    device: torch.device,
    seed: int = 0,
    method: baselines.Method | None = None,
) -> Task:
    """A run on ``count`` random 32x32 images of ten classes; CE if no method is given."""
    rng = noise.generator("bench", seed)
    method = method or baselines.create("ce")
    labels = np.arange(count) % 10
    images = rng.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
    data = Dataset(
        name="random",
        family="cifar10",
        label="random pixels",
        class_names=tuple("0123456789"),
        x_train=images,
        y_train=labels,
        x_test=images[:10].copy(),
        y_test=labels[:10].copy(),
        mean=(0.5,) * 3,
        std=(0.25,) * 3,
    )
    spec = RunSpec(DatasetSpec("random"), model, MethodSpec("bench"), NOISE, seed, recipe)
    master = torch.float64 if recipe.precision == "float64" else torch.float32
    network, *others = (
        memory_format(one.to(device, master)) for one in networks(spec, method, data, None)
    )
    rows = np.arange(count)
    return Task(
        network=network,
        others=tuple(others),
        seed=seed,
        method=method,
        data=Resident(
            dataset=data,
            x_train=torch.tensor(images).to(device).contiguous(memory_format=torch.channels_last),
            x_test=torch.tensor(images[:10]).to(device),
            y_test=torch.tensor(labels[:10]).to(device),
        ),
        labels=noise.make(NOISE, labels, num_classes=10, seed=seed),
        split=Split(train=rows, validation=rows[:0]),
        plan=BatchPlan(spec, rows, (32, 32), method.views, method.mixing(), method.strong_views),
        recipe=recipe,
        device=device,
    )


def measured(
    model: str,
    contestant: Contestant,
    device: torch.device,
    steps: int | None = None,
    rounds: int | None = None,
) -> tuple[float, float | None]:
    """Images a second of all runs together, and the peak of memory in GiB (CUDA only).

    Args:
        model: name.
        contestant: a way to train it.
        device: where.
        steps: in a round; by default as many as suit the device.
        rounds: the best of so many counts.
    """
    count = (steps or STEPS[device.type]) * BATCH
    recipe = Recipe(epochs=ROUNDS + 2, augment="crop_flip", precision=contestant.precision, l1=1e-4)
    first = task_of(model, recipe, count, device)
    tasks = [
        first,
        *(
            replace(task_of(model, recipe, count, device, seed), data=first.data)
            for seed in range(1, contestant.runs)
        ),
    ]
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    with repeatable(torch.get_num_threads(), tf32=contestant.precision == "tf32"):
        once = contestant.ready(tasks)
        best = min(timed(once, device) for _ in range(rounds or ROUNDS))
    del once
    gc.collect()
    peak = torch.cuda.max_memory_reserved(device) / 2**30 if device.type == "cuda" else None
    return contestant.runs * count / best, peak


def _plain(tasks: Sequence[Task]) -> Callable[[], None]:
    """NCHW float32, a PIL image and its transforms per sample, ``.item()`` each step."""
    (task,) = tasks
    network = task.network.to(memory_format=torch.contiguous_format).train()
    sgd = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    loader: DataLoader[tuple[Tensor, int]] = DataLoader(
        PerSample(task.resident.dataset, augmented=True),
        BATCH,
        shuffle=True,
        num_workers=min(8, cores()),
        generator=torch.Generator().manual_seed(0),
        persistent_workers=True,
    )

    def once() -> None:
        total = 0.0
        for images, labels in loader:
            logits = network(images.to(task.device))
            loss = nn.functional.cross_entropy(logits, labels.to(task.device))
            sgd.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            sgd.step()
            total += loss.item()

    once()
    return once


def _loop(tasks: Sequence[Task]) -> Callable[[], None]:
    (task,) = tasks
    trainer = Trainer(task)
    epoch = next(task.plan.epochs())

    def once() -> None:
        trainer.epoch(epoch)

    once()
    return once


def _graph(compiled: bool) -> Callable[[Sequence[Task]], Callable[[], None]]:
    def ready(tasks: Sequence[Task]) -> Callable[[], None]:
        capture = tasks[0].device.type == "cuda"
        slots = [GraphRunner(task, capture=capture, compiled=compiled) for task in tasks]
        for slot, task in zip(slots, tasks, strict=True):
            slot.load(task)
            slot.begin(next(task.plan.epochs()))

        def once() -> None:
            for number in range(slots[0].steps):
                for slot in slots:
                    slot.step(number)

        once()
        return once

    return ready
