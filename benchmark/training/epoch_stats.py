"""EpochStats: predictions and losses of an epoch's training pass, on the device until it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nlbench.baselines import Method
from nlbench.benchmark.metrics.roc import auroc
from nlbench.benchmark.store import names
from nlbench.noise import NoisyLabels


@dataclass(frozen=True)
class Seen:
    """What one step leaves to be noted, without gradient.

    Attributes:
        logits: (B, outputs) that predictions are taken from.
        losses: (B,), the mean of all members'.
        weights: (B,) of the first member, ``None``: ones.
    """

    logits: Tensor
    losses: Tensor
    weights: Tensor | None = None


@dataclass
class EpochStats:
    """One slot per training sample, in the order of the epoch; written without waiting.

    The curves are taken on the fly: a sample counts with the prediction the network in training
    mode made for it just before the step that used it. A second pass over the training set would
    cost a third of the training for a curve of the same meaning.

    Attributes:
        losses: (n,) per-sample losses, regularisation not included.
        predicted: (n,) closed-set predictions.
        extra: (n,) probability of the extra output, ``None`` for methods without one.
        kept: (n,) bool, what the first member was trained on, ``None`` for methods that select
            nothing.
    """

    losses: Tensor
    predicted: Tensor
    extra: Tensor | None
    kept: Tensor | None = None

    @classmethod
    def empty(cls, samples: int, device: torch.device, method: Method) -> EpochStats:
        """Empty arrays for one epoch."""
        empty = partial(torch.empty, samples, device=device)
        return cls(
            losses=empty(dtype=torch.float64),
            predicted=empty(dtype=torch.int64),
            extra=empty(dtype=torch.float64) if method.has_extra_output else None,
            kept=empty(dtype=torch.bool) if method.selects else None,
        )

    def note(self, at: slice, method: Method, seen: Seen) -> None:
        """Keep one batch."""
        self.losses[at] = seen.losses
        self.predicted[at] = method.predict(seen.logits)
        extra = None if self.extra is None else method.extra_output_probability(seen.logits)
        if self.extra is not None and extra is not None:
            self.extra[at] = extra
        if self.kept is not None:
            self.kept[at] = True if seen.weights is None else seen.weights > 0

    def parts(self) -> list[Tensor]:
        """The tensors there are, in one order."""
        fields = (self.losses, self.predicted, self.extra, self.kept)
        return [tensor for tensor in fields if tensor is not None]

    def mapped(self, change: Callable[[Tensor], Tensor]) -> EpochStats:
        """The same with every tensor changed."""
        extra = None if self.extra is None else change(self.extra)
        kept = None if self.kept is None else change(self.kept)
        return EpochStats(change(self.losses), change(self.predicted), extra, kept)

    @property
    def finite(self) -> bool:
        """Whether every loss of the epoch was finite (waits for the device)."""
        return bool(self.losses.sum().isfinite())

    def curves(
        self, labels: NoisyLabels, positions: NDArray[np.int64], rank: bool = True
    ) -> dict[str, float | None]:
        """The epoch's training curves; ``None`` where a group of samples is empty.

        Args:
            labels: of the whole training set.
            positions: the samples in the order of the epoch.
            rank: whether the areas under ROC curves are computed; they need every sample sorted.
        """
        predicted = self.predicted.cpu().numpy()
        given = predicted == labels.noisy[positions]
        if not labels.truth_known:
            return self._of_given_labels(given, labels, positions)
        flipped = labels.flipped[positions]
        true = predicted == labels.clean[positions]
        curves: dict[str, float | None] = {
            "train_loss": _mean(self.losses.cpu().numpy()),
            "clean_fit": _mean(given[~flipped]),
            "flipped_fit_given": _mean(given[flipped]),
            "flipped_fit_true": _mean(true[flipped]),
            "detect_loss": auroc(self.losses.cpu().numpy(), flipped) if rank else None,
        }
        if self.extra is not None:
            extra = self.extra.double().cpu().numpy()
            curves[names.CURVE_AUROC] = auroc(extra, flipped) if rank else None
            curves[names.MEAN_CLEAN] = _mean(extra[~flipped])
            curves[names.MEAN_FLIPPED] = _mean(extra[flipped])
        if self.kept is not None:
            curves |= selection(self.kept.cpu().numpy(), labels.noisy[positions], flipped)
        return curves

    def _of_given_labels(
        self, given: NDArray[np.bool_], labels: NoisyLabels, positions: NDArray[np.int64]
    ) -> dict[str, float | None]:
        """Curves of all samples together, where it is unknown which labels are wrong."""
        curves: dict[str, float | None] = {
            "train_loss": _mean(self.losses.cpu().numpy()),
            "given_fit": _mean(given),
        }
        if self.extra is not None:
            curves[names.MEAN_ALL] = _mean(self.extra.double().cpu().numpy())
        if self.kept is not None:
            curves |= selection(self.kept.cpu().numpy(), labels.noisy[positions], None)
        return curves


@dataclass(frozen=True)
class Answers:
    """Predictions of a run's networks for images not trained on; ``None``: not evaluated.

    Attributes:
        correct: which test images are predicted as their label, (M,) bool.
        alone: the same of the first member alone, where there are several.
        held: predictions of the held-out images, ``None`` also where there are none.
        members: how many networks there are.
    """

    correct: Tensor | None = None
    alone: Tensor | None = None
    held: Tensor | None = None
    members: int = 1

    def mapped(self, change: Callable[[Tensor], Tensor]) -> Answers:
        """The answers with every tensor changed."""
        parts = (self.correct, self.alone, self.held)
        correct, alone, held = (None if part is None else change(part) for part in parts)
        return Answers(correct, alone, held, self.members)


def selection(
    kept: NDArray[np.bool_], given: NDArray[np.int64], flipped: NDArray[np.bool_] | None
) -> dict[str, float | None]:
    """What a method's selection of samples was worth: the curves of one epoch.

    ``kept``: share of samples. ``kept_least``: the smallest share of any given class, 0 where a
    class was lost. ``kept_precision``: of those kept, the share with right labels; ``kept_recall``:
    of those with right labels, the share kept.

    Args:
        kept: which samples were trained on.
        given: their labels.
        flipped: which of them are wrong, ``None`` where unknown.
    """
    sizes = np.bincount(given)
    shares = np.bincount(given[kept], minlength=len(sizes))[sizes > 0] / sizes[sizes > 0]
    curves: dict[str, float | None] = {"kept": _mean(kept), "kept_least": float(shares.min())}
    if flipped is not None:
        curves["kept_precision"] = _mean(~flipped[kept])
        curves["kept_recall"] = _mean(kept[~flipped])
    return curves


def evaluation(
    labels: NoisyLabels, held: NDArray[np.int64], answers: Answers
) -> dict[str, float | None]:
    """The curves of an epoch's evaluation; ``None`` at their places where there was none.

    Args:
        labels: of the whole training set.
        held: the samples kept for validation; without any there are no curves of them.
        answers: predictions of the networks.
    """
    correct, predicted = answers.correct, answers.held
    curves = {"test_accuracy": None if correct is None else accuracy(correct)}
    if answers.members > 1:
        curves["test_member_0"] = None if answers.alone is None else accuracy(answers.alone)
    known = {
        "val_noisy": labels.noisy,
        **({"val_clean": labels.clean} if labels.truth_known else {}),
    }
    for name, truth in known.items() if len(held) else ():
        wanted = torch.from_numpy(truth[held])
        curves[name] = None if predicted is None else accuracy(predicted.cpu() == wanted)
    return curves


def ranked(epoch: int, epochs: int) -> bool:
    """Whether an epoch, counted from 1, gets its ROC areas: about twenty of a run do."""
    return epoch in (1, epochs) or epoch % max(1, epochs // 20) == 0


def accuracy(correct: Tensor) -> float:
    """Share of true entries."""
    return int(correct.sum()) / len(correct)


def _mean(values: NDArray[np.bool_] | NDArray[np.float64]) -> float | None:
    return float(np.mean(values, dtype=np.float64)) if len(values) else None
