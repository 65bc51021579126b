"""Joint asymmetric loss: normalised cross-entropy and an asymmetric mean square error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from nlbench.baselines import terms
from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Published
from nlbench.baselines.methods.active_passive import NCEAnd
from nlbench.baselines.registry import register
from nlbench.baselines.releases import JAL, trained


@register("jal-ce")
@dataclass(frozen=True, kw_only=True)
class JALCE(NCEAnd):
    """Joint asymmetric loss, l = alpha NCE + beta AMSE, AMSE = mean_k (p_k - a y_k)^2, y one-hot.

    The mean over the classes makes the weight of AMSE depend on K. logits (N, K), targets (N,) ->
    (N,) in [beta (a - 1)^2 / K, inf).

    Source: Wang et al., ICCV 2025; its release.
    """

    title: ClassVar[str] = "JAL-CE"
    family: ClassVar[str] = "normalised"
    formula: ClassVar[str] = "alpha NCE + beta mean_k (p_k - a e_k)^2"
    source: ClassVar[str] = "Wang et al., ICCV 2025"
    published: ClassVar[Mapping[str, Published]] = dict(
        [
            trained("cifar10", JAL, {"alpha": 1.0, "beta": 1.0, "a": 30.0}, l1=5e-5),
            trained("cifar100", JAL, {"alpha": 5.0, "beta": 1.0, "a": 20.0}, l1=5e-6),
            trained("mini_webvision", JAL, {"alpha": 50.0, "beta": 1.0, "a": 30.0}),
            trained("clothing1m", JAL, {"alpha": 5.0, "beta": 0.1, "a": 5.0}),
        ]
    )

    a: float = hyper(
        30.0, "what p_t is drawn to; asymmetric above 1", "[1, 1e4]", search=(5.0, 20.0, 30.0)
    )

    def passive(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the asymmetric mean square error, (N,)."""
        return terms.amse(logits, targets, self.a)
