"""Asymmetric losses AGCE, AUL and AEL: alone, and as passive terms beside NCE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from nlbench.baselines import terms
from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Method, Published
from nlbench.baselines.methods.active_passive import NCEAnd
from nlbench.baselines.registry import register
from nlbench.baselines.releases import ALF, DRAINAGE, trained


@register("agce")
@dataclass(frozen=True, kw_only=True)
class AGCE(Method):
    """Asymmetric generalised cross-entropy, l = ((a + 1)^q - (a + p_t)^q) / q.

    a -> 0 is generalised cross-entropy. logits (N, K), targets (N,) -> (N,) in
    [0, ((a + 1)^q - a^q) / q].

    Source: Zhou et al., ICML 2021; their release, ALF.
    """

    title: ClassVar[str] = "AGCE"
    family: ClassVar[str] = "bounded"
    formula: ClassVar[str] = "((a + 1)^q - (a + p_y)^q) / q"
    source: ClassVar[str] = "Zhou et al., ICML 2021"
    published: ClassVar[Mapping[str, Published]] = dict(
        [
            trained("mnist", ALF, {"a": 4.0, "q": 0.2}),
            trained("cifar10", ALF, {"a": 0.6, "q": 0.6}),
            trained("cifar100", ALF, {"a": 0.6, "q": 0.6}),
        ]
    )

    a: float = hyper(
        0.6, "shift of p_t; larger is closer to linear", "(0, 100]", search=(0.1, 0.6, 4.0)
    )
    q: float = hyper(0.6, "exponent; 1 is 1 - p_t", "(0, 10]", search=(0.2, 0.6, 1.5))

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return ((a + 1)^q - (a + p_t)^q) / q, (N,)."""
        return terms.agce(logits, targets, self.a, self.q)


@register("aul")
@dataclass(frozen=True, kw_only=True)
class AUL(Method):
    """Asymmetric unhinged loss, l = ((a - p_t)^q - (a - 1)^q) / q.

    logits (N, K), targets (N,) -> (N,) in [0, (a^q - (a - 1)^q) / q].

    Source: Zhou et al., ICML 2021; their release, ALF, where the class is called AUE.
    """

    title: ClassVar[str] = "AUL"
    family: ClassVar[str] = "bounded"
    formula: ClassVar[str] = "((a - p_y)^q - (a - 1)^q) / q"
    source: ClassVar[str] = "Zhou et al., ICML 2021"
    published: ClassVar[Mapping[str, Published]] = dict(
        [
            trained("mnist", ALF, {"a": 3.0, "q": 0.1}),
            trained("cifar10", ALF, {"a": 5.5, "q": 3.0}),
            trained("cifar100", ALF, {"a": 5.5, "q": 3.0}),
        ]
    )

    a: float = hyper(
        5.5,
        "what p_t is taken from; larger is closer to linear",
        "(1, 100]",
        search=(2.0, 3.0, 5.5),
    )
    q: float = hyper(3.0, "exponent; 1 is 1 - p_t", "(0, 10]", search=(0.5, 1.5, 3.0))

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return ((a - p_t)^q - (a - 1)^q) / q, (N,)."""
        return terms.aul(logits, targets, self.a, self.q)


@register("ael")
@dataclass(frozen=True, kw_only=True)
class AEL(Method):
    """Asymmetric exponential loss, l = exp(-p_t / a).

    logits (N, K), targets (N,) -> (N,) in [exp(-1/a), 1].

    Source: Zhou et al., ICML 2021; their release, ALF.
    """

    title: ClassVar[str] = "AEL"
    family: ClassVar[str] = "bounded"
    formula: ClassVar[str] = "exp(-p_y / a)"
    source: ClassVar[str] = "Zhou et al., ICML 2021"
    published: ClassVar[Mapping[str, Published]] = dict(
        [
            trained("mnist", ALF, {"a": 3.5}),
            trained("cifar10", ALF, {"a": 2.5}),
            trained("cifar100", ALF, {"a": 2.5}),
        ]
    )

    a: float = hyper(
        2.5, "scale of p_t; larger is closer to linear", "[0.01, inf)", search=(0.5, 1.5, 2.5, 5.0)
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return exp(-p_t / a), (N,)."""
        return terms.ael(logits, targets, self.a)


