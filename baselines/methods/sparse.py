"""Sparse regularisation: cross-entropy and a penalty that draws the output to one-hot vectors."""

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
from nlbench.baselines.releases import SR, trained
from nlbench.baselines.state import Batch, Facts, State, Step


@register("sr-constant")
@dataclass(frozen=True, kw_only=True)
class SparseRegularisation(Method):
    """Sparse regularisation, l = -log p_t + lam sum_k p_k^p, with a constant weight lam.

    p_k is the softmax of the logits divided by their Euclidean length and by tau. logits (N, K),
    targets (N,) -> (N,) in (0, inf).

    Source: Zhou et al., ICCV 2021; its release, where lam starts at the published value and grows
    by 3 % (CIFAR-10) or 2 % (CIFAR-100) an epoch. Deviations: here lam stays (in `sr` it grows);
    there p_k is clamped
    at 1e-7 in the penalty, which normalised logits do not reach, and for MNIST they are left as
    they are.
    """

    title: ClassVar[str] = "SR (constant lambda)"
    family: ClassVar[str] = "outputs"
    formula: ClassVar[str] = "-log p_y + lam sum_k p_k^p, p_k = softmax(z / (|z| tau))_k"
    source: ClassVar[str] = "Zhou et al., ICCV 2021"
    shift_invariant: ClassVar[bool] = False
    published: ClassVar[Mapping[str, Published]] = dict(
        [
            trained("cifar10", SR, {"tau": 0.5, "p": 0.1, "lam": 1.2}),
            trained("cifar100", SR, {"tau": 0.5, "p": 0.01, "lam": 10.0}),
        ]
    )

    tau: float = hyper(0.5, "temperature of the softmax", "[0.001, 1000]", search=(0.3, 0.5, 1.0))
    p: float = hyper(0.1, "exponent of the penalty; smaller is sparser", "(0, 1]")
    lam: float = hyper(
        1.2, "weight of the penalty, lambda", "[0, inf)", search=(0.5, 1.2, 4.0, 10.0)
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return -log p_t + lam sum_k p_k^p, (N,)."""
        fit, penalty = self.terms(logits, targets)
        return fit + self.lam * penalty

    def terms(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return -log p_t and sum_k p_k^p, (N,) each."""
        log_p = torch.log_softmax(F.normalize(logits, dim=1) / self.tau, dim=1)
        penalty = torch.exp(self.p * log_p).sum(dim=1)
        return -log_p.gather(1, targets[:, None]).squeeze(1), penalty


@register("sr")
@dataclass(frozen=True, kw_only=True)
class GrowingSparseRegularisation(SparseRegularisation):
    """Sparse regularisation with a weight that grows, lam rho^j after j times `every` epochs.

    The growth is that of an epoch whatever their number: with fewer epochs than the release has
    (120 on CIFAR-10, 200 on CIFAR-100) the weight ends smaller.

    Source: as SR (constant lambda), config.py: rho 1.03 on CIFAR-10, 1.02 on CIFAR-100.
    """

    title: ClassVar[str] = "SR"
    family: ClassVar[str] = "outputs"
    formula: ClassVar[str] = "SR with a weight that grows: lam rho^epoch"
    published: ClassVar[Mapping[str, Published]] = dict(
        [
            trained("cifar10", SR, {"tau": 0.5, "p": 0.1, "lam": 1.2, "rho": 1.03}),
            trained("cifar100", SR, {"tau": 0.5, "p": 0.01, "lam": 10.0, "rho": 1.02}),
        ]
    )

    rho: float = hyper(1.03, "factor of the weight's growth", "[1, 10]", search=(1.01, 1.03, 1.1))
    every: int = hyper(1, "epochs between two such steps", "[1, inf)")

    def begin(self, facts: Facts) -> State:
        """Return the first weight."""
        return State(globals={"weight": facts.number(self.lam)})

    def begin_epoch(self, state: State, facts: Facts, epoch: int, sweep: Tensor | None) -> None:  # noqa: ARG002
        """Set the weight of this epoch."""
        state.put("weight", self.lam * self.rho ** (epoch // self.every))

    def step(self, batch: Batch) -> Step:
        """Return the loss with the weight of this epoch."""
        fit, penalty = self.terms(batch.output, batch.targets)
        return Step(losses=(fit + batch.globals["weight"] * penalty,))
