"""ProMix against the formulas of its release: selection, agreement, objective, priors; masks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from nlbench import baselines
from nlbench.baselines import MethodError, draws
from nlbench.baselines.methods import promix
from tests.helpers.steps import Bench, facts_of
from tests.helpers.unasked import Unasked

K, WIDTH, PIXELS = 4, 5, 16


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 30),
    threshold=st.floats(0.0, 1.0),
    tau=st.floats(0.3, 0.9),
)
def test_agreement_is_the_release_s(seed: int, count: int, threshold: float, tau: float) -> None:
    p = (3 * normal(seed, 2, count, K)).softmax(dim=2)
    believed = normal(seed + 1, count) > 0.5
    expected = believed.clone()
    if int(believed.sum()) / count < threshold:
        found = [
            i
            for i in range(count)
            if p[0, i].max() > tau
            and p[1, i].max() > tau
            and p[0, i].argmax() == p[1, i].argmax()
            and not believed[i]
        ]
        found.sort(key=lambda i: -float(p[0, i].max() + p[1, i].max()))
        room = int(count * threshold) - int(believed.sum())
        expected[found[: max(0, room)]] = True
    assert torch.equal(promix.agreed(believed, p, tau, threshold), expected)


@given(seed=st.integers(0, 10_000), n=st.integers(2, 40), rho=st.floats(0.01, 1.0))
def test_of_each_class_the_smallest_losses_are_clean(seed: int, n: int, rho: float) -> None:
    labels = torch.from_numpy(np.random.default_rng(seed).integers(K, size=n))
    bench = bench_of(labels, rho=rho)
    sweep = normal(seed, 2, n, K)
    bench.method.begin_epoch(bench.state, bench.facts, 3, sweep)
    for member in range(2):
        losses = F.cross_entropy(sweep[member], labels, reduction="none").numpy()
        expected = np.zeros(n)
        for k in range(K):
            members = np.flatnonzero(labels.numpy() == k)
            quota = max(min(math.ceil(n / K * rho), len(members)), 1)
            expected[members[np.argsort(losses[members], kind="stable")[:quota]]] = 1.0
        assert np.array_equal(bench.state.rows["clean"][:, member].numpy(), expected)


@given(seed=st.integers(0, 10_000), size=st.tuples(st.integers(2, 33), st.integers(2, 33)))
def test_a_mask_keeps_its_share_of_the_pixels(seed: int, size: tuple[int, int]) -> None:
    cpu = torch.device("cpu")
    share, mask = draws.mask(size, 1.0, np.random.default_rng(seed), cpu)
    assert tuple(mask.shape) == size
    assert set(mask.flatten().tolist()) <= {0.0, 1.0}
    assert abs(float(mask.sum()) - share * mask.numel()) <= 1.0 + 1e-6
    again = draws.mask(size, 1.0, np.random.default_rng(seed), cpu)
    assert torch.equal(again[1], mask)


def test_masks_are_patches_whose_share_is_uniform() -> None:
    random, cpu = np.random.default_rng(0), torch.device("cpu")
    drawn = [draws.mask((32, 32), 1.0, random, cpu) for _ in range(200)]
    shares = np.array([share for share, _ in drawn])
    assert abs(shares.mean() - 0.5) < 4 * math.sqrt(1 / 12 / 200)
    # Neighbours differ in few places; in masks without structure 2 s (1 - s) of them would.
    edges = [float((mask.diff(dim=1) != 0).double().mean()) for _, mask in drawn]
    assert np.mean(edges) < 0.2 * np.mean(2 * shares * (1 - shares))


class Linear(Unasked):
    """An engine of two networks of two linear maps; it keeps what is minimised."""

    def __init__(self) -> None:
        self.maps = [
            [normal(10 * member + part, PIXELS, width).requires_grad_() for part, width in parts]
            for member, parts in enumerate([[(1, WIDTH), (2, K)]] * 2)
        ]
        self.objectives: dict[int, Tensor] = {}
        self.asked: list[tuple[Any, ...]] = []

    def images(self, ids: Tensor, *words: str | int, strong: bool = False) -> Tensor:
        self.asked.append((*words, strong))
        return torch.stack([view(int(i), strong) for i in ids])

    def mode(self, member: int, training: bool) -> None:
        assert training, member

    def features(self, member: int, images: Tensor) -> tuple[Tensor, Tensor]:
        features, logits = (images.flatten(1) @ one for one in self.maps[member])
        return features, logits

    def descend(self, member: int, objective: Tensor) -> None:
        self.objectives[member] = objective


def view(sample: int, strong: bool) -> Tensor:
    return 0.3 * normal(1000 + 2 * sample + strong, 1, 4, 4)


def bench_of(labels: Tensor, **params: Any) -> Bench:
    facts = facts_of(labels, K, epochs=100, width=WIDTH)
    return Bench(baselines.create("promix", params), facts)


def soft(logits: Tensor, target: Tensor) -> Tensor:
    """PyTorch's own cross-entropy of probabilities; nothing of nothing."""
    return F.cross_entropy(logits, target) if len(logits) else torch.zeros(()).double()


