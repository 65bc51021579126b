"""VolMinNet: a transition matrix learned beside the network, as small as it can be."""

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
from nlbench.baselines.state import Batch, Facts, State, Step

_RELEASE = (
    "github.com/xuefeng-li1/Provably-end-to-end-label-noise-learning-without-anchor-points"
    " (06e4167), main.py"
)
_RECIPE = {"lr": 0.01, "weight_decay": 1e-4, "l1": 0.0}


@register("volminnet")
@dataclass(frozen=True, kw_only=True)
class VolMinNet(Method):
    """-log (p^T T)_y + lam log |det T|, T trained with the network.

    T is A with rows divided by their sums, A = I + sigmoid(w) off the diagonal; w starts at -init,
    all entries alike. The determinant measures the volume of the simplex that T's rows span; the
    smallest that still explains the labels is the true one if the classes are scattered enough. T
    is trained without weight decay by SGD with momentum 0.9 or by Adam, its rate follows the
    recipe's schedule. The network's own p is the prediction.

    Source: Li et al., ICML 2021, and its release, whose epoch is that of lowest noisy validation
    loss.
    """

    title: ClassVar[str] = "VolMinNet"
    family: ClassVar[str] = "transition"
    formula: ClassVar[str] = "-log (p^T T)_y + lam log |det T|, T trained"
    source: ClassVar[str] = "Li et al., ICML 2021"
    published: ClassVar[Mapping[str, Published]] = {
        "cifar10": Published(
            params={"lam": 1e-4, "init": 2.0, "adam": False}, recipe=_RECIPE, source=_RELEASE
        ),
        "cifar100": Published(
            params={"lam": 1e-4, "init": 4.5, "adam": True}, recipe=_RECIPE, source=_RELEASE
        ),
    }

    lam: float = hyper(1e-4, "weight of the volume", "[0, inf)", search=(1e-05, 0.0001, 0.001))
    init: float = hyper(2.0, "minus the first value of w; larger is nearer to I", "[-20, 20]")
    lr_t: float = hyper(0.01, "learning rate of w", "[0, inf)", search=(0.001, 0.01, 0.1))
    adam: bool = hyper(False, "train w by Adam instead of SGD")

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy, (N,)."""
        return F.cross_entropy(logits, targets, reduction="none")

    def begin(self, facts: Facts) -> State:
        """Return w."""
        w = facts.zeros(facts.num_classes, facts.num_classes) - self.init
        return State(parameters={"w": nn.Parameter(w)})

    def optimiser(self, state: State) -> torch.optim.Optimizer:
        """Return what trains w."""
        weights = list(state.parameters.values())
        if self.adam:
            return torch.optim.Adam(weights, lr=self.lr_t, fused=True)
        return torch.optim.SGD(weights, lr=self.lr_t, momentum=0.9, fused=True)

    def step(self, batch: Batch) -> Step:
        """Return the losses of the mixed prediction, and the volume."""
        matrix = matrix_of(batch.parameters["w"])
        volume = torch.linalg.slogdet(matrix).logabsdet
        losses = -transition.log_mixed(batch.output, matrix, batch.targets)
        return Step(losses=(losses,), extra=self.lam * volume)


def matrix_of(w: Tensor) -> Tensor:
    """Return T, (K, K), rows of sum 1."""
    eye = torch.eye(len(w), dtype=w.dtype, device=w.device)
    raw = eye + (1.0 - eye) * torch.sigmoid(w)
    return raw / raw.sum(dim=1, keepdim=True)
