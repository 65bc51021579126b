"""Speed of the training pipeline against a typical repository's loop, side by side in one run."""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from nlbench.benchmark import datasets, models
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.machine import processor
from nlbench.benchmark.machine.allocator import keep_memory
from nlbench.benchmark.machine.device import cores, describe, repeatable, resolve
from nlbench.benchmark.runs.context import Context
from nlbench.benchmark.runs.prepare import prepare
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.speed.table import SUITES, in_suites, marked
from nlbench.benchmark.streams import Streams
from nlbench.benchmark.suites import suite
from nlbench.benchmark.training.trainer import Trainer

PER_CLASS = 300
ROUNDS = 3
# What gives images a second, and the precision that it trains in; None: it is not ours.
Timed = tuple[Callable[[], float], str | None]


def run(root: Path | None, device: str = "auto") -> list[dict[str, Any]]:
    """Images per second of one epoch: a plain DataLoader loop, and ours in float32, then in bf16.

    The same network (cnn_small), the same images, the same CE loss, the same SGD with clipping, all
    cores for everyone: as threads of one run and, as `nlbench run` does it on a CPU, as one run per
    core (memory kept; images per second of all together). Contestants take turns and the best of
    three rounds counts, since other load slows whichever runs. A row states whether a shipped suite
    trains like that on this kind of device, and whether it is slower than the plain loop here.

    Args:
        root: data folder; Fashion-MNIST is used if it is there, else digits (the row names it).
        device: as for ``nlbench run``.
    """
    where = resolve(device)
    spec = _spec(root)
    team = Team(spec, root, cores()) if where.type == "cpu" else None
    contestants = _contestants(spec, root, where, team)
    best = dict.fromkeys(contestants, 0.0)
    with team or contextlib.nullcontext(), repeatable(cores()):
        for _ in range(ROUNDS):
            for name, (measure, _) in contestants.items():
                best[name] = max(best[name], measure())
    base = next(iter(best.values()))
    hardware = processor.units() if where.type == "cpu" else describe(where)
    return [
        {
            "pipeline": name,
            "data set": spec.dataset.name,
            "device": f"{where}: {hardware}",
            "images/s": round(best[name]),
            "times plain": round(best[name] / base, 2),
            SUITES: marked(in_suites(precision, where), best[name] / base),
        }
        for name, (_, precision) in contestants.items()
    ]


def _contestants(
    spec: RunSpec, root: Path | None, device: torch.device, team: Team | None
) -> dict[str, Timed]:
    """What is compared, the typical repository first; then float32, then bf16."""
    half = replace(spec, recipe=replace(spec.recipe, precision="bf16"))
    found: dict[str, Timed] = {
        "plain loop (DataLoader, float32)": (lambda: _plain(spec, root, device), None),
        "nlbench loop, float32": (lambda: _ours(spec, root, device), "float32"),
    }
    if team is not None:
        found["nlbench loop, float32, memory kept"] = (lambda: _kept(spec, root, device), "float32")
        workers = f"{cores()} worker(s) x 1 thread"
        found[f"nlbench run, float32: {workers}"] = (team.measure, "float32")
    return {**found, "nlbench loop, bf16": (lambda: _ours(half, root, device), "bf16")}


def _spec(root: Path | None) -> RunSpec:
    """One run of ``fashion`` in float32, cut to 3,000 images, on the data that is here."""
    spec = suite.load("fashion").specs[0]
    recipe = replace(spec.recipe, epochs=1, precision="float32")
    spec = replace(spec, recipe=recipe)
    try:
        datasets.load("fashion_mnist", root, download=False)
    except UserError:
        return replace(spec, dataset=replace(spec.dataset, name="digits", train_per_class=90))
    return replace(spec, dataset=replace(spec.dataset, train_per_class=PER_CLASS))


def _ours(spec: RunSpec, root: Path | None, device: torch.device) -> float:
    once = _ready(spec, root, device, cores())
    start = time.perf_counter()
    images = once()
    return images / (time.perf_counter() - start)


