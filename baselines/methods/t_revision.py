"""T-Revision: losses weighted by a transition matrix that is corrected along with the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nlbench.baselines import transition
from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Method, Published
from nlbench.baselines.registry import register
from nlbench.baselines.state import Batch, Facts, Stage, State, Step

_RELEASE = "github.com/xiaoboxia/T-Revision (b598cf2), main.py"
_RECIPE = {"lr": 0.01, "weight_decay": 1e-4, "l1": 0.0}


@register("t-revision")
@dataclass(frozen=True, kw_only=True)
class TRevision(Method):
    """Cross-entropy times p_y / (p^T (T + D))_y, in three stages.

    (1) Cross-entropy; from the best weights T is estimated by anchors. (2) From these weights,
    weighted losses with D = 0, no gradient through the weight. (3) From the best weights of (2),
    Adam at a very small rate for the network and for D, with the gradient through the weight.
    T + D is not made a matrix of probabilities again: its entries may be below 0. "Best" is by
    held-out noisy labels.

    Source: Xia et al., NeurIPS 2019, and its release, in which sample i of a batch sees
    T + (i + 1) D, because D is added again for each, and T is estimated with zeros in place as in
    Forward (estimated): `legacy` does both. Its second version of the loss lets no gradient
    through the weight, so that D never learns, and is not offered. Deviation: stage 1 follows the
    recipe, in the release it is without momentum and weight decay.
    """

    title: ClassVar[str] = "T-Revision"
    source: ClassVar[str] = "Xia et al., NeurIPS 2019"
    family: ClassVar[str] = "transition"
    formula: ClassVar[str] = "-(p_y / (p^T (T + D))_y) log p_y, T from a run of CE, D trained"
    version: ClassVar[int] = 2
    published: ClassVar[Mapping[str, Published]] = {
        "cifar10": Published(params={"warm": 0.1}, recipe=_RECIPE, source=_RELEASE),
        "cifar100": Published(params={"warm": 0.075}, recipe=_RECIPE, source=_RELEASE),
    }

    warm: float = hyper(
        0.1, "length of stage 1, a share of the epochs", "(0, 1]", search=(0.1, 0.25, 0.5)
    )
    revision: float = hyper(
        1.0, "length of stage 3, a share of the epochs", "(0, 1]", search=(0.25, 1.0)
    )
    lr_revision: float = hyper(
        5e-7, "learning rate of stage 3, of Adam", "(0, inf)", search=(5e-7, 5e-6, 5e-5)
    )
    legacy: bool = hyper(
        False, "add D once more for each sample of a batch, and estimate T in place, as released"
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy, (N,)."""
        return F.cross_entropy(logits, targets, reduction="none")

    def stages(self, epochs: int) -> tuple[Stage, ...]:
        """Return the three stages; the second has the recipe's epochs."""
        first, last = (max(1, round(share * epochs)) for share in (self.warm, self.revision))
        adam = {"optimizer": "adam", "lr": self.lr_revision, "schedule": "constant"}
        return (
            Stage(epochs=first),
            Stage(epochs=epochs, start="best", look="best"),
            Stage(epochs=last, start="best", recipe=adam),
        )

    def begin(self, facts: Facts) -> State:
        """Return T = I and D = 0, neither of them used yet."""
        off = torch.zeros((2,), dtype=torch.bool, device=facts.device)
        classes = facts.num_classes
        return State(
            globals={
                "transition": torch.eye(classes, dtype=facts.dtype, device=facts.device),
                "weighing": off[0].clone(),
                "revising": off[1].clone(),
            },
            parameters={"slack": nn.Parameter(facts.zeros(classes, classes))},
        )

    def optimiser(self, state: State) -> torch.optim.Optimizer:
        """Return what trains D; without a gradient, in the first stages, Adam leaves it at 0."""
        groups = [{"params": list(state.parameters.values()), "scheduled": False}]
        return torch.optim.Adam(groups, lr=self.lr_revision, fused=True)

    def begin_stage(self, state: State, facts: Facts, stage: int, sweep: Tensor | None) -> None:
        """Estimate T and weigh from stage 2 on, revise in stage 3."""
        state.put("weighing", True)
        state.put("revising", stage == 2)
        if sweep is not None:
            outliers = transition.outliers(facts.num_classes)
            p = sweep[0, facts.trained].softmax(dim=1)
            state.put("transition", transition.anchored(p, outliers, in_place=self.legacy))

    def step(self, batch: Batch) -> Step:
        """Return the losses, weighted once T is there."""
        revising = batch.globals["revising"]
        slack = batch.parameters["slack"] * revising
        losses = self.loss(batch.output, batch.targets)
        weights = self.weights(batch.output, batch.globals["transition"], slack, batch.targets)
        weights = torch.where(revising, weights, weights.detach())
        return Step(losses=(torch.where(batch.globals["weighing"], weights * losses, losses),))

    def weights(self, logits: Tensor, matrix: Tensor, slack: Tensor, targets: Tensor) -> Tensor:
        """Return p_y / (p^T (T + D))_y, (B,).

        The sum over entries above 0 is taken in the log domain, so that it never rounds to 0; from
        it goes the share of those below 0, most often none.
        """
        log_p = logits.log_softmax(dim=1)
        times = torch.ones_like(targets)
        if self.legacy:
            times = torch.arange(1, len(targets) + 1, device=targets.device)
        columns = matrix.t()[targets] + times[:, None] * slack.t()[targets]
        tiny = torch.finfo(columns.dtype).tiny
        log_above = torch.logsumexp(log_p + columns.clamp(min=tiny).log(), dim=1)
        below = (log_p.exp() * (-columns).clamp(min=0.0)).sum(dim=1)
        # Not by less: the gradient would be no number, even where the share is 0.
        share = below / log_above.exp().clamp(min=tiny**0.5)
        return (log_p.gather(1, targets[:, None]).squeeze(1) - log_above).exp() / (1.0 - share)
