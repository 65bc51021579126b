"""Evaluations of a trained network: all in master precision, whatever it was trained in."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nlbench.baselines.plain import checked_predictions
from nlbench.benchmark import metrics
from nlbench.benchmark.machine.device import full_precision
from nlbench.benchmark.metrics import Predictions, outside
from nlbench.benchmark.metrics.label_errors import detection, histogram
from nlbench.benchmark.metrics.open_set import ACCEPTED, recognition
from nlbench.benchmark.metrics.roc import DIGITS
from nlbench.benchmark.pipeline.normalise import Normaliser
from nlbench.benchmark.pipeline.streaming import Part
from nlbench.benchmark.store import names
from nlbench.benchmark.training import Task
from nlbench.benchmark.training.images import batches
from nlbench.noise import NoisyLabels

# The images with the largest extra output are kept as pictures, for one seed, where they are small.
PICTURES = 24
PICTURE_BYTES = 3 * 32 * 32


def evaluate(task: Task, seed: int, asked: Sequence[str] = ()) -> dict[str, Any]:
    """What a run leaves beside accuracies and curves.

    ``measures`` of the test set, those from outside that are ``asked`` for among them, and why one
    of these has no value, ``unmeasured``; ``open_set`` where the data set declares unknowns,
    ``detection`` where labels are flipped: plain JSON values. Images are neither augmented nor seen
    in reduced precision: bf16 logits have so few digits that scores would tie.
    """
    logits = outputs(task, task.data.x_test)
    checked_predictions(task.method, logits)
    parts = measures(task, logits, asked)
    unknown = task.data.x_unknown
    if unknown is not None:
        parts["open_set"] = open_set(task, logits, unknown)
    flipped = task.labels.flipped[task.split.train]
    if flipped.any() and not flipped.all():
        parts["detection"] = mislabelled(task, seed)
    return parts


def measures(task: Task, logits: Tensor, asked: Sequence[str]) -> dict[str, Any]:
    """Every metric of benchmark/metrics and those asked for by name, of outputs for the test set.

    One from outside that has no value is ``None``, with the reason beside it: a run of hours is not
    lost for it.
    """
    method, truth = task.method, task.data.y_test
    predictions = Predictions(
        logits=_host(method.class_logits(logits)),
        labels=truth.cpu().numpy(),
        losses=_host(method.loss(logits, truth)),
    )
    classes = predictions.logits.shape[1]
    ours = {
        metric.name: metric.value(predictions, DIGITS)
        for metric in metrics.every()
        if classes >= metric.min_classes
    }
    theirs, reasons = outside.values_of(asked, predictions, DIGITS)
    return {"measures": {**ours, **theirs}, **({"unmeasured": reasons} if reasons else {})}


def open_set(task: Task, known_logits: Tensor, unknown: Tensor | Part) -> dict[str, Any]:
    """Scores of known and unknown test images, see :func:`recognition`."""
    method = task.method
    unknown_logits = outputs(task, unknown)
    held = torch.from_numpy(task.split.validation).to(task.device)
    held_logits = outputs(task, task.data.x_train, held) if len(held) else known_logits[:0]
    correct = (method.predict(known_logits) == task.data.y_test).cpu().numpy()
    scores = [
        {name: _host(values) for name, values in method.scores(logits).items()}
        for logits in (known_logits, unknown_logits, held_logits)
    ]
    known_out, unknown_out = method.rejects(known_logits), method.rejects(unknown_logits)
    return {
        "classes": list(task.data.dataset.class_names),
        "known": len(known_logits),
        "unknown": len(unknown_logits),
        "validation": len(held_logits),
        "accepted": ACCEPTED,
        "accuracy": float(correct.mean()),
        "rule": None
        if known_out is None or unknown_out is None
        else {
            "known_rejected": float(_host(known_out).mean()),
            "unknown_rejected": float(_host(unknown_out).mean()),
        },
        "scores": {
            name: recognition(scores[0][name], scores[1][name], correct, scores[2][name])
            for name in scores[0]
        },
    }


def mislabelled(task: Task, seed: int) -> dict[str, Any]:
    """Every criterion of the method for its training samples, see :func:`detection`.

    ``loss``: the method's own loss of the given label (small: likely clean). ``margin``: the
    largest logit of another class minus the given one's. ``drainage``: the
    probability of the extra output, of any method that has one.
    """
    method, rows = task.method, task.split.train
    flipped = task.labels.flipped[rows]
    at = torch.from_numpy(rows).to(task.device)
    logits = outputs(task, task.data.x_train, at)
    given = torch.from_numpy(task.labels.noisy[rows]).to(task.device)
    criteria = {
        "loss": _host(method.loss(logits, given)),
        "margin": _host(_margin(method.class_logits(logits), given)),
    }
    extra = method.extra_output_probability(logits)
    if extra is not None:
        criteria[names.PROBABILITY] = _host(extra)
    found = {
        "samples": len(rows),
        "flipped": int(flipped.sum()),
        "criteria": {name: detection(values, flipped) for name, values in criteria.items()},
    }
    if extra is None:
        return found
    largest = criteria[names.PROBABILITY]
    return {
        **found,
        "histogram": histogram(largest, flipped),
        **({names.TOP_IMAGES: _pictures(task, rows, largest)} if seed == 0 else {}),
    }


def _margin(logits: Tensor, given: Tensor) -> Tensor:
    index = given[:, None]
    others = logits.scatter(1, index, -torch.inf).amax(dim=1)
    return others - logits.gather(1, index).squeeze(1)


def _pictures(task: Task, rows: NDArray[np.int64], mass: NDArray[np.float64]) -> dict[str, Any]:
    """The training images with the largest extra output, with given and true labels."""
    first = np.argsort(-mass, kind="stable")[:PICTURES]
    index = rows[first]
    labels: NoisyLabels = task.labels
    at, data = torch.from_numpy(index).to(task.device), task.data.x_train
    chosen = data[at] if isinstance(data, Tensor) else torch.cat(list(data.batches(at)))
    images = chosen.cpu().contiguous().numpy()
    small = images.dtype == np.uint8 and images[0].nbytes <= PICTURE_BYTES
    packed = base64.b64encode(zlib.compress(np.ascontiguousarray(images).tobytes(), 9))
    return {
        "index": index.tolist(),
        "mass": [round(float(m), 6) for m in mass[first]],
        "given": labels.noisy[index].tolist(),
        "true": labels.clean[index].tolist(),
        "classes": list(task.data.dataset.class_names),
        "shape": list(images.shape),
        "pixels": packed.decode("ascii") if small else None,
    }


def outputs(task: Task, images: Tensor | Part, rows: Tensor | None = None) -> Tensor:
    """Outputs in evaluation mode, those of all members as one, (N, outputs), in full precision."""
    dataset = task.data.dataset
    normalise = Normaliser(dataset.mean, dataset.std, task.device, task.dtype)
    for network in task.networks:
        network.eval()
    parts = []
    plain = torch.autocast(task.device.type, enabled=False)
    with torch.inference_mode(), plain, full_precision():
        for batch in batches(images, rows):
            ready = normalise(batch)
            parts.append(task.method.combine([network(ready) for network in task.networks]))
    return torch.cat(parts)


def _host(values: Tensor) -> NDArray[np.float64]:
    return values.double().cpu().numpy()