@register("nce+agce")
@dataclass(frozen=True, kw_only=True)
class NCEAndAGCE(NCEAnd):
    """Active-passive loss, l = alpha NCE + beta AGCE, with AGCE = ((a + 1)^q - (a + p_t)^q) / q.

    logits (N, K), targets (N,) -> (N,) in [0, inf).

    Source: Zhou et al., ICML 2021; ALF and the Drainage release.
    """

    title: ClassVar[str] = "NCE+AGCE"
    family: ClassVar[str] = "normalised"
    formula: ClassVar[str] = "alpha NCE + beta ((a + 1)^q - (a + p_y)^q) / q"
    source: ClassVar[str] = "Zhou et al., ICML 2021"
    published: ClassVar[Mapping[str, Published]] = dict(
        [
            trained("mnist", ALF, {"alpha": 0.0, "beta": 1.0, "a": 4.0, "q": 0.2}),
            trained(
                "cifar10",
                f"{DRAINAGE}, config/cifar10_nce_agce.json",
                {"alpha": 1.0, "beta": 4.0, "a": 6.0, "q": 1.5},
            ),
            trained(
                "cifar100",
                f"{DRAINAGE}, config/cifar100_nce_agce.json",
                {"alpha": 10.0, "beta": 0.1, "a": 1.8, "q": 3.0},
            ),
            trained(
                "mini_webvision",
                f"{DRAINAGE}, config/webvision_nce_agce.json",
                {"alpha": 50.0, "beta": 0.1, "a": 2.5, "q": 3.0},
            ),
            trained(
                "clothing1m",
                f"{DRAINAGE}, config/clothing1m_nce_agce.json",
                {"alpha": 50.0, "beta": 0.1, "a": 2.5, "q": 3.0},
            ),
        ]
    )

    beta: float = hyper(4.0, "weight of AGCE", "[0, inf)", search=(0.1, 1.0, 4.0, 10.0))
    a: float = hyper(
        6.0, "shift of p_t; larger is closer to linear", "(0, 100]", search=(0.6, 1.8, 6.0)
    )
    q: float = hyper(1.5, "exponent; 1 is 1 - p_t", "(0, 10]", search=(0.6, 1.5, 3.0))

    def passive(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return AGCE, (N,)."""
        return terms.agce(logits, targets, self.a, self.q)


@register("nce+aul")
@dataclass(frozen=True, kw_only=True)
class NCEAndAUL(NCEAnd):
    """Active-passive loss, l = alpha NCE + beta AUL, with AUL = ((a - p_t)^q - (a - 1)^q) / q.

    logits (N, K), targets (N,) -> (N,) in [0, inf).

    Source: Zhou et al., ICML 2021; ALF and the Drainage release.
    """

    title: ClassVar[str] = "NCE+AUL"
    family: ClassVar[str] = "normalised"
    formula: ClassVar[str] = "alpha NCE + beta ((a - p_y)^q - (a - 1)^q) / q"
    source: ClassVar[str] = "Zhou et al., ICML 2021"
    published: ClassVar[Mapping[str, Published]] = dict(
        [
            trained("mnist", ALF, {"alpha": 0.0, "beta": 1.0, "a": 3.0, "q": 0.1}),
            trained(
                "cifar10",
                f"{DRAINAGE}, config/cifar10_nce_aul.json",
                {"alpha": 1.0, "beta": 4.0, "a": 6.3, "q": 1.5},
            ),
            trained(
                "cifar100",
                f"{DRAINAGE}, config/cifar100_nce_aul.json",
                {"alpha": 10.0, "beta": 0.015, "a": 6.0, "q": 3.0},
            ),
        ]
    )

    beta: float = hyper(4.0, "weight of AUL", "[0, inf)", search=(0.1, 1.0, 4.0, 10.0))
    a: float = hyper(
        6.3, "what p_t is taken from; larger is closer to linear", "(1, 100]", search=(3.0, 6.3)
    )
    q: float = hyper(1.5, "exponent; 1 is 1 - p_t", "(0, 10]", search=(0.5, 1.5, 3.0))

    def passive(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return AUL, (N,)."""
        return terms.aul(logits, targets, self.a, self.q)


@register("nce+ael")
@dataclass(frozen=True, kw_only=True)
class NCEAndAEL(NCEAnd):
    """Active-passive loss, l = alpha NCE + beta AEL, with AEL = exp(-p_t / a).

    logits (N, K), targets (N,) -> (N,) in (0, alpha + beta].

    Source: Zhou et al., ICML 2021; ALF and the Drainage release.
    """

    title: ClassVar[str] = "NCE+AEL"
    family: ClassVar[str] = "normalised"
    formula: ClassVar[str] = "alpha NCE + beta exp(-p_y / a)"
    source: ClassVar[str] = "Zhou et al., ICML 2021"
    published: ClassVar[Mapping[str, Published]] = dict(
        [
            trained("mnist", ALF, {"alpha": 0.0, "beta": 1.0, "a": 3.5}),
            trained(
                "cifar10",
                f"{DRAINAGE}, config/cifar10_nce_ael.json",
                {"alpha": 1.0, "beta": 4.0, "a": 5.0},
            ),
            trained(
                "cifar100",
                f"{DRAINAGE}, config/cifar100_nce_ael.json",
                {"alpha": 10.0, "beta": 0.1, "a": 1.5},
            ),
        ]
    )

    beta: float = hyper(4.0, "weight of AEL", "[0, inf)", search=(0.1, 1.0, 4.0, 10.0))
    a: float = hyper(
        5.0, "scale of p_t; larger is closer to linear", "[0.01, inf)", search=(1.5, 3.5, 5.0)
    )

    def passive(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return AEL, (N,)."""
        return terms.ael(logits, targets, self.a)
