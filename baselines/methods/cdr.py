"""CDR: of each gradient only the part on the weights that matter most is followed."""

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
from nlbench.baselines.state import Facts, State

_RELEASE = "github.com/xiaoboxia/CDR (6665a8b), main.py"


@register("cdr")
@dataclass(frozen=True, kw_only=True)
class CDR(Method):
    """Cross-entropy; gradients of the less critical weights are set to 0 at each step.

    Over all weights of two and four dimensions together, the share 1 - tau with the largest
    |gradient x weight| is kept and its gradients are multiplied by 1 - tau; the others only decay
    (weight decay and momentum go on). Biases and BatchNorm are left alone.

    Source: Xia et al., ICLR 2021, and its release. There a schedule of tau is computed and then
    overwritten, and an extra forward pass in each step moves BatchNorm's statistics twice; here tau
    is constant, as the release ends up with, and there is one pass.
    """

    title: ClassVar[str] = "CDR"
    family: ClassVar[str] = "regularisation"
    formula: ClassVar[str] = (
        "CE; gradients of the share tau of weights with the least |g w| set to 0"
    )
    source: ClassVar[str] = "Xia et al., ICLR 2021"
    privileged: ClassVar[frozenset[str]] = frozenset({"noise_rate"})
    published: ClassVar[Mapping[str, Published]] = {
        family: Published(
            params={},
            recipe={"lr": 0.01, "weight_decay": 1e-3, "l1": 0.0},
            source=_RELEASE,
        )
        for family in ("mnist", "fashion_mnist", "cifar10", "cifar100")
    }

    tau: float | None = hyper(
        None,
        "share of weights that are not critical; none: the noise rate, which is told",
        "[0, 1)",
    )

    def asks(self) -> frozenset[str]:
        """Return the noise rate, unless tau is set."""
        return self.privileged if self.tau is None else frozenset()

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy, (N,)."""
        return F.cross_entropy(logits, targets, reduction="none")

    def begin(self, facts: Facts) -> State:
        """Return the share of weights that are critical."""
        tau = facts.told["noise_rate"] if self.tau is None else self.tau
        kept = torch.tensor(1.0 - tau, dtype=torch.float64, device=facts.device)
        return State(globals={"kept": kept})

    def after_backward(
        self,
        member: int,  # noqa: ARG002
        weights: Mapping[str, Tensor],
        gradients: Mapping[str, Tensor],
        state: State,
    ) -> None:
        """Scale the gradients of critical weights, and forget those of the others."""
        kept = state.globals["kept"]
        names = [name for name in gradients if weights[name].ndim in (2, 4)]
        weight_of = {name: (gradients[name] * weights[name]).abs() for name in names}
        ordered = torch.cat([values.flatten() for values in weight_of.values()]).sort().values
        count = len(ordered)
        first = (count - (kept * count).round()).clamp(0, count - 1).long()
        threshold = ordered.gather(0, first[None])
        for name in names:
            critical = weight_of[name] >= threshold
            gradients[name].mul_(critical * kept.to(threshold.dtype))
