"""PES: its confident samples and their weighted loss against torch's, and its stages."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from nlbench import baselines
from nlbench.baselines import Stage
from nlbench.baselines.methods import pes
from tests.helpers.steps import Bench, facts_of

K = 5


def draw(seed: int, n: int) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, K, generator=random, dtype=torch.float64)
    return logits, torch.randint(K, (n,), generator=random)


def released(logits: Tensor, labels: Tensor) -> tuple[list[int], Tensor]:
    """Which samples are kept and the weight of each class, one sample after the other."""
    kept = [i for i in range(len(labels)) if int(logits[i].argmax()) == int(labels[i])]
    counts = np.zeros(K)
    for i in kept:
        counts[int(labels[i])] += 1
    mean = counts[counts > 0].mean() if kept else 0.0
    weights = [mean / count if count else 0.0 for count in counts]
    return kept, torch.tensor(weights, dtype=torch.float64)


@given(seed=st.integers(0, 10_000), n=st.integers(1, 40))
def test_the_weighted_loss_is_torch_s_of_the_confident_samples(seed: int, n: int) -> None:
    swept, labels = draw(seed, n)
    kept, class_weights = released(swept, labels)
    found = pes.confident(swept, labels, K)
    assert found.nonzero().squeeze(1).tolist() == kept
    torch.testing.assert_close(found[kept], class_weights[labels[kept]])

    facts = facts_of(labels, K, epochs=9, starts=(0, 2, 3, 4))
    bench = Bench(baselines.create("pes"), facts)
    bench.method.begin_epoch(bench.state, facts, 4, swept[None])
    logits = draw(seed + 1, n)[0].requires_grad_()
    step, ((slope,),) = bench.step([[logits]], torch.arange(n))
    if not kept:
        assert float(step.objective().detach()) == 0.0
        assert not slope.any()
        return
    expected = nn.CrossEntropyLoss(weight=class_weights)(logits[kept], labels[kept])
    torch.testing.assert_close(step.objective(), expected)
    torch.testing.assert_close(slope, torch.autograd.grad(expected, logits)[0])


def test_before_stage_4_it_is_the_mean_of_the_cross_entropy() -> None:
    logits, labels = draw(0, 12)
    facts = facts_of(labels, K)
    step, _ = Bench(baselines.create("pes"), facts).step([[logits]], torch.arange(12))
    assert torch.equal(
        step.objective(), nn.CrossEntropyLoss(reduction="none")(logits, labels).mean()
    )


def test_the_stages_are_the_release_s() -> None:
    first, second, third, rest = baselines.create("pes").stages(200)
    assert [s.epochs for s in (first, second, third, rest)] == [25, 7, 5, 175]
    assert (first.at, rest.at) == (0, 25)  # one schedule, over 200 epochs
    assert [(s.last, s.redraw, s.trains) for s in (second, third)] == [
        (2, True, "last"),
        (1, True, "last"),
    ]
    assert second.recipe == third.recipe
    assert second.recipe["optimizer"] == "adam"
    assert second.recipe["lr"] == 1e-4
    assert (rest.redraw, rest.trains) == (False, "all")
    assert baselines.create("pes", {"legacy": True}).stages(200)[3].trains == "others"
    assert [s.epochs for s in baselines.create("pes").stages(1)] == [1, 7, 5]


@pytest.mark.parametrize(("epoch", "sweeps"), [(0, False), (2, False), (3, False), (4, True)])
def test_all_images_are_looked_at_in_stage_4(epoch: int, sweeps: bool) -> None:
    facts = facts_of(torch.arange(6) % K, K, epochs=9, starts=(0, 2, 3, 4))
    assert baselines.create("pes").wants_sweep(facts, epoch) is sweeps
    assert not baselines.create("pes").wants_sweep(facts_of(facts.given, K), epoch)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"trains": "first"}, "trains = 'first' must be all, last or others"),
        ({"redraw": True}, "last = 0 must be 1 or more"),
        ({"trains": "last"}, "last = 0 must be 1 or more"),
    ],
)
def test_a_stage_of_no_parts_is_refused(settings: dict[str, object], reason: str) -> None:
    with pytest.raises(baselines.MethodError, match=reason):
        Stage(epochs=1, **settings)  # type: ignore[arg-type]
