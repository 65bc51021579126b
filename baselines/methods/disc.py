"""DISC: samples are clean, hard or purified by what is predicted for two views, now and before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from nlbench.baselines import draws
from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Method, Published
from nlbench.baselines.methods.gce import GCE
from nlbench.baselines.registry import register
from nlbench.baselines.state import Batch, Engine, Facts, State, Step

_RELEASE = "github.com/JackYFL/DISC (a21e910), algorithms/DISC.py: symmetric noise below 0.6"
_RECIPE = {"lr": 0.1, "momentum": 0.0, "weight_decay": 1e-3, "l1": 0.0}
# Roles of a sample; those left out have none.
OUT, CLEAN, HARD, PURIFIED = range(4)
# Above this mean prediction a label is replaced, whatever was said before.
SURE = 0.99


@register("disc")
@dataclass(frozen=True, kw_only=True)
class DISC(Method):
    """CE of clean samples, GCE of hard ones, and mixup of these and of purified ones; two views.

    m is a running mean of a sample's largest probability for each view. A sample is clean if
    p_y > m in both views, hard if in one; purified if in none, and the mean prediction is above the
    mean m by `sigma` (or above 0.99): then its label is the predicted class. This is decided after
    each epoch from the predictions of its training passes, before m moves. Up to `start` of the
    epochs it is CE of both views.

    Source: Li et al., CVPR 2023, and its release, which sets mu 0.95 for asymmetric noise and from
    0.6 on, and there lam_hard 0.2. Its second view is RandAugment. Deviation: here it is ten of
    RandAugment's operations, and a square is cut out.
    """

    title: ClassVar[str] = "DISC"
    source: ClassVar[str] = "Li et al., CVPR 2023"
    family: ClassVar[str] = "semi-supervised"
    formula: ClassVar[str] = "CE where clean, GCE where hard, + mixup of all that are not left out"
    views: ClassVar[int] = 2
    strong_views: ClassVar[bool] = True
    version: ClassVar[int] = 2
    joined_views: ClassVar[bool] = True
    selects: ClassVar[bool] = True
    own_batches: ClassVar[bool] = True
    own_cost: ClassVar[str] = "2 + 2 x share of mixed samples (2 views) + sweeps"
    published: ClassVar[Mapping[str, Published]] = {
        family: Published(params={"mu": 0.99, "start": 0.1}, recipe=_RECIPE, source=_RELEASE)
        for family in ("cifar10", "cifar100")
    }

    mu: float = hyper(
        0.99, "share of the old m that is kept at each epoch", "[0, 1]", search=(0.9, 0.95, 0.99)
    )
    sigma: float = hyper(
        0.5, "how much surer than before a corrected sample must be", "[0, 1]", search=(0.3, 0.5)
    )
    lam_hard: float = hyper(1.0, "weight of hard samples", "[0, inf)", search=(0.2, 1.0))
    q: float = hyper(0.7, "of the GCE of hard samples", "[0, 1]")
    alpha: float = hyper(5.0, "both parameters of the mixing weight's distribution", "[0, inf)")
    start: float = hyper(
        0.1, "share of the epochs that are cross-entropy", "[0, 1]", search=(0.1, 0.2, 0.4)
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy, (N,)."""
        return F.cross_entropy(logits, targets, reduction="none")

    def begin(self, facts: Facts) -> State:
        """Return m near 0, no role, and the given labels."""
        count, views = facts.samples, self.views
        return State(
            rows={
                "seen": facts.zeros(count, views, facts.num_classes),
                "bar": facts.zeros(count, views) + 1.0 / count,
                "role": torch.zeros(count, dtype=torch.int64, device=facts.device),
                "label": facts.given.clone(),
            }
        )

    def step(self, batch: Batch) -> Step:
        """Return the losses of the first epochs, and note both predictions."""
        views = batch.logits[0]
        losses = [self.loss(logits, batch.targets) for logits in views]
        return Step(losses=(losses[0] + losses[1],), rows={"seen": _noted(views)})

    def draws_batches(self, facts: Facts, epoch: int) -> bool:
        """Return whether samples have roles."""
        return epoch >= max(1, round(self.start * facts.epochs))

    def own_epoch(self, engine: Engine, state: State, facts: Facts, epoch: int) -> Tensor:
        """Train with the roles as they are."""
        role = state.rows["role"].clone()
        random = facts.generator("batches", epoch)
        engine.mode(0, training=True)
        batches = draws.one_pass(facts.trained, facts.batch_size, random)
        for number, ids in enumerate(batches):
            views = [
                engine.images(ids, epoch, number, view, strong=view > 0)
                for view in range(self.views)
            ]
            logits = engine.logits(0, torch.cat(views)).chunk(self.views)
            state.rows["seen"][ids] = _noted(logits)
            total = self.supervised(logits, facts.given[ids], role[ids])
            used = role[ids] != OUT
            if int(used.sum()) > 1:  # BatchNorm needs two
                labels = F.one_hot(state.rows["label"][ids[used]], facts.num_classes)
                for images in views:
                    total = total + self._mixed(engine, images[used], labels, random)
            if bool(used.any()):
                engine.descend(0, total)
        return ((role == CLEAN) | (role == HARD)).to(facts.dtype)

    def end_epoch(self, state: State, facts: Facts, epoch: int) -> None:  # noqa: ARG002
        """Give the samples trained on their roles, and move m."""
        ids, rows = facts.trained, state.rows
        role, label = roles(rows["seen"][ids], rows["bar"][ids], facts.given[ids], self.sigma)
        largest = rows["seen"][ids].amax(dim=2)
        rows["role"][ids], rows["label"][ids] = role, label
        rows["bar"][ids] = self.mu * rows["bar"][ids] + (1.0 - self.mu) * largest

    def supervised(self, views: Sequence[Tensor], targets: Tensor, role: Tensor) -> Tensor:
        """Return the part of the given labels: means over the batch, samples left out counted."""
        hard = GCE(q=self.q)
        parts = [
            ((role == CLEAN) * self.loss(one, targets)).mean()
            + self.lam_hard * ((role == HARD) * hard.loss(one, targets)).mean()
            for one in views
        ]
        return torch.stack(parts).sum()

    def _mixed(self, engine: Engine, images: Tensor, labels: Tensor, random: Any) -> Tensor:
        how = draws.mixing(len(images), self.alpha, random, images.device)
        logits = engine.logits(0, draws.mixed(images, *how))
        target = draws.mixed(labels.to(logits.dtype), *how)
        return -(target * logits.log_softmax(dim=1)).sum(dim=1).mean()


def roles(seen: Tensor, bar: Tensor, given: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    """Return the role and the label of each sample.

    Args:
        seen: (n, 2, K), the predictions for both views.
        bar: (n, 2), m.
        given: (n,) labels.
        sigma: see `DISC`.
    """
    index = given[:, None, None].expand(-1, seen.shape[1], 1)
    votes = (seen.gather(2, index).squeeze(2) > bar).sum(dim=1)
    highest, guess = seen.mean(dim=1).max(dim=1)
    surer = highest > (bar.mean(dim=1) + sigma).clamp(max=SURE)
    purified = (votes == 0) & surer
    role = torch.where(votes == 2, CLEAN, torch.where(votes == 1, HARD, OUT))
    return torch.where(purified, PURIFIED, role), torch.where(purified, guess, given)


def _noted(views: Sequence[Tensor]) -> Tensor:
    """The predictions for each view, (B, views, K)."""
    return torch.stack([logits.detach().softmax(dim=1) for logits in views], dim=1)
