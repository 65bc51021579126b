"""Deep abstaining classifier: one more output for what is not to be classified, at a price."""

from __future__ import annotations

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

_RELEASE = "github.com/thulas/dac-label-noise (678e468), dac_loss.py and train_dac.py"
# Share of a batch in the running mean of what abstaining would save.
SHARE = 0.05


@register("dac-constant")
@dataclass(frozen=True, kw_only=True)
class DACConstant(ExtraOutput):
    """Abstention loss with a constant price, l = (1 - p_a) CE - alpha log(1 - p_a).

    p_a is the abstention output's share in the softmax over all K + 1, CE the cross-entropy over
    the K classes alone. p_a -> 0 is cross-entropy; a large alpha forbids abstaining.
    logits (N, K + 1), targets (N,) in [0, K) -> (N,) in [0, inf).

    Source: Thulasidasan et al., ICML 2019; github.com/thulas/dac-label-noise (678e468). Deviations:
    there alpha rises to 1 after 20 epochs of cross-entropy (`dac` does), here it is 1 throughout;
    there abstained samples are dropped and a second network is trained on the rest, here not; there
    p_a is capped at 1 - 1e-7.
    """

    title: ClassVar[str] = "DAC (constant alpha)"
    family: ClassVar[str] = "extra-output"
    formula: ClassVar[str] = "(1 - p_a) CE - alpha log(1 - p_a), CE of the K classes alone"
    source: ClassVar[str] = "Thulasidasan et al., ICML 2019"

    alpha: float = hyper(1.0, "price of abstaining", "[0, inf)", search=(0.3, 1.0, 3.0, 10.0))

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return (1 - p_a) CE - alpha log(1 - p_a), (N,)."""
        saved, price = parts(logits, targets)
        return saved + self.alpha * price


@register("dac")
@dataclass(frozen=True, kw_only=True)
class DAC(DACConstant):
    """Abstention loss whose price rises, after a first phase of cross-entropy.

    Up to `start` of the epochs it is cross-entropy over all K + 1 outputs, of which the last is
    never the label. At the first step after it alpha is the running mean of (1 - p_a) CE, over the
    batches so far, divided by `factor`, and from epoch to epoch it rises linearly to its final
    value at the last one.

    Source: as DAC (constant alpha). Deviations: the length of the first phase, 20 epochs there, is
    a share of the epochs; no second network is trained without the samples abstained on; there p_a
    is capped at 1 - 1e-7.
    """

    title: ClassVar[str] = "DAC"
    family: ClassVar[str] = "extra-output"
    formula: ClassVar[str] = "CE first, then (1 - p_a) CE - alpha log(1 - p_a), alpha rises"
    published: ClassVar[Mapping[str, Published]] = {
        family: Published(
            params={"alpha": 1.0, "start": 0.1, "factor": 64.0},
            recipe={"lr": 0.1, "nesterov": True, "weight_decay": 5e-4, "l1": 0.0},
            source=_RELEASE,
        )
        for family in ("cifar10", "cifar100")
    }

    start: float = hyper(
        0.1, "share of the epochs that are cross-entropy", "[0, 1]", search=(0.1, 0.25, 0.5)
    )
    factor: float = hyper(64.0, "divides the mean loss to give the first alpha", "(0, inf)")

    def begin(self, facts: Facts) -> State:
        """Return a mean of no batch, no first alpha, and the phase of cross-entropy."""
        numbers = ("mean", "first", "share")
        flags = ("seen", "priced", "abstaining")
        off = torch.zeros((), dtype=torch.bool, device=facts.device)
        return State(
            globals={
                **{name: facts.number() for name in numbers},
                **{name: off.clone() for name in flags},
            }
        )

    def begin_epoch(self, state: State, facts: Facts, epoch: int, sweep: Tensor | None) -> None:  # noqa: ARG002
        """Set the phase, and how far alpha is from its first value to its final one."""
        first = round(self.start * facts.epochs)
        state.put("abstaining", epoch >= first)
        state.put("share", max(0.0, epoch - first) / max(1, facts.epochs - 1 - first))

    def step(self, batch: Batch) -> Step:
        """Return the losses of the phase, and the mean and the first alpha after this batch."""
        known, outputs = batch.globals, batch.output
        saved, price = parts(outputs, batch.targets)
        now = saved.detach().mean()
        mean = torch.where(known["seen"], SHARE * now + (1.0 - SHARE) * known["mean"], now)
        first = torch.where(known["priced"], known["first"], mean / self.factor)
        alpha = first + known["share"] * (self.alpha - first)
        plain = F.cross_entropy(outputs, batch.targets, reduction="none")
        losses = torch.where(known["abstaining"], saved + alpha * price, plain)
        priced = known["priced"] | known["abstaining"]
        new = {"mean": mean, "first": first, "priced": priced, "seen": torch.ones_like(priced)}
        return Step(losses=(losses,), globals=new)


def parts(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return (1 - p_a) CE and -log(1 - p_a) of each sample, CE over the K classes alone."""
    real = logits[:, :-1]
    odds = logits[:, -1] - torch.logsumexp(real, dim=1)
    ce = F.cross_entropy(real, targets, reduction="none")
    return torch.sigmoid(-odds) * ce, -F.logsigmoid(-odds)
