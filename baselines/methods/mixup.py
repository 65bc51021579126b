"""Mixup: networks trained on convex combinations of two images and of their labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Method, Published
from nlbench.baselines.registry import register
from nlbench.baselines.state import Batch, Mixing, Step

_RELEASE = "github.com/facebookresearch/mixup-cifar10 (eaff31a), train.py"


@register("mixup")
@dataclass(frozen=True, kw_only=True)
class Mixup(Method):
    """w CE(y) + (1 - w) CE(y') on images w x + (1 - w) x', one w of Beta(alpha, alpha) a batch.

    (x', y') is another sample of the batch. Curves of the training pass are those of mixed images.

    Source: Zhang et al., ICLR 2018, and its release. Work on noisy labels takes alpha of 1 (ELR+,
    Dual-T), 4 (DivideMix), 5 (DISC) or 32 (M-correction).
    """

    title: ClassVar[str] = "Mixup"
    family: ClassVar[str] = "regularisation"
    formula: ClassVar[str] = "w CE(y) + (1 - w) CE(y') on the image w x + (1 - w) x'"
    source: ClassVar[str] = "Zhang et al., ICLR 2018"
    published: ClassVar[Mapping[str, Published]] = {
        family: Published(
            params={"alpha": 1.0},
            recipe={"lr": 0.1, "weight_decay": 1e-4, "l1": 0.0},
            source=_RELEASE,
        )
        for family in ("cifar10", "cifar100")
    }

    alpha: float = hyper(
        1.0,
        "both parameters of the beta distribution; 0: no mixing",
        "[0, inf)",
        search=(0.2, 1.0, 4.0, 8.0, 32.0),
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy, (N,)."""
        return F.cross_entropy(logits, targets, reduction="none")

    def mixing(self) -> Mixing:
        """Return the distribution of the weight of a batch."""
        return Mixing(self.alpha)

    def step(self, batch: Batch) -> Step:
        """Return the two cross-entropies in the proportion of the images."""
        mixed = batch.mixed
        assert mixed is not None  # the engine mixes because of `mixing`
        own = self.loss(batch.output, batch.targets)
        other = self.loss(batch.output, batch.targets[mixed.partner])
        return Step(losses=(mixed.weight * own + (1.0 - mixed.weight) * other,))