def _ready(
    spec: RunSpec, root: Path | None, device: torch.device, threads: int
) -> Callable[[], int]:
    """A fresh run, prepared; the call trains its first epoch and returns their number."""
    task, _ = prepare(spec, Context(root, str(device), threads, {}))
    trainer = Trainer(task)
    epoch = next(task.plan.epochs())

    def once() -> int:
        stats = trainer.epoch(epoch)
        if not stats.finite:  # waits for the device
            raise RuntimeError("the bench run diverged")
        return len(epoch.positions)

    return once


def _kept(spec: RunSpec, root: Path | None, device: torch.device) -> float:
    """As workers train: with malloc keeping large blocks (see machine/allocator.py)."""
    keep_memory()
    try:
        return _ours(spec, root, device)
    finally:
        keep_memory(False)


class Team:
    """One worker process per core, each with one thread and a run of its own, to be timed."""

    def __init__(self, spec: RunSpec, root: Path | None, workers: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        pairs = [spawn.Pipe() for _ in range(workers)]
        self._ends = [mine for mine, _ in pairs]
        self._processes = [
            spawn.Process(target=_train_on_call, args=(spec, root, theirs), daemon=True)
            for _, theirs in pairs
        ]

    def __enter__(self) -> Team:
        """Start them and wait until each has trained once."""
        for process in self._processes:
            process.start()
        for end in self._ends:
            end.recv()
        return self

    def __exit__(self, *_details: object) -> None:
        """End them."""
        for end in self._ends:
            end.send(False)
        for process in self._processes:
            process.join()

    def measure(self) -> float:
        """Images per second of all workers together, one epoch each."""
        start = time.perf_counter()
        for end in self._ends:
            end.send(True)
        images = sum(end.recv() for end in self._ends)
        seconds = time.perf_counter() - start
        for end in self._ends:
            end.recv()
        return float(images / seconds)


def _train_on_call(spec: RunSpec, root: Path | None, end: Connection) -> None:
    """A worker: prepare a run, report that, train it on request, report how many images it had."""
    keep_memory()
    device = torch.device("cpu")
    with repeatable(1):
        _ready(spec, root, device, 1)()
        while True:
            once = _ready(spec, root, device, 1)
            end.send(0)
            if not end.recv():
                return
            end.send(once())


class PerSample(Dataset[tuple[Tensor, int]]):
    """Images as a typical repository serves them: one PIL image, one transform, one tensor."""

    def __init__(self, data: datasets.Dataset, augmented: bool = False) -> None:
        self.images = data.x_train.transpose(0, 2, 3, 1)
        self.labels = data.y_train
        size = data.in_shape[1:]
        change = [transforms.RandomCrop(size, padding=4), transforms.RandomHorizontalFlip()]
        self.transform = transforms.Compose(
            [
                *(change if augmented else []),
                transforms.ToTensor(),
                transforms.Normalize(data.mean, data.std),
            ]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = self.images[index]
        picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
        return self.transform(picture), int(self.labels[index])


def _plain(spec: RunSpec, root: Path | None, device: torch.device) -> float:
    """One epoch the usual way: two loader workers, NCHW float32, ``.item()`` each step."""
    data = datasets.load(spec.dataset.name, root).subset(spec.dataset.train_per_class)
    network = models.build(spec.model, data.in_shape, data.num_classes)
    streams = Streams(0)
    models.initialise(network, lambda name: streams.generator("init", name), data.num_classes)
    network = network.to(device).train()
    sgd = torch.optim.SGD(network.parameters(), lr=spec.recipe.lr, momentum=0.9, weight_decay=1e-4)
    order = torch.Generator().manual_seed(0)
    loader = DataLoader(
        PerSample(data), spec.recipe.batch_size, shuffle=True, num_workers=2, generator=order
    )
    start, seen, total = time.perf_counter(), 0, 0.0
    for images, labels in loader:
        logits = network(images.to(device))
        loss = nn.functional.cross_entropy(logits, labels.to(device))
        sgd.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), spec.recipe.clip_norm)
        sgd.step()
        total += loss.item()
        seen += len(labels)
    return seen / (time.perf_counter() - start)
