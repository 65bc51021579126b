"""ELR+: two networks with slow copies, each remembered by the other, and mixed images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from nlbench.baselines import draws
from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Published
from nlbench.baselines.methods.elr import EDGE, ELR
from nlbench.baselines.registry import register
from nlbench.baselines.state import Engine, Facts, State

_RELEASE = "github.com/shengliu66/ELR (934af53), ELR_plus/config_{}.json"
_RECIPE = {"lr": 0.02, "weight_decay": 5e-4, "l1": 0.0}
# Networks that are trained; as many slow copies follow them.
TRAINED = 2


@register("elr+")
@dataclass(frozen=True, kw_only=True)
class ELRPlus(ELR):
    """ELR of two networks on mixed images; targets come from the slow copy of the other network.

    At each step t_i <- beta t_i + (1 - beta) p of the other network's slow copy for the unmixed
    image. Images are mixed with weight w of Beta(alpha, alpha), folded, and so are labels and
    targets, q = w t_i + (1 - w) t_j; loss: cross-entropy of the mixed label + r lam
    log(1 - <q, p>), p clamped to [1e-4, 1 - 1e-4]. A slow copy moves by the share 1 - ema r' of
    what is left to its network; r and r' rise to 1 as exp(-5 (1 - s/S)^2). The first of `refined`
    labels is multiplied by q and normalised. Predictions are those of the mean logits of the two
    networks; the slow copies are members 2 and 3.

    Source: as ELR, section 4. As in its release, slow copies start from weights of their own and
    run in training mode. Deviations: S is a share of the steps (40000 of 78200 on CIFAR-10, 97750
    on CIFAR-100 in the release); there each network gets wrong labels of its own, here both get the
    same.
    """

    title: ClassVar[str] = "ELR+"
    family: ClassVar[str] = "semi-supervised"
    formula: ClassVar[str] = "CE + r lam log(1 - <q, p>) of mixed images, q from the other network"
    members: ClassVar[int] = 2 * TRAINED
    own_batches: ClassVar[bool] = True
    own_cost: ClassVar[str] = "2.7 (2 networks, 2 slow copies) + sweeps"
    published: ClassVar[Mapping[str, Published]] = {
        "cifar10": Published(
            params={"beta": 0.7, "lam": 3.0, "ramp": 0.0, "ema_ramp": 0.51},
            recipe=_RECIPE,
            source=_RELEASE.format("cifar10"),
        ),
        "cifar100": Published(
            params={"beta": 0.9, "lam": 7.0, "ramp": 0.41, "ema_ramp": 0.41, "refined": True},
            recipe=_RECIPE,
            source=_RELEASE.format("cifar100"),
        ),
    }

    alpha: float = hyper(
        1.0,
        "both parameters of the mixing weight's distribution",
        "[0, inf)",
        search=(0.5, 1.0, 2.0),
    )
    ramp: float = hyper(0.0, "share of the steps in which the regularisation rises", "[0, 1]")
    ema: float = hyper(
        0.997, "last share of a slow copy that is kept at each step", "[0, 1)", search=(0.99, 0.997)
    )
    ema_ramp: float = hyper(0.51, "share of the steps in which that share rises", "[0, 1]")
    refined: bool = hyper(False, "multiply mixed labels by the mixed targets")

    def combine(self, logits: Sequence[Tensor]) -> Tensor:
        """Return the mean of the logits of the networks that are trained."""
        return torch.stack(list(logits[:TRAINED])).mean(dim=0)

    def begin(self, facts: Facts) -> State:
        """Return targets of zeros, for each network."""
        return State(rows={"target": facts.zeros(facts.samples, TRAINED, facts.num_classes)})

    def draws_batches(self, facts: Facts, epoch: int) -> bool:  # noqa: ARG002
        """Return true: there is no warm-up."""
        return True

    def own_epoch(self, engine: Engine, state: State, facts: Facts, epoch: int) -> None:
        """Train both networks, one after the other."""
        for member in range(TRAINED):
            for follower in range(self.members):
                engine.mode(follower, training=True)
            random = facts.generator("batches", epoch, member)
            total = facts.epochs * facts.steps
            batches = draws.one_pass(facts.trained, facts.batch_size, random)
            for number, ids in enumerate(batches):
                done = epoch * facts.steps + number
                strength = self.lam * risen(done, round(self.ramp * total))
                images = engine.images(ids, epoch, member, number)
                self._step(engine, member, images, ids, state, facts, random, strength)
                keep = self.ema * risen(done, round(self.ema_ramp * total))
                engine.follow(TRAINED + member, member, keep)

    def _step(
        self,
        engine: Engine,
        member: int,
        images: Tensor,
        ids: Tensor,
        state: State,
        facts: Facts,
        random: Any,
        strength: float,
    ) -> None:
        with torch.no_grad():
            guess = engine.logits(TRAINED + 1 - member, images)
            old = state.rows["target"][ids, member]
            target = remembered(old, guess, self.beta)
            state.rows["target"][ids, member] = target
        weight, partner = draws.mixing(len(ids), self.alpha, random, images.device)
        label = F.one_hot(facts.given[ids], facts.num_classes).to(facts.dtype)
        label, q = (draws.mixed(rows, weight, partner) for rows in (label, target))
        logits = engine.logits(member, draws.mixed(images, weight, partner))
        engine.descend(member, objective(logits, label, q, strength, self.refined))


def risen(step: int, steps: int) -> float:
    """Return exp(-5 (1 - s/S)^2), 1 from step S on."""
    left = 1.0 - min(step / steps, 1.0) if steps > 0 else 0.0
    return math.exp(-5.0 * left * left)


def remembered(target: Tensor, logits: Tensor, beta: float) -> Tensor:
    """Return the targets after one more prediction."""
    return beta * target + (1.0 - beta) * logits.softmax(dim=1)


def objective(logits: Tensor, label: Tensor, q: Tensor, strength: float, refined: bool) -> Tensor:
    """Return the objective of a mixed batch."""
    if refined:
        label = label * q
        label = label / label.sum(dim=1, keepdim=True)
    total = -(label * logits.log_softmax(dim=1)).sum(dim=1).mean()
    if strength == 0.0:
        return total
    p = logits.softmax(dim=1).clamp(EDGE, 1.0 - EDGE)
    return total + strength * torch.log1p(-(q * p).sum(dim=1)).mean()
