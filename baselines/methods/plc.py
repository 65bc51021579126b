"""PLC: labels are corrected one by one where the network is sure enough of another class."""

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
from nlbench.baselines.state import Batch, Facts, State, Step

_RELEASE = "github.com/pxiangwu/PLC (8c2bcfd)"
_RECIPE = {"lr": 0.01}
# Last threshold, how it rises, and the share of changed labels below which it does.
HIGHEST, RISE, FEW = 0.9, 0.1, 0.001


@register("plc")
@dataclass(frozen=True, kw_only=True)
class PLC(Method):
    """Cross-entropy with labels that become the predicted class where f_y / max_k f_k < theta.

    f is the mean prediction of the sample in the last epochs of training. Labels are corrected
    after each epoch from `start` on, the corrected ones again; where fewer than 0.1 % changed,
    theta rises by 0.1, up to 0.9.

    Source: Zhang et al., ICLR 2021, and its release. Deviation: `start` is a share of the epochs (8
    and 15 of 180 in the release).
    """

    title: ClassVar[str] = "PLC"
    family: ClassVar[str] = "correction"
    formula: ClassVar[str] = (
        "-log p_y, y <- argmax f where f_y / max_k f_k < theta, f the mean of recent p"
    )
    source: ClassVar[str] = "Zhang et al., ICLR 2021"
    published: ClassVar[Mapping[str, Published]] = {
        "cifar10": Published(
            params={"theta": 0.3, "start": 0.045}, recipe=_RECIPE, source=_RELEASE
        ),
        "cifar100": Published(
            params={"theta": 0.3, "start": 0.083}, recipe=_RECIPE, source=_RELEASE
        ),
    }

    theta: float = hyper(
        0.3, "first threshold; larger corrects more", "[0, 1]", search=(0.1, 0.3, 0.5)
    )
    start: float = hyper(
        0.045, "share of the epochs before the first correction", "[0, 1]", search=(0.045, 0.2, 0.4)
    )
    window: int = hyper(5, "epochs whose predictions are averaged", "[1, 50]")

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy, (N,)."""
        return F.cross_entropy(logits, targets, reduction="none")

    def begin(self, facts: Facts) -> State:
        """Return the given labels, and space for predictions."""
        room = facts.zeros(facts.samples, self.window, facts.num_classes)
        theta = torch.tensor(self.theta, dtype=torch.float64, device=facts.device)
        return State(
            rows={"label": facts.given.clone(), "seen": room},
            globals={"theta": theta, "now": facts.zeros(self.window)},
        )

    def begin_epoch(self, state: State, facts: Facts, epoch: int, sweep: Tensor | None) -> None:  # noqa: ARG002
        """Set the place of the epoch's predictions."""
        now = facts.zeros(self.window)
        now[epoch % self.window] = 1.0
        state.put("now", now)

    def step(self, batch: Batch) -> Step:
        """Return cross-entropy with the labels as they are now, and note the predictions."""
        p = batch.output.detach().softmax(dim=1)
        now = batch.globals["now"][None, :, None] > 0.0
        seen = torch.where(now, p[:, None, :], batch.rows["seen"])
        losses = self.loss(batch.output, batch.rows["label"])
        return Step(losses=(losses,), rows={"seen": seen})

    def end_epoch(self, state: State, facts: Facts, epoch: int) -> None:
        """Correct the labels of the samples trained on."""
        if epoch + 1 < self.start * facts.epochs:
            return
        ids = facts.trained
        f = state.rows["seen"][ids].sum(dim=1) / min(epoch + 1, self.window)
        labels, theta = corrected(f, state.rows["label"][ids], state.globals["theta"])
        state.put("label", state.rows["label"].index_copy(0, ids, labels))
        state.put("theta", theta)


def corrected(f: Tensor, labels: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
    """Return the labels that predictions f, (n, K), leave, and the next threshold."""
    best, guess = f.max(dim=1)
    ratio = f.gather(1, labels[:, None]).squeeze(1) / best
    new = torch.where(ratio < theta, guess, labels)
    few = (new != labels).sum() < FEW * len(labels)
    return new, torch.where(few, (theta + RISE).clamp(max=max(HIGHEST, float(theta))), theta)
