"""PES: the last parts of a network are trained anew for a few epochs, then on confident samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Method, Published
from nlbench.baselines.registry import register
from nlbench.baselines.state import Batch, Facts, Stage, State, Step

_RELEASE = "github.com/tmllab/2021_NeurIPS_PES (ec5290d), PES_cs.py"


@register("pes")
@dataclass(frozen=True, kw_only=True)
class PES(Method):
    """Progressive early stopping; later layers fit wrong labels sooner than earlier ones.

    (1) Cross-entropy for `warm` of the epochs. (2) The last part of the body and the head are drawn
    anew and trained alone, with Adam at a small rate. (3) The head once more. (4) The whole network
    for the rest of the epochs, on confident samples: those whose given label is the class with the
    highest mean probability over two augmented views, before each epoch. Their cross-entropy is
    weighted by mean(n) / n_y, n_k the confident samples of class k. (2) and (3) come on top of the
    epochs and leave the schedule as it is. Their lengths are epochs as published, not shares of the
    recipe's: what has been drawn anew needs steps.

    Source: Bai et al., NeurIPS 2021, and its release (without semi-supervised training), whose
    optimiser does not know the parts drawn anew: in (4) they stay as they are, which `legacy` does.
    Deviations: batches are those of all methods, with a weight of 0 for samples that are not
    confident, where the release makes batches of confident ones alone; momentum begins anew in (4);
    the release leaves out one epoch between (1) and (4).
    """

    title: ClassVar[str] = "PES"
    source: ClassVar[str] = "Bai et al., NeurIPS 2021"
    family: ClassVar[str] = "selection"
    formula: ClassVar[str] = "CE; last parts drawn anew; then (mean n / n_y) CE where argmax p = y"
    selects: ClassVar[bool] = True
    sweep_views: ClassVar[int] = 2
    own_cost: ClassVar[str] = "1 + epochs of the last parts + sweeps of 2 views"
    published: ClassVar[Mapping[str, Published]] = {
        "cifar10": Published(
            params={"warm": 0.125}, recipe={"lr": 0.1, "weight_decay": 1e-4}, source=_RELEASE
        ),
        "cifar100": Published(
            params={"warm": 0.15}, recipe={"lr": 0.1, "weight_decay": 1e-4}, source=_RELEASE
        ),
    }

    warm: float = hyper(
        0.125, "length of stage 1, a share of the epochs", "(0, 1]", search=(0.0625, 0.125, 0.25)
    )
    second: int = hyper(7, "epochs of stage 2", "[1, inf)", search=(3, 7, 15))
    third: int = hyper(5, "epochs of stage 3", "[1, inf)")
    lr_new: float = hyper(
        1e-4, "learning rate of stages 2 and 3, of Adam", "(0, inf)", search=(1e-5, 1e-4, 1e-3)
    )
    legacy: bool = hyper(False, "leave the parts drawn anew as they are in stage 4, as released")

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy, (N,)."""
        return F.cross_entropy(logits, targets, reduction="none")

    def stages(self, epochs: int) -> tuple[Stage, ...]:
        """Return the stages; the first and the last have the recipe's epochs between them."""
        first = max(1, round(self.warm * epochs))
        adam: dict[str, Any] = {"optimizer": "adam", "lr": self.lr_new, "schedule": "constant"}
        adam |= {"weight_decay": 0.0, "l1": 0.0}
        early = (
            Stage(epochs=first, at=0),
            Stage(epochs=self.second, last=2, redraw=True, trains="last", recipe=adam),
            Stage(epochs=self.third, last=1, redraw=True, trains="last", recipe=adam),
        )
        if first == epochs:
            return early
        trains = "others" if self.legacy else "all"
        return (*early, Stage(epochs=epochs - first, at=first, last=2, trains=trains))

    def begin(self, facts: Facts) -> State:
        """Return the weight of each sample, 1."""
        return State(rows={"weight": facts.zeros(facts.samples) + 1.0})

    def wants_sweep(self, facts: Facts, epoch: int) -> bool:
        """Return whether stage 4 has begun."""
        return len(facts.starts) == 4 and epoch >= facts.starts[3]

    def begin_epoch(self, state: State, facts: Facts, epoch: int, sweep: Tensor | None) -> None:  # noqa: ARG002
        """Weigh the samples anew."""
        if sweep is not None:
            ids = facts.trained
            weights = confident(sweep[0, ids], facts.given[ids], facts.num_classes)
            state.put("weight", state.rows["weight"].index_copy(0, ids, weights))

    def step(self, batch: Batch) -> Step:
        """Return the losses; of a batch the weighted mean is minimised."""
        weights = batch.rows["weight"]
        total = weights.sum().clamp(min=torch.finfo(weights.dtype).tiny)
        return Step(
            losses=(self.loss(batch.output, batch.targets),),
            weights=(weights * len(weights) / total,),
        )


def confident(logits: Tensor, given: Tensor, classes: int) -> Tensor:
    """Return mean(n) / n_y for samples classified as their label says, 0 for the others, (N,).

    Args:
        logits: (N, K), or the logarithm of probabilities.
        given: (N,) int64.
        classes: K; the mean is over classes with such a sample.
    """
    right = (logits.argmax(dim=1) == given).to(logits.dtype)
    counts = torch.zeros(classes, dtype=logits.dtype, device=logits.device)
    counts = counts.index_add(0, given, right)
    mean = counts.sum() / (counts > 0).sum().clamp(min=1)
    return right * (mean / counts.clamp(min=1.0))[given]
