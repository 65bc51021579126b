"""DivideMix against its released code: the mixture, the targets, the objective; and its batches."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from nlbench import baselines
from nlbench.baselines import MethodError, mixture
from nlbench.baselines.methods import dividemix
from tests.helpers.steps import Bench, facts_of, settings, value
from tests.helpers.unasked import Unasked

K = 3


def close(found: Tensor, expected: Tensor, rtol: float = 1e-10) -> None:
    torch.testing.assert_close(found, expected, rtol=rtol, atol=1e-12)


@pytest.mark.parametrize("setting", ["r=0.5", "r=0.9"])
def test_the_mixture_is_the_release_s(setting: str) -> None:
    key = f"dividemix_gmm/{setting}/K0"
    losses = value(f"{key}/in_losses")
    if losses.ndim == 2:  # the mean of the last five epochs
        losses = torch.stack([mixture.scaled(one) for one in losses])[-5:].mean(dim=0)
    else:
        losses = mixture.scaled(losses)
    close(losses, value(f"{key}/normalised"))
    found = mixture.small_ones(losses)
    torch.testing.assert_close(found, value(f"{key}/prob"), rtol=0, atol=1e-6)
    order = torch.randperm(len(losses), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(mixture.small_ones(losses[order]), found[order], rtol=0, atol=1e-9)


def test_equal_losses_have_a_mixture_too() -> None:
    assert torch.isfinite(mixture.small_ones(mixture.scaled(torch.full((9,), 2.0)))).all()


@pytest.mark.parametrize(("setting", "numbers"), settings("dividemix_targets"))
def test_targets_are_the_release_s(setting: str, numbers: dict[str, float]) -> None:
    key = f"dividemix_targets/{setting}/K{K}"
    guesses = [value(f"{key}/in_{name}") for name in ("u11", "u12", "u21", "u22")]
    close(dividemix.guessed(guesses, numbers["T"]), value(f"{key}/targets_u"))
    own = [value(f"{key}/in_{name}") for name in ("x", "x2")]
    label = F.one_hot(value(f"{key}/in_labels"), K).double()
    found = dividemix.refined(own, label, value(f"{key}/in_w"), numbers["T"])
    close(found, value(f"{key}/targets_x"))
    sure = torch.ones(len(label), dtype=torch.float64)
    assert torch.equal(dividemix.refined(own, label, sure, 1.0), label)


@pytest.mark.parametrize(("setting", "numbers"), settings("dividemix_semi_loss"))
def test_the_objective_is_the_release_s(setting: str, numbers: dict[str, float]) -> None:
    key = f"dividemix_semi_loss/{setting}/K{K}"
    leaves = [value(f"{key}/in_logits_{part}").clone().requires_grad_() for part in "xu"]
    targets = torch.cat([value(f"{key}/in_targets_{part}") for part in "xu"])
    weight = numbers["lambda_u"] * min((numbers["epoch"] - numbers["warm_up"]) / 16.0, 1.0)
    total = dividemix.objective(torch.cat(leaves), targets, len(leaves[0]), weight)
    close(total.detach(), value(f"{key}/total"))
    for slope, part in zip(torch.autograd.grad(total, leaves), "xu", strict=True):
        close(slope, value(f"{key}/grad_{part}"))
    # The penalty of the warm-up: on the same predictions.
    logits = value(f"{key}/in_logits_x")
    given = torch.zeros(len(logits), dtype=torch.int64)
    steps = [
        Bench(baselines.create("dividemix", {"confident": on}), facts_of(given, K)).step(
            [[logits], [logits]], torch.arange(len(given))
        )[0]
        for on in (False, True)
    ]
    added = steps[1].losses[0].mean() - steps[0].losses[0].mean()
    close(added.detach(), value(f"{key}/neg_entropy"))


def test_the_weight_of_the_unlabelled_part_rises_as_in_the_release() -> None:
    ((setting, numbers),) = settings("dividemix_ramp")
    key, last = f"dividemix_ramp/{setting}/K10", numbers["lambda_u"]
    epochs = (value(f"{key}/epochs") - numbers["warm_up"]).tolist()
    found = [last * dividemix.risen(epoch, 16.0) for epoch in epochs]
    close(torch.tensor(found, dtype=torch.float64), value(f"{key}/lambda_u"))


class Recorded(Unasked):
    """An engine that notes what it is asked for; a network's logits are a parameter of its own."""

    def __init__(self, classes: int) -> None:
        self.weights = [torch.zeros(classes, requires_grad=True) for _ in range(2)]
        self.batches: list[tuple[Tensor, tuple[str | int, ...]]] = []
        self.training = [True, True]
        self.steps: list[int] = []

    def images(self, ids: Tensor, *words: str | int, strong: bool = False) -> Tensor:
        assert not strong
        self.batches.append((ids, words))
        return ids[:, None].float()

    def mode(self, member: int, training: bool) -> None:
        self.training[member] = training

    def logits(self, member: int, images: Tensor) -> Tensor:
        return self.weights[member] + 0.0 * images

    def descend(self, member: int, objective: Tensor) -> None:
        assert self.training == [member == 0, member == 1]
        torch.autograd.backward(objective)
        self.steps.append(member)


def test_each_network_learns_from_what_the_other_finds_clean() -> None:
    given = torch.arange(41) % K
    facts = facts_of(given, K, batch_size=8, trained=torch.arange(40), dtype=torch.float32)
    bench = Bench(baselines.create("dividemix"), facts)
    clean = bench.state.rows["clean"]
    clean[10:, 0] = 0.0  # network 0 finds 10 samples clean, network 1 finds 30
    clean[30:, 1] = 0.0
    engine = Recorded(K)
    selected = bench.method.own_epoch(engine, bench.state, facts, 9)
    assert selected is not None
    assert int((selected[:40] > 0).sum()) == 30
    assert engine.steps == [0] * 8 + [1] * 3
    for member, count in ((0, 30), (1, 10)):
        parts: dict[str, list[Tensor]] = {"labelled": [], "unlabelled": []}
        for ids, (epoch, who, _, kind, view) in engine.batches:
            assert epoch == 9
            if who == member and view == 0:
                parts[str(kind)].append(ids)
        labelled = torch.cat(parts["labelled"])
        assert sorted(labelled.tolist()) == list(range(count))
        rest = torch.cat(parts["unlabelled"])
        assert set(rest.tolist()) <= set(range(count, 40))
    assert len({words for _, words in engine.batches}) == len(engine.batches)


def test_a_division_that_labels_nothing_is_one_line_and_one_that_labels_all_trains() -> None:
    facts = facts_of(torch.arange(12) % K, K, batch_size=8, dtype=torch.float32)
    bench = Bench(baselines.create("dividemix"), facts)
    engine = Recorded(K)
    bench.method.own_epoch(engine, bench.state, facts, 3)
    assert all(kind == "labelled" for _, (*_, kind, _) in engine.batches)
    bench.state.put("clean", 0.0)
    with pytest.raises(MethodError, match="in epoch 4 network 0 has 0 labelled samples of 12"):
        bench.method.own_epoch(engine, bench.state, facts, 3)


def test_the_warm_up_has_one_epoch_at_least_and_then_batches_of_its_own() -> None:
    facts = facts_of(torch.arange(9) % K, K, epochs=300)
    for params, first in (({}, 10), ({"warm": 0.1}, 30), ({"warm": 0.0}, 1), ({"warm": 1.0}, 300)):
        method = baselines.create("dividemix", params)
        own = [epoch for epoch in range(300) if method.draws_batches(facts, epoch)]
        assert own == list(range(first, 300))
