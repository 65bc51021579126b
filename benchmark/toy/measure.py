"""What the toy's networks do: numbers of each seed, and fields over the plane for drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor

from nlbench.baselines import Method
from nlbench.benchmark.machine.device import repeatable
from nlbench.benchmark.store import names
from nlbench.benchmark.toy.data import Floats
from nlbench.benchmark.toy.train import Drawn, Setting, Trained, as_tensor, forward

Value = float | None


@dataclass(frozen=True)
class Fields:
    """A network's outputs on a square grid of points, for drawing.

    Attributes:
        classes: (F, K, G, G) log-probabilities among the K classes; frame, class, y, x.
        extra: (F, G, G) log p_e - max_k log p_k, positive where the extra output e wins over all
            K + 1; None without one.
    """

    classes: NDArray[np.float32]
    extra: NDArray[np.float32] | None


def extra_margin(method: Method, outputs: Tensor) -> Tensor | None:
    """Log p_e - max_k log p_k of (N, outputs), over all K + 1; None without an extra output."""
    extra = method.extra_output_probability(outputs.double())
    if extra is None:
        return None
    among = torch.log_softmax(method.class_logits(outputs.double()), dim=1)
    return torch.logit(extra, eps=1e-12) - among.amax(dim=1)


def measure(trained: Trained, drawn: Sequence[Drawn], frame: int = -1) -> list[dict[str, Value]]:
    """One row of numbers per seed at a recorded epoch; shares and accuracies in 0..1.

    ``test_accuracy`` on clean test points; ``clean_fit``, ``flipped_fit_given`` and
    ``flipped_fit_true``: share of clean training points predicted as labelled, and of flipped ones
    predicted as their given (memorised) and as their true label; ``auroc_loss``: the per-sample
    loss as a detector of flipped labels. With an extra output: ``drainage_*`` is the mean of its
    probability, ``drained_*`` the share of points where it wins over all classes,
    ``auroc_drainage`` its probability as a detector of flipped labels. None where a number does
    not exist (no flipped point, no output).
    """
    weights = trained.weights[frame]
    with torch.inference_mode(), repeatable(threads=1):
        tests = forward(weights, as_tensor([d.test_points for d in drawn]))
        outputs = forward(weights, as_tensor([d.points for d in drawn]))
        return [_row(trained.method, each, tests[i], outputs[i]) for i, each in enumerate(drawn)]


def _row(method: Method, drawn: Drawn, tests: Tensor, outputs: Tensor) -> dict[str, Value]:
    labels = drawn.labels
    flipped, given = labels.flipped, torch.tensor(labels.noisy)
    found = method.predict(outputs).numpy()
    right = method.predict(tests).numpy() == drawn.test_labels
    row: dict[str, Value] = {
        "test_accuracy": float(right.mean()),
        "clean_fit": _mean(found == labels.noisy, ~flipped),
        "flipped_fit_given": _mean(found == labels.noisy, flipped),
        "flipped_fit_true": _mean(found == labels.clean, flipped),
        "auroc_loss": _auroc(flipped, method.loss(outputs, given).numpy()),
    }
    margin, extra = extra_margin(method, outputs), method.extra_output_probability(outputs)
    wins = None if margin is None else margin.numpy() > 0
    share = None if extra is None else extra.numpy()
    return row | {
        names.MEAN_CLEAN: _mean(share, ~flipped),
        names.MEAN_FLIPPED: _mean(share, flipped),
        names.SHARE_CLEAN: _mean(wins, ~flipped),
        names.SHARE_FLIPPED: _mean(wins, flipped),
        names.TOY_AUROC: None if share is None else _auroc(flipped, share),
    }


def _mean(values: NDArray[np.generic] | None, where: NDArray[np.bool_]) -> Value:
    if values is None or not where.any():
        return None
    return float(values[where].astype(np.float64).mean())


def _auroc(flipped: NDArray[np.bool_], score: NDArray[np.floating]) -> Value:
    """Area under the ROC curve; None where there are not both kinds of points."""
    if flipped.all() or not flipped.any():
        return None
    return float(roc_auc_score(flipped, score))


def grid(reach: float, size: int) -> Floats:
    """(size, size, 2) points (x, y) over [-reach, reach] in both directions, y first."""
    axis = np.linspace(-reach, reach, size)
    return np.stack(np.meshgrid(axis, axis), axis=-1)


def fields(trained: Trained, frames: Sequence[int], seed_at: int, points: Floats) -> Fields:
    """Outputs of one seed's network at (G, G, 2) points, at some of the recorded epochs."""
    flat = torch.tensor(points.reshape(-1, 2), dtype=torch.float32)[None]
    classes, extras = [], []
    with torch.inference_mode(), repeatable(threads=1):
        for frame in frames:
            own = tuple(tensor[seed_at : seed_at + 1] for tensor in trained.weights[frame])
            outputs = forward(own, flat)[0]
            among = torch.log_softmax(trained.method.class_logits(outputs), dim=1)
            classes.append(among.T.reshape(-1, *points.shape[:2]).numpy())
            margin = extra_margin(trained.method, outputs)
            if margin is not None:
                extras.append(margin.reshape(points.shape[:2]).float().numpy())
    return Fields(np.stack(classes), np.stack(extras) if extras else None)


def bayes_accuracy(setting: Setting, drawn: Drawn) -> float:
    """Share of test points that the true densities classify right: no method can expect more."""
    best = setting.geometry.bayes(drawn.test_points)
    return float((best == drawn.test_labels).mean())


def provenance(trained: Trained, drawn: Sequence[Drawn]) -> list[Mapping[str, str]]:
    """Fingerprints of each seed, with those of the first weights."""
    return [d.fingerprints | {"init": init} for d, init in zip(drawn, trained.init, strict=True)]
