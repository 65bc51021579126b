"""Mean absolute error: noise-robust and slow to fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from nlbench.baselines import terms
from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Method, Published
from nlbench.baselines.registry import register
from nlbench.baselines.releases import ALF, DRAINAGE, trained


@register("mae")
@dataclass(frozen=True, kw_only=True)
class MAE(Method):
    """Mean absolute error, l = scale (1 - p_t) with p = softmax(z).

    Symmetric: its sum over all labels is scale (K - 1) for every z. logits (N, K), targets (N,) ->
    (N,) in [0, scale].

    Source: Ghosh et al., AAAI 2017, whose sum over classes of |p - onehot| is scale 2. Public code
    has both: scale 1 (APL, ANL, Drainage; the default) and 2 (ALF, eps-softmax).
    """

    title: ClassVar[str] = "MAE"
    family: ClassVar[str] = "bounded"
    formula: ClassVar[str] = "scale (1 - p_y)"
    source: ClassVar[str] = "Ghosh et al., AAAI 2017"
    published: ClassVar[Mapping[str, Published]] = dict(
        [
            trained("mnist", ALF, {"scale": 2.0}),
            trained("cifar10", f"{DRAINAGE}, config/cifar10_mae.json", {"scale": 1.0}),
            trained("cifar100", f"{DRAINAGE}, config/cifar100_mae.json", {"scale": 1.0}),
        ]
    )

    scale: float = hyper(1.0, "factor; 2 is the L1 distance to the one-hot label", "(0, inf)")

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return scale (1 - p_t), (N,)."""
        return self.scale * terms.mae(logits, targets)
