"""Tally: what an epoch's training pass saw, kept on the device until the epoch is over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines import Method
from benchmark.evaluation.ranking import auroc
from noise import NoisyLabels


@dataclass
class Tally:
    """One slot per training sample, in the order of the epoch; written without waiting.

    The curves are taken on the fly: a sample counts with the prediction the network in training
    mode made for it just before the step that used it. A second pass over the training set would
    cost a third of the training for a curve of the same meaning.

    Attributes:
        losses: (n,) per-sample losses, regularisation not included.
        predicted: (n,) closed-set predictions.
        absorbed: (n,) drainage mass, ``None`` for methods without a drainage output.
    """

    losses: Tensor
    predicted: Tensor
    absorbed: Tensor | None

    @classmethod
    def empty(cls, samples: int, device: torch.device, drains: bool) -> Tally:
        """Room for one epoch."""
        return cls(
            losses=torch.empty(samples, dtype=torch.float64, device=device),
            predicted=torch.empty(samples, dtype=torch.int64, device=device),
            absorbed=torch.empty(samples, device=device) if drains else None,
        )

    def note(self, at: slice, method: Method, logits: Tensor, losses: Tensor) -> None:
        """Keep one batch."""
        self.losses[at] = losses
        self.predicted[at] = method.predict(logits)
        mass = method.absorbed(logits) if self.absorbed is not None else None
        if self.absorbed is not None and mass is not None:
            self.absorbed[at] = mass

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
            return self._of_given_labels(given)
        flipped = labels.flipped[positions]
        true = predicted == labels.clean[positions]
        curves: dict[str, float | None] = {
            "train_loss": _mean(self.losses.cpu().numpy()),
            "clean_fit": _mean(given[~flipped]),
            "flipped_fit_given": _mean(given[flipped]),
            "flipped_fit_true": _mean(true[flipped]),
            "detect_loss": auroc(self.losses.cpu().numpy(), flipped) if rank else None,
        }
        if self.absorbed is not None:
            mass = self.absorbed.double().cpu().numpy()
            curves["detect_drainage"] = auroc(mass, flipped) if rank else None
            curves["drainage_clean"] = _mean(mass[~flipped])
            curves["drainage_flipped"] = _mean(mass[flipped])
        return curves

    def _of_given_labels(self, given: NDArray[np.bool_]) -> dict[str, float | None]:
        """What can be said where nobody knows which labels are wrong: of all samples together."""
        curves: dict[str, float | None] = {
            "train_loss": _mean(self.losses.cpu().numpy()),
            "given_fit": _mean(given),
        }
        if self.absorbed is not None:
            curves["drainage_all"] = _mean(self.absorbed.double().cpu().numpy())
        return curves


def evaluation(
    labels: NoisyLabels, held: NDArray[np.int64], correct: Tensor | None, predicted: Tensor | None
) -> dict[str, float | None]:
    """The curves of an epoch's evaluation; ``None`` at their places where there was none.

    Args:
        labels: of the whole training set.
        held: the samples kept for validation; without any there are no curves of them.
        correct: which test images are predicted as their label; ``None``: not evaluated.
        predicted: of ``held``, in their order; ``None``: not evaluated.
    """
    curves = {"test_accuracy": None if correct is None else accuracy(correct)}
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
