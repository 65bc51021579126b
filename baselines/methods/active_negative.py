"""Active negative losses: a normalised active loss and the negative of its own complement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from nlbench.baselines import terms
from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Method, Published
from nlbench.baselines.registry import register
from nlbench.baselines.releases import ANL, DRAINAGE, trained


@register("anl-ce")
@dataclass(frozen=True, kw_only=True)
class ANLCE(Method):
    """Active negative loss, l = alpha NCE + beta NNCE.

    NNCE = 1 - (A + log p_t) / sum_k (A + log p_k) with p clamped at p_min, which is part of the
    loss, and A = -log p_min. logits (N, K), targets (N,) -> (N,) in [0, alpha + beta].

    Source: Ye et al., NeurIPS 2023; its release and, where it has a setting, Drainage's.
    """

    title: ClassVar[str] = "ANL-CE"
    family: ClassVar[str] = "normalised"
    formula: ClassVar[str] = (
        "alpha NCE + beta [1 - (A + log p_y) / sum_k (A + log p_k)], A = -log p_min"
    )
    source: ClassVar[str] = "Ye et al., NeurIPS 2023"
    published: ClassVar[Mapping[str, Published]] = dict(
        [
            trained("mnist", ANL, {"alpha": 1.0, "beta": 1.0}, l1=1e-6),
            trained(
                "cifar10",
                f"{DRAINAGE}, config/cifar10_anl_ce.json",
                {"alpha": 5.0, "beta": 5.0},
                l1=5e-5,
            ),
            trained(
                "cifar100",
                f"{DRAINAGE}, config/cifar100_anl_ce.json",
                {"alpha": 10.0, "beta": 1.0},
                l1=5e-7,
            ),
            trained(
                "mini_webvision",
                f"{DRAINAGE}, config/webvision_anl_ce.json",
                {"alpha": 20.0, "beta": 1.0},
                l1=5e-6,
            ),
        ]
    )

    alpha: float = hyper(5.0, "weight of the active loss", "[0, inf)", search=(1.0, 5.0, 10.0))
    beta: float = hyper(5.0, "weight of the negative loss", "[0, inf)", search=(0.1, 1.0, 5.0))
    p_min: float = hyper(1e-7, "where p is clamped in the negative loss", "[1e-30, 0.001]")

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return alpha NCE + beta NNCE, (N,)."""
        active = terms.nce(logits, targets)
        return self.alpha * active + self.beta * terms.nnce(logits, targets, self.p_min)


@register("anl-fl")
@dataclass(frozen=True, kw_only=True)
class ANLFL(Method):
    """Active negative loss, l = alpha NFL + beta NNFL, of the focal loss FL.

    NFL = FL_t / sum_k FL_k with FL_k = -(1 - p_k)^gamma log p_k, and NNFL =
    1 - (A - FL_t) / sum_k (A - FL_k) with p clamped at p_min, which is part of the loss, and A the
    focal loss of p_min. logits (N, K), targets (N,) -> (N,) in [0, alpha + beta].

    Source: Ye et al., NeurIPS 2023; its release and Drainage's. `legacy` is the bug of both: the
    weights (1 - p_k)^gamma are detached, so that the gradient is not that of the loss. Published
    numbers were made with it.
    """

    title: ClassVar[str] = "ANL-FL"
    family: ClassVar[str] = "normalised"
    formula: ClassVar[str] = "alpha NFL + beta [1 - (A - FL_y) / sum_k (A - FL_k)], A = FL at p_min"
    source: ClassVar[str] = "Ye et al., NeurIPS 2023"
    published: ClassVar[Mapping[str, Published]] = dict(
        [
            trained("mnist", ANL, {"alpha": 1.0, "beta": 1.0, "gamma": 0.5}, l1=1e-6),
            trained(
                "cifar10",
                f"{DRAINAGE}, config/cifar10_anl_fl.json",
                {"alpha": 5.0, "beta": 5.0, "gamma": 0.5},
                l1=5e-5,
            ),
            trained(
                "cifar100",
                f"{DRAINAGE}, config/cifar100_anl_fl.json",
                {"alpha": 10.0, "beta": 1.0, "gamma": 0.5},
                l1=5e-7,
            ),
        ]
    )

    alpha: float = hyper(5.0, "weight of the active loss", "[0, inf)", search=(1.0, 5.0, 10.0))
    beta: float = hyper(5.0, "weight of the negative loss", "[0, inf)", search=(0.1, 1.0, 5.0))
    gamma: float = hyper(0.5, "exponent of the focal loss; 0 is ANL-CE", "[0, inf)")
    p_min: float = hyper(1e-7, "where p is clamped in the negative loss", "[1e-30, 0.001]")
    legacy: bool = hyper(False, "detach the weights, as public code does")

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return alpha NFL + beta NNFL, (N,)."""
        active = terms.nfl(logits, targets, self.gamma, self.legacy)
        negative = terms.nnfl(logits, targets, self.gamma, self.p_min, self.legacy)
        return self.alpha * active + self.beta * negative
