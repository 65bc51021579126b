"""Bootstrapping: the label is partly replaced by the network's own prediction."""

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

_RELEASE = "github.com/giorgiop/loss-correction (15a79de), which runs it as a baseline"


@register("boot-soft")
@dataclass(frozen=True, kw_only=True)
class BootSoft(Method):
    """Cross-entropy with target beta e + (1 - beta) p: beta CE + (1 - beta) H(p).

    The gradient goes through the target as well, so that the second term is the entropy of p.
    logits (N, K), targets (N,) -> (N,).

    Source: Reed et al., ICLR 2015 workshop, equation 6; no release of the authors, settings of a
    later comparison. Deviation: that code clips p at 1e-7.
    """

    title: ClassVar[str] = "Bootstrap (soft)"
    family: ClassVar[str] = "correction"
    formula: ClassVar[str] = "-sum_k t_k log p_k, t = beta e + (1 - beta) p"
    source: ClassVar[str] = "Reed et al., ICLR 2015 workshop"
    published: ClassVar[Mapping[str, Published]] = {
        "cifar10": Published(
            params={"beta": 0.95},
            recipe={"lr": 0.1, "weight_decay": 1e-4, "l1": 0.0},
            source=_RELEASE,
        ),
        "cifar100": Published(
            params={"beta": 0.95},
            recipe={"lr": 0.1, "weight_decay": 1e-3, "l1": 0.0},
            source=_RELEASE,
        ),
    }

    beta: float = hyper(
        0.95, "share of the label; 1 is cross-entropy", "[0, 1]", search=(0.6, 0.8, 0.95)
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return beta CE + (1 - beta) H(p), (N,)."""
        log_p = logits.log_softmax(dim=1)
        entropy = -(log_p.exp() * log_p).sum(dim=1)
        label = F.cross_entropy(logits, targets, reduction="none")
        return self.beta * label + (1.0 - self.beta) * entropy


@register("boot-hard")
@dataclass(frozen=True, kw_only=True)
class BootHard(Method):
    """Cross-entropy with target beta e + (1 - beta) one-hot argmax: beta CE - (1 - beta) log max p.

    logits (N, K), targets (N,) -> (N,). Among equal outputs the first is the prediction.

    Source: Reed et al., ICLR 2015 workshop, equation 7; beta as there.
    """

    title: ClassVar[str] = "Bootstrap (hard)"
    family: ClassVar[str] = "correction"
    formula: ClassVar[str] = "-sum_k t_k log p_k, t = beta e + (1 - beta) onehot(argmax p)"
    source: ClassVar[str] = "Reed et al., ICLR 2015 workshop"

    beta: float = hyper(
        0.8, "share of the label; 1 is cross-entropy", "[0, 1]", search=(0.6, 0.8, 0.95)
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return beta CE + (1 - beta) CE(argmax), (N,)."""
        label = F.cross_entropy(logits, targets, reduction="none")
        guess = F.cross_entropy(logits, torch.argmax(logits, dim=1), reduction="none")
        return self.beta * label + (1.0 - self.beta) * guess
