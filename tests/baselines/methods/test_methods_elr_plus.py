"""ELR+ against its released code, and what it must equal."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from nlbench import baselines
from nlbench.baselines.methods import elr_plus
from tests.helpers.steps import facts_of, settings, value
from tests.helpers.unasked import Unasked

K = 10


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("setting", "numbers"), settings("elr_plus"))
def test_targets_and_objective_are_the_release_s(setting: str, numbers: dict[str, float]) -> None:
    key = f"elr_plus/{setting}/K{K}"
    ids, partner = value(f"inputs/steps/K{K}/index"), value(f"{key}/in_mix_index")
    memory = torch.zeros(int(value(f"inputs/steps/K{K}/num_examples")), K, dtype=torch.float64)
    weight = numbers["mixup"]
    for at, step in enumerate(value(f"{key}/iterations").tolist()):
        logits = value(f"inputs/steps/K{K}/logits")[at]
        memory[ids] = elr_plus.remembered(memory[ids], logits, numbers["beta"])
        close(memory, value(f"{key}/pred_hist")[at])
        q = weight * memory[ids] + (1.0 - weight) * memory[ids][partner]
        close(q, value(f"{key}/q")[at])
        leaf = value(f"inputs/steps/K{K}/logits2")[at].clone().requires_grad_()
        strength = numbers["lambda"] * elr_plus.risen(step, int(numbers["coef_step"]))
        label = value(f"{key}/in_soft_labels")
        total = elr_plus.objective(leaf, label, q, strength, refined=False)
        close(total.detach(), value(f"{key}/batch_loss")[at])
        (slope,) = torch.autograd.grad(total, leaf)
        close(slope, value(f"{key}/grad")[at])


def test_refined_labels_are_the_mixed_ones_where_the_targets_are_even() -> None:
    logits = torch.randn(6, K, dtype=torch.float64)
    label = F.one_hot(torch.arange(6), K).double()
    even = torch.full_like(label, 1.0 / K)
    plain, refined = (elr_plus.objective(logits, label, even, 0.0, on) for on in (False, True))
    close(plain, F.cross_entropy(logits, torch.arange(6)))
    close(refined, plain)
    half = 0.5 * label + 0.5 * label.roll(1, dims=0)
    sure = 0.9 * label + 0.01
    found = elr_plus.objective(logits, half, sure, 0.0, True)
    weights = torch.tensor([0.91, 0.01], dtype=torch.float64) / 0.92
    terms = [F.cross_entropy(logits, torch.arange(6).roll(by)) for by in (0, 1)]
    close(found, weights[0] * terms[0] + weights[1] * terms[1])


def test_predictions_are_those_of_the_two_networks_that_are_trained() -> None:
    method = baselines.create("elr+")
    logits = [torch.randn(5, K) for _ in range(4)]
    close(method.combine(logits), (logits[0] + logits[1]) / 2.0)


class Weights(Unasked):
    """An engine of four networks of one number each."""

    def __init__(self) -> None:
        self.values = [1.0, 2.0, 30.0, 40.0]
        self.asked: list[int] = []

    def images(self, ids: Tensor, *words: str | int, strong: bool = False) -> Tensor:
        assert words
        assert not strong
        return ids[:, None].double()

    def mode(self, member: int, training: bool) -> None:
        assert training, member

    def logits(self, member: int, images: Tensor) -> Tensor:
        self.asked.append(member)
        scale = torch.full((1, K), self.values[member], dtype=torch.float64)
        return scale.requires_grad_() + 0.0 * images

    def descend(self, member: int, objective: Tensor) -> None:
        assert objective.requires_grad
        self.values[member] += 0.5

    def follow(self, member: int, source: int, keep: float) -> None:
        self.values[member] = keep * self.values[member] + (1.0 - keep) * self.values[source]


def test_each_network_remembers_the_slow_copy_of_the_other() -> None:
    facts = facts_of(torch.arange(12) % K, K, batch_size=6, steps=2, epochs=2)
    method = baselines.create("elr+", {"ema": 0.5, "ema_ramp": 0.0, "beta": 0.0})
    engine, state = Weights(), method.begin(facts)
    method.own_epoch(engine, state, facts, 0)
    assert engine.asked == [3, 0, 3, 0, 2, 1, 2, 1]
    # Network 0 goes 1.5, 2.0; its copy 30 -> 15.75 -> 8.875.
    assert engine.values[0] == 2.0
    assert engine.values[2] == 8.875
    assert torch.allclose(state.rows["target"].sum(dim=2), torch.ones(12, 2).double())


class Outputs(Weights):
    """An engine whose networks have outputs of their own; it notes what is minimised."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(0)
        self.outputs = [
            torch.randn(12, classes, dtype=torch.float64, generator=random) for _ in self.values
        ]
        self.seen: list[tuple[int, Tensor]] = []
        self.objectives: list[Tensor] = []

    def logits(self, member: int, images: Tensor) -> Tensor:
        ids = images[:, 0].long()
        self.seen.append((member, ids))
        return self.outputs[member][ids].requires_grad_()

    def descend(self, member: int, objective: Tensor) -> None:
        assert member == self.seen[-1][0]
        self.objectives.append(objective.detach())


def test_without_targets_and_mixing_it_is_cross_entropy_of_two_networks() -> None:
    facts = facts_of(torch.arange(12) % K, K, batch_size=5, steps=3, epochs=1)
    method = baselines.create("elr+", {"lam": 0.0, "alpha": 0.0})
    engine, state = Outputs(K), method.begin(facts)
    method.own_epoch(engine, state, facts, 0)
    own = engine.seen[1::2]  # before it the slow copy of the other network is asked
    assert [member for member, _ in own] == [0, 0, 0, 1, 1, 1]
    expected = [F.cross_entropy(engine.outputs[m][ids], facts.given[ids]) for m, ids in own]
    torch.testing.assert_close(engine.objectives, expected, rtol=1e-15, atol=0)