def expected_objective(
    bench: Bench, engine: Linear, member: int, ids: Tensor, random: Any
) -> Tensor:
    """The release's losses, written out for one network; draws in the order of the method."""
    method, state, labels = bench.method, bench.state, bench.facts.given[ids]
    assert isinstance(method, promix.ProMix)
    rise, beta = 0.6, 0.1 * 0.3  # of epoch 5 with a ramp of 8.33 of 100 epochs, rounded there
    weight, bias = (state.parameters[f"{name}.{member}"] for name in ("weight", "bias"))

    def heads(images: Tensor) -> tuple[Tensor, Tensor]:
        features, logits = engine.features(member, images)
        return logits, features @ weight.t() + bias

    weak, strong = (torch.stack([view(int(i), s) for i in ids]) for s in (False, True))
    outputs = heads(weak), heads(strong)
    prior = state.globals["prior"][member]
    p = outputs[0][0].softmax(dim=1)
    own = (state.rows["clean"][ids, member] == 1) | (
        p.gather(1, labels[:, None])[:, 0] > method.tau
    )
    guess = (outputs[0][0] - method.debias * prior[0].log()).argmax(dim=1)
    target = F.one_hot(torch.where(own, labels, guess), K).double()
    total = torch.zeros(()).double()
    plus = method.debias * prior.log()
    rest = ~own
    sharp = (outputs[0][0] - plus[1]).softmax(dim=1) ** (1 / method.temperature)
    sharp = (sharp / sharp.sum(dim=1, keepdim=True))[rest].detach()
    total = total + beta * (
        soft((outputs[0][1] + plus[1])[rest], sharp)
        + rise * soft((outputs[1][1] + plus[1])[rest], sharp)
    )
    for head in range(2):
        total = total + soft((outputs[0][head] + plus[0])[own], target[own])
        total = total + rise * soft((outputs[1][head] + plus[0])[own], target[own])
        images, wanted = weak[own], target[own]
        share, partner = draws.mixing(len(images), method.alpha, random, images.device)
        logits = heads(share * images + (1 - share) * images[partner])[head] + plus[0]
        mixed = soft(logits, share * wanted + (1 - share) * wanted[partner])
        share, mask = draws.mask((4, 4), 1.0, random, images.device)
        partner = torch.from_numpy(random.permutation(len(images)))
        logits = heads(mask * images + (1 - mask) * images[partner])[head] + plus[0]
        hard = wanted.argmax(dim=1)
        masked = share * F.cross_entropy(logits, hard)
        masked = masked + (1 - share) * F.cross_entropy(logits, hard[partner])
        total = total + rise * (mixed + masked)
    return total


def test_the_objective_is_the_release_s() -> None:
    labels = torch.arange(24) % K
    bench = bench_of(labels, tau=0.6, ramp=5 / 0.6 / 100, keep=0.9)
    state, facts = bench.state, bench.facts
    state.put("prior", (normal(3, 2, 2, K)).softmax(dim=2))
    state.put("clean", (normal(4, 24, 2) > 0).double())
    before = state.globals["prior"].clone()
    engine = Linear()
    clean = bench.method.own_epoch(engine, state, facts, 5)
    assert engine.asked == [(5, 0, 0, False), (5, 0, 1, True)]
    after = state.globals["prior"].clone()
    state.put("prior", before)
    random = facts.generator("batches", 5)
    (ids,) = draws.one_pass(facts.trained, facts.batch_size, random)
    for member in range(2):
        expected = expected_objective(bench, engine, member, ids, random)
        found = engine.objectives[member]
        torch.testing.assert_close(found, expected)
        leaves = [*engine.maps[member], state.parameters[f"weight.{member}"]]
        slopes = [torch.autograd.grad(one, leaves, retain_graph=True) for one in (found, expected)]
        torch.testing.assert_close(*slopes)
        images = torch.stack([view(int(i), False) for i in ids])
        p = engine.features(member, images)[1].detach().softmax(dim=1)
        own = (state.rows["clean"][ids, member] == 1) | (
            p.gather(1, labels[ids][:, None])[:, 0] > 0.6
        )
        if member == 0:
            assert clean is not None
            assert torch.equal(clean[ids] > 0, own)
        for kind, among in enumerate((own, ~own)):
            moved = 0.9 * before[member, kind] + 0.1 * p[among].mean(dim=0)
            torch.testing.assert_close(after[member, kind], moved)


def test_late_in_a_run_networks_that_agree_add_their_guesses() -> None:
    labels = torch.arange(24) % K
    counts = []
    for epoch in (58, 59):  # the last 41.67 of 100 epochs
        bench = bench_of(labels, tau=0.3, threshold=1.0)
        bench.state.put("clean", 0.0)
        engine = Linear()
        engine.maps[1] = engine.maps[0]
        clean = bench.method.own_epoch(engine, bench.state, bench.facts, epoch)
        assert clean is not None
        counts.append(int(clean.sum()))
    assert counts[0] < counts[1]


def test_a_batch_without_clean_or_without_other_samples_trains() -> None:
    for clean, tau in ((0.0, 1.0), (1.0, 1.0)):
        bench = bench_of(torch.arange(8) % K, tau=tau)
        bench.state.put("clean", clean)
        engine = Linear()
        bench.method.own_epoch(engine, bench.state, bench.facts, 3)
        for objective in engine.objectives.values():
            assert objective.isfinite()
            torch.autograd.backward(objective)
        assert bench.state.globals["prior"].isfinite().all()


def test_it_needs_to_know_how_wide_features_are() -> None:
    with pytest.raises(MethodError, match="a network that ends in a linear head"):
        Bench(baselines.create("promix"), facts_of(torch.arange(8) % K, K))
