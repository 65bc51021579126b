"""Active-passive losses: normalised cross-entropy, alone and with a passive term beside it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from nlbench.baselines import terms
from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Method, Published
from nlbench.baselines.registry import register
from nlbench.baselines.releases import ALF, DRAINAGE, EPS, trained


@register("nce")
@dataclass(frozen=True, kw_only=True)
class NCE(Method):
    """Normalised cross-entropy, l = log p_t / sum_k log p_k with p = softmax(z).

    Symmetric: its sum over all labels is 1. logits (N, K), targets (N,) -> (N,) in [0, 1].

    Source: Ma et al., ICML 2020; alone it underfits, see the sums below.
    """

    title: ClassVar[str] = "NCE"
    family: ClassVar[str] = "normalised"
    formula: ClassVar[str] = "log p_y / sum_k log p_k"
    source: ClassVar[str] = "Ma et al., ICML 2020"
    published: ClassVar[Mapping[str, Published]] = dict(
        trained(family, ALF, {}) for family in ("mnist", "cifar10", "cifar100")
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return log p_t / sum_k log p_k, (N,)."""
        return terms.nce(logits, targets)


@dataclass(frozen=True, kw_only=True)
class NCEAnd(Method):
    """l = alpha NCE + beta times a passive term: base of the sums."""

    alpha: float = hyper(
        1.0, "weight of normalised cross-entropy", "[0, inf)", search=(0.1, 1.0, 10.0)
    )
    beta: float = hyper(1.0, "weight of the passive term", "[0, inf)", search=(0.1, 1.0, 10.0))

    @abstractmethod
    def passive(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the passive term, (N,)."""

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return alpha NCE + beta passive, (N,)."""
        active = terms.nce(logits, targets)
        return self.alpha * active + self.beta * self.passive(logits, targets)


@register("nce+mae")
@dataclass(frozen=True, kw_only=True)
class NCEAndMAE(NCEAnd):
    """Active-passive loss, l = alpha NCE + beta MAE with MAE = 1 - p_t.

    logits (N, K), targets (N,) -> (N,) in [0, alpha + beta].

    Source: Ma et al., ICML 2020. Settings as in the Drainage release (MNIST: eps-softmax); the
    authors' own repository, APL, has beta 1 for CIFAR-100.
    """

    title: ClassVar[str] = "NCE+MAE"
    family: ClassVar[str] = "normalised"
    formula: ClassVar[str] = "alpha NCE + beta (1 - p_y)"
    source: ClassVar[str] = "Ma et al., ICML 2020"
    published: ClassVar[Mapping[str, Published]] = dict(
        [
            # There MAE alone is 2 (1 - p_t), but in this sum it is beta (1 - p_t), as here.
            trained("mnist", EPS, {"alpha": 1.0, "beta": 10.0}),
            trained(
                "cifar10",
                f"{DRAINAGE}, config/cifar10_nce_mae.json",
                {"alpha": 1.0, "beta": 1.0},
            ),
            trained(
                "cifar100",
                f"{DRAINAGE}, config/cifar100_nce_mae.json",
                {"alpha": 10.0, "beta": 0.1},
            ),
        ]
    )

    def passive(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return 1 - p_t, (N,)."""
        return terms.mae(logits, targets)


@register("nce+rce")
@dataclass(frozen=True, kw_only=True)
class NCEAndRCE(NCEAnd):
    """Active-passive loss, l = alpha NCE + beta RCE with RCE = 9.21 (1 - p_t).

    logits (N, K), targets (N,) -> (N,) in [0, alpha + 9.22 beta].

    Source: Ma et al., ICML 2020. Settings as in the Drainage release (MNIST: eps-softmax). The
    paper prints log 0 as -4, all public code has log 1e-4 = -9.21, and so has this. Deviation: that
    code clamps p at 1e-7, this does not.
    """

    title: ClassVar[str] = "NCE+RCE"
    family: ClassVar[str] = "normalised"
    formula: ClassVar[str] = "alpha NCE + beta 9.21 (1 - p_y)"
    source: ClassVar[str] = "Ma et al., ICML 2020"
    published: ClassVar[Mapping[str, Published]] = dict(
        [
            trained("mnist", EPS, {"alpha": 1.0, "beta": 10.0}),
            trained(
                "cifar10",
                f"{DRAINAGE}, config/cifar10_nce_rce.json",
                {"alpha": 1.0, "beta": 1.0},
            ),
            trained(
                "cifar100",
                f"{DRAINAGE}, config/cifar100_nce_rce.json",
                {"alpha": 10.0, "beta": 0.1},
            ),
            trained(
                "mini_webvision",
                f"{DRAINAGE}, config/webvision_nce_rce.json",
                {"alpha": 50.0, "beta": 0.1},
            ),
            trained(
                "clothing1m",
                f"{DRAINAGE}, config/clothing1m_nce_rce.json",
                {"alpha": 50.0, "beta": 0.1},
            ),
        ]
    )

    def passive(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return 9.21 (1 - p_t), (N,)."""
        return terms.rce(logits, targets)
