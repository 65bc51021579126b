"""UNICON: as many samples of each class are kept, and the others' views are told apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nlbench.baselines import draws, small_loss
from nlbench.baselines.errors import MethodError
from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Published
from nlbench.baselines.methods.dividemix import guessed, objective, refined, risen
from nlbench.baselines.registry import register
from nlbench.baselines.state import Engine, Facts, State
from nlbench.baselines.warmed import WarmedPair, looked

_RELEASE = "github.com/nazmul-karim170/UNICON-Noisy-Label (616dc49), Train_cifar.py"
WIDTH = 128  # of the projection
TINY = 1e-10  # added to probabilities before their logarithm, as in the release


@register("unicon")
@dataclass(frozen=True, kw_only=True)
class UNICON(WarmedPair):
    """DivideMix with another division, and a contrastive loss of the unlabelled samples.

    After a warm-up of cross-entropy: d is the Jensen-Shannon divergence of the two networks' mean
    prediction from the label, in [0, 1]. R is the share of samples with d below its mean; a mean
    above `cutoff` is first lowered by 1/`tau` of its distance from the least d. Of each class the
    R N / K samples with the least d are labelled, and trusted with w = 1 where d < 0.5 and 1 - d
    elsewhere. The samples are divided anew before the second network is trained. Targets are
    DivideMix's, of two weak views, and trained on are two strong views, mixed. `lambda_c` times the
    SimCLR loss of the unlabelled strong views, after a linear layer and BatchNorm, is added.

    Source: Karim et al., CVPR 2022, and its release. There d is in nats, so that its mean never
    exceeds the cut-off of 0.7: `legacy`. Deviations: places left over where a class has too few
    samples stay empty (the release fills them with sample 0); strong views are two operations of
    RandAugment's and a square cut out, not AutoAugment; the projection's rate is `lr_projection`.
    """

    title: ClassVar[str] = "UNICON"
    source: ClassVar[str] = "Karim et al., CVPR 2022"
    formula: ClassVar[str] = (
        "DivideMix's, as many labelled of each class by JSD(p, y), + lambda_c SimCLR of the others"
    )
    strong_views: ClassVar[bool] = True
    own_cost: ClassVar[str] = "16 x share of labelled samples (2 networks) + sweeps"
    published: ClassVar[Mapping[str, Published]] = {
        "cifar10": Published(
            params={"warm": 0.0286}, recipe={"lr": 0.02, "weight_decay": 5e-4}, source=_RELEASE
        ),
        "cifar100": Published(
            params={"warm": 0.0857}, recipe={"lr": 0.02, "weight_decay": 5e-4}, source=_RELEASE
        ),
    }

    lambda_u: float = hyper(
        30.0, "last weight of the unlabelled part", "[0, inf)", search=(0.0, 30.0, 150.0)
    )
    lambda_c: float = hyper(
        0.025, "weight of the contrastive loss", "[0, inf)", search=(0.0, 0.025)
    )
    temperature: float = hyper(0.5, "of sharpened targets; 1 leaves them as they are", "(0, 1]")
    contrast: float = hyper(0.05, "temperature of the contrastive loss", "(0, inf)")
    alpha: float = hyper(4.0, "both parameters of the mixing weight's distribution", "[0, inf)")
    warm: float = hyper(0.0286, "share of the epochs of the warm-up; one epoch at least", "[0, 1]")
    ramp: float = hyper(0.0457, "share of the epochs in which lambda_u rises", "(0, 1]")
    cutoff: float = hyper(0.7, "mean divergence above which the threshold is lowered", "[0, 1]")
    tau: float = hyper(5.0, "by 1/tau of its distance from the least divergence", "[1, inf)")
    lr_projection: float = hyper(0.02, "first learning rate of the projection", "[0, inf)")
    legacy: bool = hyper(False, "divergences in nats, as released: the cut-off never acts")

    def begin(self, facts: Facts) -> State:
        """Return the trust in each label for each network, 1, and the projections."""
        if facts.width == 0:
            raise MethodError(f"method {self.name!r} needs a network that ends in a linear head")
        parameters = {
            f"{name}.{member}": nn.Parameter(tensor)
            for member in range(self.members)
            for name, tensor in _projection(facts, member).items()
        }
        trust = facts.zeros(facts.samples, self.members) + 1.0
        return State(rows={"trust": trust}, parameters=parameters)

    def optimiser(self, state: State) -> torch.optim.Optimizer:
        """Return what trains the projections."""
        weights = list(state.parameters.values())
        return torch.optim.SGD(
            weights, lr=self.lr_projection, momentum=0.9, weight_decay=5e-4, fused=True
        )

    def begin_epoch(self, state: State, facts: Facts, epoch: int, sweep: Tensor | None) -> None:  # noqa: ARG002
        """Divide the samples for the first network."""
        if sweep is not None:
            self._divide(state, facts, sweep, 0)

    def own_epoch(self, engine: Engine, state: State, facts: Facts, epoch: int) -> Tensor:
        """Train one network, divide anew, and train the other."""
        self._train(engine, 0, state, facts, epoch)
        self._divide(state, facts, engine.sweep(), 1)
        self._train(engine, 1, state, facts, epoch)
        return (state.rows["trust"][:, 0] > 0).to(facts.dtype)

    @torch.no_grad()
    def _divide(self, state: State, facts: Facts, sweep: Tensor, member: int) -> None:
        ids = facts.trained
        p = sweep[:, ids].softmax(dim=-1).mean(dim=0)
        d = divergence(p, facts.given[ids], bits=not self.legacy)
        kept = labelled(d, facts.given[ids], facts.num_classes, self.cutoff, self.tau)
        trust = state.rows["trust"].clone()
        trust[ids, member] = torch.where(d < 0.5, torch.ones_like(d), 1.0 - d) * kept
        state.put("trust", trust)

    def _train(self, engine: Engine, member: int, state: State, facts: Facts, epoch: int) -> None:
        engine.mode(member, training=True)
        engine.mode(1 - member, training=False)
        random = facts.generator("batches", epoch, member)
        trust = state.rows["trust"][:, member]
        likely = trust[facts.trained] > 0
        ours, unlabelled = facts.trained[likely], facts.trained[~likely]
        if len(ours) < 2:
            raise MethodError(
                f"method {self.name!r}: in epoch {epoch + 1} network {member} has {len(ours)}"
                f" labelled samples of {len(likely)}: all predictions differ as much from the"
                " labels"
            )
        half = max(2, facts.batch_size // 2)
        rest = draws.endless(unlabelled, half, random)
        batches = list(draws.one_pass(ours, half, random))
        for number, ids in enumerate(batches):
            others = next(rest) if len(unlabelled) >= 2 else unlabelled
            since = epoch - self.warm_epochs(facts) + number / len(batches)
            weight = self.lambda_u * risen(since, self.ramp * facts.epochs)
            drawn = (epoch, member, number)
            weak, strong = _views(engine, ids, *drawn, "labelled")
            label = F.one_hot(facts.given[ids], facts.num_classes).to(trust.dtype)
            looks = looked(engine, (member,), weak)
            targets = [refined(looks, label, trust[ids], self.temperature)] * 2
            extra = torch.zeros((), dtype=facts.dtype, device=facts.device)
            if len(others):
                weak, more = _views(engine, others, *drawn, "unlabelled")
                looks = looked(engine, (member, 1 - member), weak)
                targets += [guessed(looks, self.temperature)] * 2
                strong += more
                extra = self.lambda_c * self._contrast(engine, member, more, state)
            images, wanted = torch.cat(strong), torch.cat(targets)
            how = draws.mixing(len(images), self.alpha, random, images.device)
            logits = engine.logits(member, draws.mixed(images, *how))
            goal = objective(logits, draws.mixed(wanted, *how), 2 * len(ids), weight)
            engine.descend(member, goal + extra)

    def _contrast(
        self, engine: Engine, member: int, views: Sequence[Tensor], state: State
    ) -> Tensor:
        names = ("weight", "bias", "gain", "shift")
        layer = [state.parameters[f"{name}.{member}"] for name in names]
        one, two = (projected(engine.features(member, view)[0], *layer) for view in views)
        return simclr(one, two, self.contrast)


def divergence(p: Tensor, given: Tensor, bits: bool = True) -> Tensor:
    """Return the Jensen-Shannon divergence of each prediction from its label, (N,).

    Args:
        p: (N, K) probabilities.
        given: (N,) int64.
        bits: in [0, 1]; otherwise in nats.
    """
    label = F.one_hot(given, p.shape[1]).to(p.dtype)
    middle = ((p + label) / 2 + TINY).log()
    nats = sum((q * ((q + TINY).log() - middle)).sum(dim=1) for q in (p, label)) / 2
    assert isinstance(nats, Tensor)
    return nats / math.log(2.0) if bits else nats


def labelled(d: Tensor, given: Tensor, classes: int, cutoff: float, tau: float) -> Tensor:
    """Return which samples are labelled: the R N / K with the least d of each class, (N,) bool.

    R is the share of samples with d below its mean, which is lowered where it exceeds the cut-off.
    """
    limit = d.mean()
    if limit > cutoff:
        limit = limit - (limit - d.min()) / tau
    quota = int(int((d < limit).sum()) / classes)
    return small_loss.of_each_class(d, given, classes, quota)


def projected(
    features: Tensor, weight: Tensor, bias: Tensor, gain: Tensor, shift: Tensor
) -> Tensor:
    """Return a linear layer's outputs after BatchNorm by the batch's statistics, of norm 1."""
    outputs = F.batch_norm(F.linear(features, weight, bias), None, None, gain, shift, training=True)
    return F.normalize(outputs, dim=1)


def simclr(one: Tensor, two: Tensor, temperature: float) -> Tensor:
    """Return the mean over all 2B views of -log(e^s_other / sum of e^s over all but itself).

    Args:
        one, two: (B, width) of norm 1, two views of the same images.
        temperature: by which the dot products are divided to give s.
    """
    views = torch.cat([one, two])
    scores = (views @ views.t() / temperature).fill_diagonal_(-torch.inf)
    partner = torch.arange(len(views), device=views.device).roll(len(one))
    return F.cross_entropy(scores, partner)


def _views(
    engine: Engine, ids: Tensor, epoch: int, member: int, number: int, kind: str
) -> tuple[list[Tensor], list[Tensor]]:
    """Two weak and two strong views of these samples."""
    words = (epoch, member, number, kind)
    weak = [engine.images(ids, *words, view) for view in range(2)]
    return weak, [engine.images(ids, *words, view, strong=True) for view in range(2, 4)]


def _projection(facts: Facts, member: int) -> dict[str, Tensor]:
    """First weights of a linear layer and of BatchNorm."""
    weight, bias = draws.linear(facts.width, WIDTH, facts.generator("projection", member))
    return {
        "weight": weight.to(facts.device, facts.dtype),
        "bias": bias.to(facts.device, facts.dtype),
        "gain": facts.zeros(WIDTH) + 1.0,
        "shift": facts.zeros(WIDTH),
    }
