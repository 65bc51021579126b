"""UNICON: its divergence against SciPy's, its division, its contrastive loss, its batches."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from torch import Tensor, nn

from nlbench import baselines
from nlbench.baselines import MethodError
from nlbench.baselines.methods import unicon
from tests.helpers.steps import Bench, facts_of
from tests.helpers.unasked import Unasked

K = 4
WIDTH = 6


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(seed=st.integers(0, 10_000), scale=st.floats(0.0, 30.0))
def test_the_divergence_is_scipy_s(seed: int, scale: float) -> None:
    p = (scale * normal(seed, 7, K)).softmax(dim=1)
    labels = torch.arange(7) % K
    one_hot = np.eye(K)[labels.numpy()]
    for bits, base in ((True, 2.0), (False, math.e)):
        expected = jensenshannon(p.numpy(), one_hot, base=base, axis=1) ** 2
        found = unicon.divergence(p, labels, bits)
        torch.testing.assert_close(found, torch.from_numpy(expected), rtol=1e-7, atol=1e-8)
    assert unicon.divergence(torch.eye(K).double(), labels[:K]).abs().max() < 1e-9
    wrong = unicon.divergence(torch.eye(K).double().roll(1, 0), labels[:K])
    torch.testing.assert_close(wrong, torch.ones(K).double(), rtol=0, atol=1e-8)


@given(seed=st.integers(0, 10_000), n=st.integers(2, 40), high=st.booleans())
def test_as_many_of_each_class_are_labelled(seed: int, n: int, high: bool) -> None:
    random = np.random.default_rng(seed)
    d = random.random(n) * (0.2 if high else 1.0) + (0.8 if high else 0.0)
    labels = random.integers(K, size=n)
    limit = d.mean()
    if limit > 0.7:
        limit = limit - (limit - d.min()) / 5.0
    quota = int((d < limit).sum() / K)
    expected = np.zeros(n, dtype=bool)
    for k in range(K):
        members = np.flatnonzero(labels == k)
        expected[members[np.argsort(d[members], kind="stable")[:quota]]] = True
    found = unicon.labelled(torch.from_numpy(d), torch.from_numpy(labels), K, 0.7, 5.0)
    assert np.array_equal(found.numpy(), expected)


def test_in_nats_the_cut_off_never_acts() -> None:
    worst = unicon.divergence(torch.eye(K).double().roll(1, 0), torch.arange(K), bits=False)
    assert worst.max() < unicon.UNICON().cutoff


@given(seed=st.integers(0, 10_000), count=st.integers(2, 6), temperature=st.floats(0.05, 2.0))
def test_the_contrastive_loss_is_simclr_s(seed: int, count: int, temperature: float) -> None:
    one, two = (nn.functional.normalize(normal(seed + part, count, 3), dim=1) for part in (0, 1))
    views, total = [*one, *two], 0.0
    for i, view in enumerate(views):
        partner = (i + count) % (2 * count)
        others = [math.exp(float(view @ v) / temperature) for j, v in enumerate(views) if j != i]
        total -= float(view @ views[partner]) / temperature - math.log(sum(others))
    expected = torch.tensor(total / len(views), dtype=torch.float64)
    torch.testing.assert_close(unicon.simclr(one, two, temperature), expected)


def test_the_projection_is_a_linear_layer_and_batch_norm() -> None:
    linear, norm = nn.Linear(WIDTH, 5).double(), nn.BatchNorm1d(5).double()
    features = normal(0, 8, WIDTH)
    found = unicon.projected(features, linear.weight, linear.bias, norm.weight, norm.bias)
    expected = nn.functional.normalize(norm(linear(features)), dim=1)
    torch.testing.assert_close(found, expected)


class Recorded(Unasked):
    """An engine that notes what it is asked for; features are constants times a weight."""

    def __init__(self, sweeps: list[Tensor]) -> None:
        self.weights = [torch.ones(K, requires_grad=True) for _ in range(2)]
        self.batches: list[tuple[Tensor, tuple[str | int, ...], bool]] = []
        self.training = [True, True]
        self.steps: list[int] = []
        self.sweeps = sweeps

    def images(self, ids: Tensor, *words: str | int, strong: bool = False) -> Tensor:
        self.batches.append((ids, words, strong))
        return (1.0 + ids[:, None].float()).sin().expand(-1, K)

    def mode(self, member: int, training: bool) -> None:
        self.training[member] = training

    def logits(self, member: int, images: Tensor) -> Tensor:
        return self.weights[member] * images

    def features(self, member: int, images: Tensor) -> tuple[Tensor, Tensor]:
        logits, scale = self.logits(member, images), torch.arange(WIDTH) + 1.0
        return logits.sum(dim=1, keepdim=True) * scale, logits

    def sweep(self) -> Tensor:
        return self.sweeps.pop(0)

    def descend(self, member: int, objective: Tensor) -> None:
        assert self.training == [member == 0, member == 1]
        torch.autograd.backward(objective)
        self.steps.append(member)


def sure(labels: Tensor, right: int) -> Tensor:
    """Outputs of both networks that are sure of the first labels, and of wrong ones elsewhere."""
    shift = (torch.arange(len(labels)) >= right).long()
    logits = 20.0 * nn.functional.one_hot((labels + shift) % K, K).float()
    return torch.stack([logits, logits])


def bench_of(labels: Tensor, trained: int, **params: object) -> Bench:
    rows = torch.arange(trained)
    facts = facts_of(labels, K, batch_size=8, trained=rows, dtype=torch.float32, width=WIDTH)
    return Bench(baselines.create("unicon", params), facts)


def test_the_second_network_learns_after_a_division_anew() -> None:
    labels = torch.arange(41) % K
    bench = bench_of(labels, 40)
    facts, state = bench.facts, bench.state
    bench.method.begin_epoch(state, facts, 9, sure(labels, 16))
    engine = Recorded([sure(labels, 32)])
    selected = bench.method.own_epoch(engine, state, facts, 9)
    assert selected is not None
    # Sixteen are right of 40 at first, thirty-two later: 4 and 8 of each class.
    assert selected[:40].nonzero().squeeze(1).tolist() == list(range(16))
    assert engine.steps == [0] * 4 + [1] * 8
    for member, count in ((0, 16), (1, 32)):
        for view in range(4):
            parts: dict[str, list[Tensor]] = {"labelled": [], "unlabelled": []}
            for ids, (epoch, who, _, kind, looked), strong in engine.batches:
                assert epoch == 9
                assert strong is (int(looked) > 1)
                if (who, looked) == (member, view):
                    parts[str(kind)].append(ids)
            assert sorted(torch.cat(parts["labelled"]).tolist()) == list(range(count))
            assert set(torch.cat(parts["unlabelled"]).tolist()) <= set(range(count, 40))
    assert len({words for _, words, _ in engine.batches}) == len(engine.batches)
    assert all(p.grad is not None and p.grad.any() for p in state.parameters.values())


def test_without_unlabelled_samples_and_without_contrast_the_projection_rests() -> None:
    labels = torch.arange(16) % K
    bench = bench_of(labels, 16)
    engine = Recorded([])
    bench.method._train(engine, 0, bench.state, bench.facts, 3)  # type: ignore[attr-defined]
    assert all(kind == "labelled" for _, (*_, kind, _), _ in engine.batches)
    assert all(p.grad is None for p in bench.state.parameters.values())


def test_a_division_that_labels_nothing_is_one_line() -> None:
    labels = torch.arange(16) % K
    bench = bench_of(labels, 16)
    bench.method.begin_epoch(bench.state, bench.facts, 3, torch.zeros(2, 16, K))  # equal d
    with pytest.raises(MethodError, match="in epoch 4 network 0 has 0 labelled samples of 16"):
        bench.method.own_epoch(Recorded([]), bench.state, bench.facts, 3)


def test_it_needs_to_know_how_wide_features_are() -> None:
    with pytest.raises(MethodError, match="a network that ends in a linear head"):
        Bench(baselines.create("unicon"), facts_of(torch.arange(8) % K, K))


def test_the_penalty_of_the_warm_up_is_the_negative_entropy() -> None:
    labels, logits = torch.arange(8) % K, normal(1, 8, K)
    plain, confident = (
        bench_of(labels, 8, confident=on).step([[logits], [logits]], torch.arange(8))[0].losses[0]
        for on in (False, True)
    )
    entropy = torch.special.entr(logits.softmax(dim=1)).sum(dim=1)
    torch.testing.assert_close(plain - confident, entropy)
