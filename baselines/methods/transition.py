"""Forward and backward correction: the loss of what label noise makes of the prediction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from nlbench.baselines import transition
from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Method, Published, Scalar
from nlbench.baselines.registry import register
from nlbench.baselines.state import Batch, Facts, Stage, State, Step

_RELEASE = "github.com/giorgiop/loss-correction (15a79de)"


@register("forward")
@dataclass(frozen=True, kw_only=True)
class Forward(Method):
    """Cross-entropy of the mixed prediction, -log (p^T T)_y, with a known transition matrix T.

    T_ij is the share of class i that was given label j; the method is given the realised one. The
    network's own p is the prediction. With T = I it is cross-entropy.

    Source: Patrini et al., CVPR 2017, and its release, which clips p at 1e-7 and does not normalise
    it again. Deviation: no clip, the sum is taken in the log domain.
    """

    title: ClassVar[str] = "Forward"
    family: ClassVar[str] = "transition"
    formula: ClassVar[str] = "-log (p^T T)_y"
    source: ClassVar[str] = "Patrini et al., CVPR 2017"
    privileged: ClassVar[frozenset[str]] = frozenset({"transition"})
    published: ClassVar[Mapping[str, Published]] = {
        "cifar10": Published(
            params={}, recipe={"lr": 0.1, "weight_decay": 1e-4, "l1": 0.0}, source=_RELEASE
        ),
        "cifar100": Published(
            params={}, recipe={"lr": 0.1, "weight_decay": 1e-3, "l1": 0.0}, source=_RELEASE
        ),
    }

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy, (N,)."""
        return F.cross_entropy(logits, targets, reduction="none")

    def begin(self, facts: Facts) -> State:
        """Return the state with the matrix that was given."""
        return State(globals={"transition": self.prepared(facts.told["transition"])})

    def step(self, batch: Batch) -> Step:
        """Return the loss of the mixed prediction."""
        matrix = batch.globals["transition"]
        return Step(losses=(self.corrected(batch.output, matrix, batch.targets),))

    def prepared(self, matrix: Tensor) -> Tensor:
        """Return what a step needs of T."""
        return matrix

    def corrected(self, logits: Tensor, matrix: Tensor, targets: Tensor) -> Tensor:
        """Return -log (p^T T)_y, (B,)."""
        return -transition.log_mixed(logits, matrix, targets)


@register("backward")
@dataclass(frozen=True, kw_only=True)
class Backward(Forward):
    """Losses of all labels weighted by the inverse, sum_k (T^-1)_yk (-log p_k), with a known T.

    Its mean over the label noise is the cross-entropy of the true label. The weights are negative
    off the diagonal, so it has no lower bound: at much noise training diverges. A matrix that
    cannot be inverted is refused.

    Source: as Forward. Deviation: the release's clip at 1e-7 bounds -log p, here it is not bounded.
    """

    title: ClassVar[str] = "Backward"
    family: ClassVar[str] = "transition"
    formula: ClassVar[str] = "sum_k (T^-1)_yk (-log p_k)"

    def prepared(self, matrix: Tensor) -> Tensor:
        """Return T^-1."""
        return transition.inverse(matrix)

    def corrected(self, logits: Tensor, matrix: Tensor, targets: Tensor) -> Tensor:
        """Return the weighted losses, (B,)."""
        return -(matrix[targets] * logits.log_softmax(dim=1)).sum(dim=1)


@dataclass(frozen=True, kw_only=True)
class _Estimated(Forward):
    """Two stages: cross-entropy, from whose predictions T is estimated; then from the beginning."""

    privileged: ClassVar[frozenset[str]] = frozenset()

    dual: bool = hyper(False, "estimate T by Dual-T instead of by anchors alone")
    validated: bool = hyper(
        True, "estimate from the weights best on held-out noisy labels, not from the last ones"
    )
    legacy: bool = hyper(
        False, "zero the highest 3 % for the rows of later classes too, as released"
    )

    def params(self) -> dict[str, Scalar]:
        """Return them without `legacy` where it is off: runs from before it are the same runs."""
        found = super().params()
        return found if self.legacy else {k: v for k, v in found.items() if k != "legacy"}

    def stages(self, epochs: int) -> tuple[Stage, ...]:
        """Return a run of cross-entropy and a run with its estimate, of equal length."""
        look = "best" if self.validated else "last"
        return Stage(epochs=epochs), Stage(epochs=epochs, start="first", look=look)

    def begin(self, facts: Facts) -> State:
        """Return T = I: cross-entropy."""
        eye = torch.eye(facts.num_classes, dtype=facts.dtype, device=facts.device)
        return State(globals={"transition": eye})

    def begin_stage(self, state: State, facts: Facts, stage: int, sweep: Tensor | None) -> None:  # noqa: ARG002
        """Estimate T on the images trained on."""
        assert sweep is not None  # the stage looks
        p = sweep[0, facts.trained].softmax(dim=1)
        left_out = transition.outliers(facts.num_classes)
        if self.dual:
            given = facts.given[facts.trained]
            matrix = transition.dual(p, given, left_out, in_place=self.legacy)
        else:
            matrix = transition.anchored(p, left_out, in_place=self.legacy)
        state.put("transition", self.prepared(matrix))


@register("forward-est")
@dataclass(frozen=True, kw_only=True)
class ForwardEstimated(_Estimated):
    """Forward correction with a matrix estimated by a first run of cross-entropy.

    Row i of T is that run's prediction for the training image with the highest p_i, the highest 3 %
    left out where there are fewer than 100 classes (`dual`: times the shares of given labels among
    the images predicted as each class). Then training starts anew, with the same batches: twice the
    cost.

    Source: as Forward; `dual` is Yao et al., NeurIPS 2020. `legacy` is the bug of released code
    (the former's, T-Revision's, Dual-T's): the highest 3 % are left out by zeroing them in place,
    which gives later rows of T zeros that were not predicted.
    """

    title: ClassVar[str] = "Forward (estimated)"
    family: ClassVar[str] = "transition"
    formula: ClassVar[str] = "-log (p^T T)_y, T from the predictions of a run of CE"


@register("backward-est")
@dataclass(frozen=True, kw_only=True)
class BackwardEstimated(_Estimated, Backward):
    """Backward correction with a matrix estimated by a first run of cross-entropy.

    Source: as Backward, with the estimate of Forward (estimated).
    """

    title: ClassVar[str] = "Backward (estimated)"
    family: ClassVar[str] = "transition"
    formula: ClassVar[str] = "sum_k (T^-1)_yk (-log p_k), T from the predictions of a run of CE"
