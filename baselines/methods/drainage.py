"""Drainage: one more output, between the label and the other classes, for what does not fit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from nlbench.baselines.errors import MethodError
from nlbench.baselines.extra_output import ExtraOutput
from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Published, Scalar
from nlbench.baselines.registry import register

_RELEASE = "github.com/ZKI-PH-ImageAnalysis/Drainage (b805850)"


def drainage_loss(
    class_logits: Tensor, drainage_logit: Tensor, targets: Tensor, alpha: float, beta: float
) -> Tensor:
    """Drainage loss of each sample.

    With t the label, d the drainage output and J the other classes,
    l = log(1 + alpha (p_d + p_J) / p_t + beta p_J / p_d), computed as
    l = LSE(0, LSE(z_d, z_J) - z_t + log alpha, LSE(z_J) - z_d + log beta).
    The softmax normaliser cancels, so no probability is formed and nothing needs a clamp. l is
    convex in the logits.

    Args:
        class_logits: (N, K) float32 or float64, K >= 2.
        drainage_logit: (N,), from the network or a constant.
        targets: (N,) int64 in [0, K).
        alpha: > 0, weight of everything that is not the label.
        beta: >= 0, weight of the competitors against the drainage output.

    Returns:
        (N,) in [0, inf).

    Source: Taha et al., arXiv 2512.03182; `DrainageLoss` in the official implementation.
    """
    index = targets[:, None]
    target = class_logits.gather(1, index).squeeze(1)
    others = torch.logsumexp(class_logits.scatter(1, index, -torch.inf), dim=1)
    log_beta = math.log(beta) if beta > 0.0 else -math.inf
    not_target = torch.logaddexp(drainage_logit, others) - target + math.log(alpha)
    not_drained = others - drainage_logit + log_beta
    terms = torch.stack([torch.zeros_like(target), not_target, not_drained], dim=1)
    return torch.logsumexp(terms, dim=1)


@register("drainage")
@dataclass(frozen=True, kw_only=True)
class Drainage(ExtraOutput):
    """Drainage loss on K + 1 outputs, the drainage output last: see `drainage_loss`.

    beta = 1/alpha unless it is set, as in every released configuration; a smaller alpha (larger
    beta) moves mass into the drainage output earlier. alpha = 1 and beta = 0 is cross-entropy over
    the K + 1 outputs. logits (N, K + 1), targets (N,) in [0, K) -> (N,) in [0, inf).

    Prediction is the argmax over the K classes, as in the official evaluation: the drainage output
    never wins. Its probability p_d, also the open-set score `drainage`, is the softmax over all
    K + 1.

    Source: Taha et al., arXiv 2512.03182 (CVPR 2026); the official implementation and its
    configurations. Deviation: there the L1 term is part of the loss, here it is the recipe's.
    """

    title: ClassVar[str] = "Drainage"
    family: ClassVar[str] = "extra-output"
    formula: ClassVar[str] = (
        "log(1 + alpha (p_d + p_J) / p_y + beta p_J / p_d), p_J = sum_{j != y, d} p_j"
    )
    source: ClassVar[str] = "Taha et al., CVPR 2026 (arXiv 2512.03182)"
    published: ClassVar[Mapping[str, Published]] = {
        "cifar10": Published(
            params={"alpha": 1.0},
            recipe={"lr": 0.01, "weight_decay": 0.0, "l1": 2e-4},
            source=f"{_RELEASE}, config/cifar10_alpha_dl.json",
        ),
        "cifar100": Published(
            params={"alpha": 0.1},
            recipe={"lr": 0.01, "weight_decay": 0.0, "l1": 1e-4},
            source=f"{_RELEASE}, config/cifar100_alpha_dl.json",
        ),
        "mini_webvision": Published(
            params={"alpha": 0.1},
            recipe={"lr": 0.4, "weight_decay": 0.0, "l1": 1e-5},
            source=f"{_RELEASE}, config/webvision_alpha_dl.json",
        ),
        "clothing1m": Published(
            params={"alpha": 0.01},
            recipe={"lr": 1e-4, "weight_decay": 1e-3, "l1": 0.0},
            source=f"{_RELEASE}, config/clothing1m_alpha_dl.json",
        ),
    }

    alpha: float = hyper(
        1.0,
        "weight of the mass that is not on the label",
        "(0, inf)",
        search=(0.01, 0.1, 0.3, 1.0, 3.0),
    )
    beta: float | None = hyper(
        None, "weight of the other classes against the drainage output; none: 1/alpha", "[0, inf)"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not math.isfinite(self.effective_beta):
            raise MethodError(
                f"method {self.name!r}: alpha = {self.alpha!r} is too small for beta = 1/alpha"
            )

    @property
    def effective_beta(self) -> float:
        """The beta in use: the one that was set, else 1/alpha."""
        return 1.0 / self.alpha if self.beta is None else self.beta

    def params(self) -> dict[str, Scalar]:
        """Return alpha and the beta in use."""
        return {"alpha": self.alpha, "beta": self.effective_beta}

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the drainage loss, (N,)."""
        return drainage_loss(
            logits[:, :-1], logits[:, -1], targets, self.alpha, self.effective_beta
        )
