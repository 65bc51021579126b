"""ProMix: two networks with two heads choose clean samples, and add those on which they agree."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nlbench.baselines import draws, small_loss
from nlbench.baselines.errors import MethodError
from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Published
from nlbench.baselines.methods.dividemix import risen, sharpened
from nlbench.baselines.registry import register
from nlbench.baselines.state import Engine, Facts, State
from nlbench.baselines.warmed import WarmedPair

_RELEASE = "github.com/Justherozen/ProMix (40d8378), run.sh: symmetric noise of 0.5"
_RECIPE = {"lr": 0.05, "weight_decay": 5e-4}


@register("promix")
@dataclass(frozen=True, kw_only=True)
class ProMix(WarmedPair):
    """Two networks, trained on the same batches, each on the samples that it finds clean.

    After a warm-up of cross-entropy, before each epoch: of each class the `rho` N / K samples with
    the least loss are clean. In a batch so are those with p_y > `tau` and, for the last `expand` of
    the epochs and up to `threshold` of the batch, samples of which both networks are surer than
    `tau` of one class, which becomes their label. A network minimises the cross-entropy of the
    clean samples' weak view, and with a weight that rises over `ramp` of the epochs that of their
    strong view, of the views mixed, and of the views mixed by masks (FMix). A second head on the
    same features learns all of this too, and the others' sharpened predictions, with 0.1 of the
    weight, until twice the ramp. To logits in losses `debias` log pi is added, and taken away where
    they make labels; pi is a slow mean of the predictions, one of the clean and one of the other
    samples. Predictions are the mean of the logits of the first heads.

    Source: Xiao et al., IJCAI 2023, and its release. Deviations: a mean over no samples is 0; masks
    are those of FMix's paper, see `draws.mask`; strong views are two operations of RandAugment's
    and a square cut out, there three operations; the second head's rate is `lr_second`.
    """

    title: ClassVar[str] = "ProMix"
    source: ClassVar[str] = "Xiao et al., IJCAI 2023"
    formula: ClassVar[str] = (
        "CE of clean samples (small loss of each class, p_y > tau), of both views, mixed and masked"
    )
    strong_views: ClassVar[bool] = True
    own_cost: ClassVar[str] = "4 + 8 x share of clean samples (2 networks) + sweeps"
    published: ClassVar[Mapping[str, Published]] = {
        "cifar10": Published(params={"rho": 0.5}, recipe=_RECIPE, source=_RELEASE),
        "cifar100": Published(
            params={"rho": 0.5, "tau": 0.95, "warm": 0.05, "debias": 0.5},
            recipe=_RECIPE,
            source=_RELEASE,
        ),
    }

    rho: float = hyper(0.5, "share of each class that is clean", "(0, 1]", search=(0.5, 0.7))
    tau: float = hyper(0.99, "probability above which a sample is clean", "(0, 1]")
    threshold: float = hyper(0.9, "share of a batch that agreement may fill", "[0, 1]")
    expand: float = hyper(0.4167, "last share of the epochs, with agreement", "[0, 1]")
    debias: float = hyper(0.8, "weight of log pi", "[0, inf)", search=(0.0, 0.5, 0.8))
    keep: float = hyper(0.9999, "of pi at each step", "[0, 1]")
    temperature: float = hyper(0.5, "of the others' targets; 1 leaves them as they are", "(0, 1]")
    alpha: float = hyper(4.0, "both parameters of the mixing weight's distribution", "[0, inf)")
    warm: float = hyper(0.0167, "share of the epochs of the warm-up; one epoch at least", "[0, 1]")
    ramp: float = hyper(0.0833, "share of the epochs in which weights rise", "(0, 1]")
    lr_second: float = hyper(0.05, "first learning rate of the second heads", "[0, inf)")

    def begin(self, facts: Facts) -> State:
        """Return that all is clean, pi = 1/K for both kinds of samples, and the second heads."""
        if facts.width == 0:
            raise MethodError(f"method {self.name!r} needs a network that ends in a linear head")
        classes = facts.num_classes
        heads = {}
        for member in range(self.members):
            drawn = draws.linear(facts.width, classes, facts.generator("head", member))
            for name, tensor in zip(("weight", "bias"), drawn, strict=True):
                heads[f"{name}.{member}"] = nn.Parameter(tensor.to(facts.device, facts.dtype))
        return State(
            rows={"clean": facts.zeros(facts.samples, self.members) + 1.0},
            globals={"prior": facts.zeros(self.members, 2, classes) + 1.0 / classes},
            parameters=heads,
        )

    def optimiser(self, state: State) -> torch.optim.Optimizer:
        """Return what trains the second heads."""
        weights = list(state.parameters.values())
        return torch.optim.SGD(
            weights, lr=self.lr_second, momentum=0.9, weight_decay=5e-4, fused=True
        )

    def begin_epoch(self, state: State, facts: Facts, epoch: int, sweep: Tensor | None) -> None:  # noqa: ARG002
        """Choose each network's samples with small losses."""
        if sweep is None:
            return
        ids = facts.trained
        given = facts.given[ids]
        losses = [self.loss(one[ids], given) for one in sweep]
        quota = max(1, math.ceil(len(ids) / facts.num_classes * self.rho))
        kept = [small_loss.of_each_class(one, given, facts.num_classes, quota) for one in losses]
        rows = torch.stack(kept, dim=1).to(facts.dtype)
        state.put("clean", state.rows["clean"].index_copy(0, ids, rows))

    def own_epoch(self, engine: Engine, state: State, facts: Facts, epoch: int) -> Tensor:
        """Train both networks on the same batches."""
        random = facts.generator("batches", epoch)
        clean = facts.zeros(facts.samples)
        for member in range(self.members):
            engine.mode(member, training=True)
        for number, ids in enumerate(draws.one_pass(facts.trained, facts.batch_size, random)):
            weak = engine.images(ids, epoch, number, 0)
            views = weak, engine.images(ids, epoch, number, 1, strong=True)
            outputs = [
                [self._heads(engine, member, images, state) for images in views]
                for member in range(self.members)
            ]
            p = torch.stack([heads[0][0].detach().softmax(dim=1) for heads in outputs])
            looks = [
                self._look(member, ids, heads, p, state, facts, epoch)
                for member, heads in enumerate(outputs)
            ]
            goals = [
                self._goal(engine, member, weak, look, state, facts, epoch, random)
                for member, look in enumerate(looks)
            ]
            for member, (look, goal) in enumerate(zip(looks, goals, strict=True)):
                engine.descend(member, goal)
                self._note(state, member, p[member], look.clean)
            clean[ids] = looks[0].clean.to(clean.dtype)
        return clean

    def _heads(
        self, engine: Engine, member: int, images: Tensor, state: State
    ) -> tuple[Tensor, Tensor]:
        features, logits = engine.features(member, images)
        weight, bias = (state.parameters[f"{name}.{member}"] for name in ("weight", "bias"))
        return logits, F.linear(features, weight, bias)

    def _shifted(
        self, engine: Engine, member: int, head: int, state: State, shift: Tensor, images: Tensor
    ) -> Tensor:
        return self._heads(engine, member, images, state)[head] + shift

    def _look(
        self,
        member: int,
        ids: Tensor,
        heads: Sequence[tuple[Tensor, Tensor]],
        p: Tensor,
        state: State,
        facts: Facts,
        epoch: int,
    ) -> Look:
        label = F.one_hot(facts.given[ids], facts.num_classes).to(p.dtype)
        believed = state.rows["clean"][ids, member] > 0
        believed = believed | ((label * p[member]).sum(dim=1) > self.tau)
        late = epoch > facts.epochs * (1.0 - self.expand)
        clean = agreed(believed, p, self.tau, self.threshold) if late else believed
        prior = state.globals["prior"][member].clamp(min=torch.finfo(p.dtype).tiny)
        shift = self.debias * prior.log()
        guess = F.one_hot((heads[0][0] - shift[0]).argmax(dim=1), facts.num_classes)
        target = torch.where(believed[:, None], label, guess.to(p.dtype))
        return Look(tuple(zip(*heads, strict=True)), target, clean, shift)

    def _goal(
        self,
        engine: Engine,
        member: int,
        images: Tensor,
        look: Look,
        state: State,
        facts: Facts,
        epoch: int,
        random: Any,
    ) -> Tensor:
        ramp = self.ramp * facts.epochs
        rise, clean = risen(epoch, ramp), look.clean
        total = self._guided(look, rise, 0.1 * risen(epoch, 2 * ramp) * (epoch < 2 * ramp))
        for head, (weak, strong) in enumerate(look.outputs):
            losses = [
                _mean(soft_loss((view + look.shift[0])[clean], look.target[clean]))
                for view in (weak, strong)
            ]
            total = total + losses[0] + rise * losses[1]
            if int(clean.sum()) > 1:  # BatchNorm needs two
                outputs = partial(self._shifted, engine, member, head, state, look.shift[0])
                mixed = self._mixed(outputs, images[clean], look.target[clean], random)
                total = total + rise * mixed
        return total

    def _guided(self, look: Look, rise: float, weight: float) -> Tensor:
        """Cross-entropy of the second head for the other samples, from the first one's guesses."""
        rest, shift = ~look.clean, look.shift[1]
        guess = (look.outputs[0][0].detach() - shift).softmax(dim=1)
        target = sharpened(guess, self.temperature)[rest]
        weak, strong = (_mean(soft_loss((view + shift)[rest], target)) for view in look.outputs[1])
        return weight * (weak + rise * strong)

    def _mixed(
        self,
        outputs: Callable[[Tensor], Tensor],
        images: Tensor,
        target: Tensor,
        random: Any,
    ) -> Tensor:
        how = draws.mixing(len(images), self.alpha, random, images.device)
        mixed = soft_loss(outputs(draws.mixed(images, *how)), draws.mixed(target, *how))
        size = (int(images.shape[-2]), int(images.shape[-1]))
        share, mask = draws.mask(size, 1.0, random, images.device)
        partner = torch.from_numpy(random.permutation(len(images))).to(images.device)
        mask = mask.to(images.dtype)
        logits = outputs(mask * images + (1.0 - mask) * images[partner])
        masked = share * soft_loss(logits, target) + (1.0 - share) * soft_loss(
            logits, target[partner]
        )
        return mixed.mean() + masked.mean()

    def _note(self, state: State, member: int, p: Tensor, clean: Tensor) -> None:
        prior = state.globals["prior"]
        for kind, among in enumerate((clean, ~clean)):
            if bool(among.any()):
                prior[member, kind].lerp_(p[among].mean(dim=0), 1.0 - self.keep)


