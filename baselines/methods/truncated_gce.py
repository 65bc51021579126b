"""Truncated GCE: samples whose loss is above a threshold are left out for a while."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Published
from nlbench.baselines.methods.gce import AS_CE, GCE
from nlbench.baselines.registry import register
from nlbench.baselines.state import Batch, Facts, State, Step

_RELEASE = "github.com/AlanChou/Truncated-Loss (fef5908), not by the authors: README and main.py"
_RECIPE = {"lr": 0.01, "weight_decay": 1e-4, "l1": 0.0}


@register("truncated-gce")
@dataclass(frozen=True, kw_only=True)
class TruncatedGCE(GCE):
    """GCE of the samples whose label had probability above k in the last sweep.

    l = v (L(p_t) - L(k)) with L(p) = (1 - p^q) / q and v = 1 where L(p_t) < L(k), else 0. All v are
    1 at first; from `start` on they are renewed from time to time, for all samples, by the network
    in evaluation mode without augmentation.

    Source: Zhang & Sabuncu, NeurIPS 2018, section 3.3; no release of the authors, settings of
    another one, which renews by the network of the best test epoch (a leak) on augmented images.
    Deviation: by the network as it is. The mean is taken over all samples of a batch, as there.
    """

    title: ClassVar[str] = "Truncated GCE"
    family: ClassVar[str] = "selection"
    formula: ClassVar[str] = (
        "v_i [(1 - p_y^q) / q - (1 - k^q) / q], v_i = [p_y > k] when last renewed"
    )
    selects: ClassVar[bool] = True
    published: ClassVar[Mapping[str, Published]] = {
        "cifar10": Published(
            params={"q": 0.7, "k": 0.5, "start": 0.333, "every": 0.0833},
            recipe=_RECIPE,
            source=_RELEASE,
        ),
        "cifar100": Published(
            params={"q": 0.7, "k": 0.5, "start": 0.533, "every": 0.0667},
            recipe=_RECIPE,
            source=_RELEASE,
        ),
    }

    q: float = hyper(
        0.7,
        "0 is cross-entropy, 1 is 1 - p_t; larger is more robust",
        "[0, 1]",
        search=(0.3, 0.5, 0.7, 0.9),
    )
    k: float = hyper(
        0.5,
        "probability of the label below which a sample is left out",
        "(0, 1)",
        search=(0.3, 0.5, 0.7),
    )
    start: float = hyper(0.333, "share of the epochs without selection", "[0, 1]")
    every: float = hyper(0.0833, "share of the epochs from one renewal to the next", "(0, 1]")

    def begin(self, facts: Facts) -> State:
        """Return weights of 1."""
        return State(rows={"weight": facts.zeros(facts.samples) + 1.0})

    def wants_sweep(self, facts: Facts, epoch: int) -> bool:
        """Return whether the weights are renewed before this epoch."""
        period = max(1, round(self.every * facts.epochs))
        return epoch + 1 > self.start * facts.epochs and (epoch + 1) % period == 0

    def begin_epoch(self, state: State, facts: Facts, epoch: int, sweep: Tensor | None) -> None:  # noqa: ARG002
        """Renew the weights of the samples trained on."""
        if sweep is None:
            return
        ids = facts.trained
        log_p = sweep[0, ids].log_softmax(dim=1).gather(1, facts.given[ids, None]).squeeze(1)
        kept = (log_p > math.log(self.k)).to(facts.dtype)
        state.put("weight", state.rows["weight"].index_copy(0, ids, kept))

    def step(self, batch: Batch) -> Step:
        """Return the losses above the threshold's, and which count."""
        losses = self.loss(batch.output, batch.targets) - self._threshold()
        return Step(losses=(losses,), weights=(batch.rows["weight"],))

    def _threshold(self) -> float:
        """Return L(k)."""
        log_k = math.log(self.k)
        return -log_k if self.q < AS_CE else -math.expm1(self.q * log_k) / self.q
