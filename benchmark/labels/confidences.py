"""Confidences: the averaged softmax of a network trained on clean labels.

Label noise of Chen et al. (2021) and PMD flips what such a network finds confusable.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nlbench import baselines, noise
from nlbench.benchmark import models
from nlbench.benchmark.datasets import Dataset
from nlbench.benchmark.datasets.unpacked import cache_dir
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.machine.device import repeatable
from nlbench.benchmark.pipeline.batches import BatchPlan, Split
from nlbench.benchmark.pipeline.in_memory import Resident, resident
from nlbench.benchmark.spec.canonical_json import sha256_of
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.spec.run_spec import DatasetSpec, MethodSpec, RunSpec
from nlbench.benchmark.streams import Streams
from nlbench.benchmark.training import Task
from nlbench.benchmark.training.images import EVAL_BATCH, memory_format
from nlbench.benchmark.training.trainer import Trainer
from nlbench.noise import whole

Probabilities = NDArray[np.float32]

# Chen et al. train a WRN-28-10 for 150 epochs; the order of the images by confusability is what
# counts, and it is there after ten epochs of a smaller network. Raise when anything here changes.
VERSION = 1
RECIPE = Recipe(epochs=10, lr=0.01, weight_decay=1e-4)
MODELS = {32: "cnn8", 8: "cnn_small", 0: "mlp"}


def softmax(spec: DatasetSpec, root: Path | None, device: torch.device) -> Probabilities:
    """Averaged softmax (N, K) of every training image, from the cache or trained now.

    After each of the ten epochs the whole training set is predicted in evaluation mode without
    augmentation, and the softmaxes are averaged (Chen et al. average over all epochs too, with
    augmentation on). Sums differ in their last bits between machines, so labels made from this are
    shared as files: the SHA-256 of the softmax is in their details.

    Args:
        spec: the training set as it will be used; its holdout plays no part.
        root: data folder.
        device: where to train.
    """
    data = resident(spec.images, root, device)
    path = cache_dir() / "confidences" / f"{_key(data.dataset)}.npy"
    if path.is_file():
        return _checked(_read(path), data.dataset, path)
    values = _train(spec, data, device)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole.writing(path) as file:
        np.save(file, values, allow_pickle=False)
    return values


def _read(path: Path) -> Probabilities:
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError) as error:
        reason = f"cannot be read ({error}); remove it, it will be made again"
        raise UserError(f"{path}: {reason}") from error
    return np.asarray(values, dtype=np.float64)


def model_for(dataset: Dataset) -> str:
    """The network: by the size of the images."""
    side = min(dataset.in_shape[1:])
    return next(model for least, model in MODELS.items() if side >= least)


def _train(spec: DatasetSpec, data: Resident, device: torch.device) -> Probabilities:
    dataset = data.dataset
    run = RunSpec(spec, model_for(dataset), MethodSpec("ce"), "clean", 0, RECIPE)
    positions = np.arange(len(dataset.y_train))
    clean = noise.make("clean", dataset.y_train, num_classes=dataset.num_classes, seed=0)
    network = models.build(run.model, dataset.in_shape, dataset.num_classes)
    models.initialise(network, lambda n: Streams(0).generator("init", n), dataset.num_classes)
    task = Task(
        network=memory_format(network.to(device)),
        method=baselines.create("ce", {}),
        data=data,
        labels=clean,
        split=Split(positions, positions[:0]),
        plan=BatchPlan(run, positions, dataset.in_shape[1:]),
        recipe=RECIPE,
        device=device,
    )
    total = np.zeros((len(positions), dataset.num_classes))
    with repeatable(1):
        trainer = Trainer(task)
        for epoch in task.plan.epochs():
            trainer.epoch(epoch)
            total += _predict(trainer, data.x_train)
    values: Probabilities = (total / total.sum(axis=1, keepdims=True)).astype(np.float32)
    return values


def _predict(trainer: Trainer, images: Tensor) -> NDArray[np.float64]:
    trainer.task.network.eval()
    with torch.inference_mode():
        parts = [
            trainer.forward(trainer.normalise(images[at : at + EVAL_BATCH])).softmax(1).cpu()
            for at in range(0, len(images), EVAL_BATCH)
        ]
    return torch.cat(parts).double().numpy()


def _checked(values: Probabilities, dataset: Dataset, path: Path) -> Probabilities:
    if values.shape != (len(dataset.y_train), dataset.num_classes):
        raise UserError(f"{path}: has shape {values.shape}; remove it, it will be made again")
    return values


def _key(dataset: Dataset) -> str:
    words = [VERSION, dataset.fingerprint, model_for(dataset), RECIPE.to_dict()]
    return sha256_of(words)[:24]