@dataclass(frozen=True)
class Look:
    """A batch as one network sees it.

    Attributes:
        outputs: of the first and of the second head, each for the weak and the strong view, (B, K).
        target: (B, K) one-hot, given labels or guesses.
        clean: (B,) bool, samples whose target is used.
        shift: (2, K), what is added to logits of clean and of other samples.
    """

    outputs: tuple[tuple[Tensor, ...], ...]
    target: Tensor
    clean: Tensor
    shift: Tensor


def agreed(believed: Tensor, p: Tensor, tau: float, threshold: float) -> Tensor:
    """Return the clean samples with those, surest first, that both networks are sure of, (B,) bool.

    Args:
        believed: (B,) bool, samples whose given label is believed.
        p: (2, B, K) predictions.
        tau: above which a network is sure.
        threshold: no more are added than make this share of the batch clean.
    """
    scores, classes = p.max(dim=2)
    both = (scores > tau).all(dim=0) & (classes[0] == classes[1]) & ~believed
    count = int(believed.sum())
    if count >= len(believed) * threshold:
        return believed
    # Sorted by how sure they are, those that do not qualify last.
    order = torch.where(both, scores.mean(dim=0), -1.0).argsort(descending=True, stable=True)
    room = min(int(len(believed) * threshold) - count, int(both.sum()))
    return believed.index_fill(0, order[:room], True)


def soft_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Return the cross-entropy of soft labels, (B,)."""
    return -(target * logits.log_softmax(dim=1)).sum(dim=1)


def _mean(values: Tensor) -> Tensor:
    return values.sum() / max(1, len(values))  # 0 of nothing
