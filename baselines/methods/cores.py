"""CORES2: a regulariser against wrong labels, and a sieve of samples that is renewed each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Method, Published
from nlbench.baselines.registry import register
from nlbench.baselines.state import Batch, Facts, State, Step

_RELEASE = "github.com/UCSC-REAL/cores (cf0945e), phase 1"
# Epochs of the release; its schedule is stretched over a run's.
PUBLISHED_EPOCHS = 100
# Added to probabilities in the regulariser, as in the release.
EDGE = 1e-8


@register("cores2")
@dataclass(frozen=True, kw_only=True)
class CORES2(Method):
    """l = CE - b sum_k pi_k (-log p_k), over samples whose label is likelier than the mean class.

    pi are the shares of the given labels among the samples not sieved out in the epoch before; of
    100 epochs b is 0 in the first 10, rises to beta until the 40th, and from the 32nd on a sample
    counts only where CE <= mean_k(-log p_k). The mean is taken over those that count. A batch in
    which none counts teaches nothing.

    Source: Cheng et al., ICLR 2021, and phase 1 of its release (phase 2 is semi-supervised, and
    another method). The release divides its learning rate by 1 + b, here the loss is divided: the
    same for its SGD without momentum and weight decay.
    """

    title: ClassVar[str] = "CORES2"
    family: ClassVar[str] = "selection"
    formula: ClassVar[str] = (
        "v_i [-log p_y - b sum_k pi_k (-log p_k)], v_i = [CE <= mean_k(-log p_k)]"
    )
    source: ClassVar[str] = "Cheng et al., ICLR 2021"
    selects: ClassVar[bool] = True
    published: ClassVar[Mapping[str, Published]] = {
        family: Published(
            params={"beta": 2.0},
            recipe={"lr": 0.1, "momentum": 0.0, "weight_decay": 0.0, "l1": 0.0},
            source=_RELEASE,
        )
        for family in ("cifar10", "cifar100")
    }

    beta: float = hyper(
        2.0, "last weight of the regulariser", "[0, inf)", search=(0.5, 1.0, 2.0, 4.0)
    )
    sieve: float = hyper(0.31, "share of the epochs without a sieve; 1: never sieved", "[0, 1]")

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy, (N,)."""
        return F.cross_entropy(logits, targets, reduction="none")

    def begin(self, facts: Facts) -> State:
        """Return the shares of the given labels; all samples count."""
        counts = facts.class_counts.to(facts.dtype)
        return State(
            rows={"counts": facts.zeros(facts.samples) + 1.0},
            globals={
                "prior": counts / counts.sum(),
                "weight": facts.number(),
                "sieving": torch.zeros((), dtype=torch.bool, device=facts.device),
            },
        )

    def begin_epoch(self, state: State, facts: Facts, epoch: int, sweep: Tensor | None) -> None:  # noqa: ARG002
        """Set the weight of the regulariser, and whether samples are sieved."""
        state.put("weight", self.beta * ramp(epoch * PUBLISHED_EPOCHS // facts.epochs))
        state.put("sieving", epoch >= self.sieve * facts.epochs)

    def step(self, batch: Batch) -> Step:
        """Return the losses, and which count."""
        weight = batch.globals["weight"]
        label = self.loss(batch.output, batch.targets)
        each = -(batch.output.softmax(dim=1) + EDGE).log()
        losses = label - weight * (batch.globals["prior"] * each).sum(dim=1)
        lead = label.detach() - each.detach().mean(dim=1)
        counts = ((lead <= 0.0) | ~batch.globals["sieving"]).to(losses.dtype)
        scale = len(counts) / counts.sum().clamp(min=1.0)
        return Step(
            losses=(losses / (1.0 + weight),),
            weights=(counts * scale,),
            rows={"counts": counts},
        )

    def end_epoch(self, state: State, facts: Facts, epoch: int) -> None:  # noqa: ARG002
        """Take the shares of the labels of the samples that counted; of all if none did."""
        ids = facts.trained
        left = facts.zeros(facts.num_classes)
        left.index_add_(0, facts.given[ids], state.rows["counts"][ids])
        prior = left / left.sum().clamp(min=1.0)
        state.put("prior", torch.where(left.sum() > 0.0, prior, state.globals["prior"]))


def ramp(epoch: int) -> float:
    """Share of the last weight in an epoch of the release's 100."""
    return min(max(epoch - 10, 0) / 29, 1.0)
