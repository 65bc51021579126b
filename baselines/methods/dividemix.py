"""DivideMix: two networks divide the samples for each other into labelled and unlabelled ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from nlbench.baselines import draws, mixture
from nlbench.baselines.errors import MethodError
from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Published
from nlbench.baselines.registry import register
from nlbench.baselines.state import Engine, Facts, State
from nlbench.baselines.warmed import WarmedPair, looked

_RELEASE = "github.com/LiJunnan1992/DivideMix (d9d3058)"


@register("dividemix")
@dataclass(frozen=True, kw_only=True)
class DivideMix(WarmedPair):
    """Two networks; what one finds likely clean is labelled for the other, the rest is guessed.

    After a warm-up of cross-entropy, each epoch: a mixture of two normal distributions is fitted to
    a network's losses; w, the probability of the lower one, divides the samples at `threshold`. The
    other network learns from batches of labelled and of unlabelled images, two views each. Targets
    of the unlabelled are the mean prediction of both networks for both views, of the labelled
    w y + (1 - w) p with the network's own mean prediction p; both are sharpened. All images of a
    batch are mixed with one another (weight of Beta(alpha, alpha), folded). Objective: the
    cross-entropy of the labelled part, `lambda_u` (rising) times the squared error of the rest, and
    sum_k (1/K) log((1/K) / mean p_k). The labelled samples set the number of steps. Predictions are
    those of the mean logits; curves of the training pass those of the sweep before an epoch.

    Source: Li et al., ICLR 2020, and its release. As there, the network that is trained guesses in
    training mode (its BatchNorm statistics move), the other one does not. lambda_u goes with the
    noise there: on CIFAR-10 0 for 0.2 and asymmetric, 25 for 0.5 and 0.8, 50 for 0.9. Deviations:
    losses are not averaged over five epochs at noise of 0.9; the mixture starts from fixed
    clusters; where fewer than two samples are unlabelled the others train alone; the penalty on
    entropy that the release adds in the warm-up for asymmetric noise is `confident`.
    """

    title: ClassVar[str] = "DivideMix"
    source: ClassVar[str] = "Li et al., ICLR 2020"
    formula: ClassVar[str] = (
        "CE of mixed labelled samples + lambda_u |q - p|^2 of mixed others, divided by their losses"
    )
    own_cost: ClassVar[str] = "12 x share of labelled samples (2 networks) + sweeps"
    published: ClassVar[Mapping[str, Published]] = {
        "cifar10": Published(
            params={"lambda_u": 25.0, "warm": 0.0333},
            recipe={"lr": 0.02, "weight_decay": 5e-4, "l1": 0.0},
            source=f"{_RELEASE}: symmetric noise of 0.5",
        ),
        "cifar100": Published(
            params={"lambda_u": 150.0, "warm": 0.1},
            recipe={"lr": 0.02, "weight_decay": 5e-4, "l1": 0.0},
            source=f"{_RELEASE}: symmetric noise of 0.5",
        ),
        "clothing1m": Published(
            params={"lambda_u": 0.0, "warm": 0.0125, "alpha": 0.5, "confident": True},
            recipe={"lr": 0.002, "weight_decay": 1e-3, "l1": 0.0},
            source=_RELEASE,
        ),
        "mini_webvision": Published(
            params={"lambda_u": 0.0, "warm": 0.01, "alpha": 0.5},
            recipe={"lr": 0.01},
            source=_RELEASE,
        ),
    }

    lambda_u: float = hyper(
        25.0, "last weight of the unlabelled part", "[0, inf)", search=(0.0, 25.0, 50.0, 150.0)
    )
    temperature: float = hyper(0.5, "of sharpened targets; 1 leaves them as they are", "(0, 1]")
    alpha: float = hyper(
        4.0, "both parameters of the mixing weight's distribution", "[0, inf)", search=(0.5, 4.0)
    )
    threshold: float = hyper(0.5, "probability above which a sample is labelled", "(0, 1)")
    ramp: float = hyper(0.0533, "share of the epochs in which lambda_u rises", "(0, 1]")

    def begin(self, facts: Facts) -> State:
        """Return how likely each network finds each sample clean."""
        return State(rows={"clean": facts.zeros(facts.samples, self.members) + 1.0})

    def begin_epoch(self, state: State, facts: Facts, epoch: int, sweep: Tensor | None) -> None:  # noqa: ARG002
        """Divide the samples for both networks, before either is trained."""
        if sweep is None:
            return
        ids = facts.trained
        clean = [
            mixture.small_ones(mixture.scaled(self.loss(logits[ids], facts.given[ids])))
            for logits in sweep
        ]
        rows = torch.stack(clean, dim=1)
        state.put("clean", state.rows["clean"].index_copy(0, ids, rows))

    def own_epoch(self, engine: Engine, state: State, facts: Facts, epoch: int) -> Tensor:
        """Train both networks, one after the other."""
        for member in range(self.members):
            self._train(engine, member, state.rows["clean"][:, 1 - member], facts, epoch)
        return (state.rows["clean"][:, 1] > self.threshold).to(facts.dtype)

    def _train(self, engine: Engine, member: int, clean: Tensor, facts: Facts, epoch: int) -> None:
        engine.mode(member, training=True)
        engine.mode(1 - member, training=False)
        random = facts.generator("batches", epoch, member)
        likely = clean[facts.trained] > self.threshold
        labelled, unlabelled = facts.trained[likely], facts.trained[~likely]
        if len(labelled) < 2:
            raise MethodError(
                f"method {self.name!r}: in epoch {epoch + 1} network {member} has {len(labelled)}"
                f" labelled samples of {len(likely)}: set threshold below {self.threshold}"
            )
        half = max(2, facts.batch_size // 2)
        rest = draws.endless(unlabelled, half, random)
        batches = list(draws.one_pass(labelled, half, random))
        since = epoch - self.warm_epochs(facts)
        for number, ids in enumerate(batches):
            others = next(rest) if len(unlabelled) >= 2 else unlabelled
            weight = self.lambda_u * risen(since + number / len(batches), self.ramp * facts.epochs)
            drawn = (epoch, member, number)
            views = [engine.images(ids, *drawn, "labelled", view) for view in range(2)]
            label = F.one_hot(facts.given[ids], facts.num_classes).to(clean.dtype)
            looks = looked(engine, (member,), views)
            targets = [refined(looks, label, clean[ids], self.temperature)] * 2
            if len(others):
                more = [engine.images(others, *drawn, "unlabelled", view) for view in range(2)]
                looks = looked(engine, (member, 1 - member), more)
                targets += [guessed(looks, self.temperature)] * 2
                views += more
            images, wanted = torch.cat(views), torch.cat(targets)
            how = draws.mixing(len(images), self.alpha, random, images.device)
            logits = engine.logits(member, draws.mixed(images, *how))
            engine.descend(
                member, objective(logits, draws.mixed(wanted, *how), 2 * len(ids), weight)
            )


def risen(epochs: float, length: float) -> float:
    """Return the share of `lambda_u` so many epochs after the warm-up, parts of them counted."""
    return min(max(epochs / length, 0.0), 1.0)


def sharpened(p: Tensor, temperature: float) -> Tensor:
    """Return p^(1/T), normalised."""
    powers = p ** (1.0 / temperature)
    return powers / powers.sum(dim=1, keepdim=True)


def guessed(logits: Sequence[Tensor], temperature: float) -> Tensor:
    """Return the sharpened mean prediction."""
    return sharpened(torch.stack([one.softmax(dim=1) for one in logits]).mean(dim=0), temperature)


def refined(logits: Sequence[Tensor], label: Tensor, clean: Tensor, temperature: float) -> Tensor:
    """Return w y + (1 - w) p, sharpened; p is the mean prediction."""
    p = torch.stack([one.softmax(dim=1) for one in logits]).mean(dim=0)
    w = clean[:, None]
    return sharpened(w * label + (1.0 - w) * p, temperature)


def objective(logits: Tensor, targets: Tensor, labelled: int, weight: float) -> Tensor:
    """Return the objective of a mixed batch, whose first rows are the labelled ones."""
    log_p = logits.log_softmax(dim=1)
    total = -(targets[:labelled] * log_p[:labelled]).sum(dim=1).mean()
    if labelled < len(logits):
        p = logits[labelled:].softmax(dim=1)
        total = total + weight * ((p - targets[labelled:]) ** 2).mean()
    log_mean = log_p.logsumexp(dim=0) - math.log(len(logits))
    return total - log_mean.mean() - math.log(logits.shape[1])
