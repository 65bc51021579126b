"""Gambler's loss: one more output for the part of a stake that is kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from nlbench.baselines.extra_output import ExtraOutput
from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Published
from nlbench.baselines.registry import register
from nlbench.baselines.state import Batch, Facts, State, Step


@register("gambler")
@dataclass(frozen=True, kw_only=True)
class Gambler(ExtraOutput):
    """Gambler's loss, l = -log(p_t + p_a / o) with p the softmax over all K + 1 outputs.

    p_a is the extra output's share and o the payoff: a small one makes reserving cheap, o -> inf is
    cross-entropy over K + 1 outputs, of which the last is never the label.
    logits (N, K + 1), targets (N,) in [0, K) -> (N,) in [0, inf).

    Source: Liu Ziyin et al., NeurIPS 2019, on selective prediction;
    github.com/Z-T-WANG/NIPS2019DeepGamblers (0d1b595), whose default is o = 2.2. For CIFAR-10 and
    o < 6.1 it trains 100 epochs of cross-entropy first, since the network else reserves everything.
    Deviation: here there is no such start (`gambler-pretrained` has it), and the default is 6.1.
    """

    title: ClassVar[str] = "Gambler's loss"
    family: ClassVar[str] = "extra-output"
    formula: ClassVar[str] = "-log(p_y + p_a / o)"
    source: ClassVar[str] = "Liu Ziyin et al., NeurIPS 2019"

    o: float = hyper(
        6.1,
        "payoff of the label; smaller reserves more",
        "[1, 1e6]",
        search=(1.5, 2.2, 4.0, 6.1, 9.0),
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return -log(p_t + p_a / o), (N,)."""
        log_p = torch.log_softmax(logits, dim=1)
        of_label = log_p[:, :-1].gather(1, targets[:, None]).squeeze(1)
        return -torch.logaddexp(of_label, log_p[:, -1] - math.log(self.o))


@register("gambler-pretrained")
@dataclass(frozen=True, kw_only=True)
class GamblerPretrained(Gambler):
    """Gambler's loss after a first phase of cross-entropy over the K classes alone.

    In the first phase the extra output is not trained at all.

    Source: as the gambler's loss; the release trains 300 epochs on CIFAR-10, the first 100 by
    cross-entropy where o < 6.1. Deviation: the length is a share of the epochs.
    """

    title: ClassVar[str] = "Gambler's loss (pre-trained)"
    family: ClassVar[str] = "extra-output"
    formula: ClassVar[str] = "CE of the K classes first, then -log(p_y + p_a / o)"
    published: ClassVar[Mapping[str, Published]] = {
        "cifar10": Published(
            params={"o": 2.2, "start": 1 / 3},
            recipe={"lr": 0.1, "weight_decay": 5e-4, "l1": 0.0},
            source="github.com/Z-T-WANG/NIPS2019DeepGamblers (0d1b595), main.py",
        )
    }

    o: float = hyper(
        2.2,
        "payoff of the label; smaller reserves more",
        "[1, 1e6]",
        search=(1.5, 2.2, 4.0, 6.1, 9.0),
    )
    start: float = hyper(
        1 / 3, "share of the epochs that are cross-entropy", "[0, 1]", search=(0.1, 0.33, 0.5)
    )

    def begin(self, facts: Facts) -> State:
        """Return the phase of cross-entropy."""
        off = torch.zeros((), dtype=torch.bool, device=facts.device)
        return State(globals={"betting": off})

    def begin_epoch(self, state: State, facts: Facts, epoch: int, sweep: Tensor | None) -> None:  # noqa: ARG002
        """Set the phase."""
        state.put("betting", epoch >= round(self.start * facts.epochs))

    def step(self, batch: Batch) -> Step:
        """Return the losses of the phase."""
        plain = F.cross_entropy(batch.output[:, :-1], batch.targets, reduction="none")
        bets = self.loss(batch.output, batch.targets)
        return Step(losses=(torch.where(batch.globals["betting"], bets, plain),))
