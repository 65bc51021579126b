"""DISC: roles by hand, what it must equal, and what its batches are made of."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from nlbench import baselines
from nlbench.baselines.methods import disc
from nlbench.baselines.methods.disc import CLEAN, HARD, OUT, PURIFIED
from tests.helpers.steps import Bench, facts_of
from tests.helpers.unasked import Unasked

K = 3


def test_roles_are_what_two_views_say_of_the_label() -> None:
    seen = torch.tensor(
        [
            [[0.8, 0.1, 0.1], [0.7, 0.2, 0.1]],  # above the bar in both
            [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1]],  # in one
            [[0.05, 0.05, 0.9], [0.05, 0.05, 0.9]],  # in none, and sure of class 2
            [[0.2, 0.5, 0.3], [0.2, 0.5, 0.3]],  # in none, and not sure
            [[0.3, 0.4, 0.3], [0.3, 0.4, 0.3]],  # at the bar is not above it
            [[0.001, 0.998, 0.001], [0.001, 0.998, 0.001]],  # sure, whatever the bar
        ],
        dtype=torch.float64,
    )
    bar = torch.tensor([0.3] * 5 + [0.97], dtype=torch.float64)[:, None].expand(-1, 2)
    role, label = disc.roles(seen, bar, torch.zeros(6, dtype=torch.int64), 0.5)
    assert role.tolist() == [CLEAN, HARD, PURIFIED, OUT, OUT, PURIFIED]
    assert label.tolist() == [0, 0, 2, 0, 0, 1]


def test_the_first_epochs_are_the_cross_entropy_of_both_views() -> None:
    logits = [torch.randn(9, K, dtype=torch.float64) for _ in range(2)]
    facts = facts_of(torch.arange(9) % K, K, epochs=200)
    bench = Bench(baselines.create("disc"), facts)
    step, _ = bench.step([logits], torch.arange(9))
    expected = [F.cross_entropy(one, facts.given, reduction="none") for one in logits]
    assert torch.equal(step.losses[0], expected[0] + expected[1])
    own = [epoch for epoch in range(200) if bench.method.draws_batches(facts, epoch)]
    assert own == list(range(20, 200))


def test_roles_are_decided_before_the_bar_moves_and_held_out_samples_have_none() -> None:
    facts = facts_of(torch.zeros(8, dtype=torch.int64), K, trained=torch.arange(6))
    bench = Bench(baselines.create("disc", {"mu": 0.5}), facts)
    state = bench.state
    state.put("bar", 0.4)
    state.put("seen", torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64).expand(8, 2, K))
    bench.method.end_epoch(state, facts, 0)
    assert state.rows["role"].tolist() == [CLEAN] * 6 + [OUT] * 2
    assert torch.allclose(state.rows["bar"][:6], torch.full((6, 2), 0.45).double())
    assert (state.rows["bar"][6:] == 0.4).all()


def test_clean_and_hard_samples_have_their_losses_and_others_none() -> None:
    views = [torch.randn(4, K, dtype=torch.float64) for _ in range(2)]
    targets = torch.tensor([0, 1, 2, 0])
    method = baselines.create("disc", {"lam_hard": 0.2})
    assert isinstance(method, disc.DISC)
    found = method.supervised(views, targets, torch.tensor([CLEAN, HARD, OUT, PURIFIED]))
    ce = sum(F.cross_entropy(one, targets, reduction="none")[0] for one in views)
    p = [one.softmax(dim=1)[1, 1] for one in views]
    gce = sum((1.0 - one**0.7) / 0.7 for one in p)
    torch.testing.assert_close(found, (ce + 0.2 * gce) / 4.0)


class Counted(Unasked):
    """An engine that counts the images that go through it."""

    def __init__(self) -> None:
        self.weight = torch.zeros(K, dtype=torch.float64, requires_grad=True)
        self.sizes: list[int] = []
        self.objectives: list[float] = []

    def images(self, ids: Tensor, *words: str | int, strong: bool = False) -> Tensor:
        assert strong == (words[-1] > 0)  # type: ignore[operator]
        return ids[:, None].double()

    def mode(self, member: int, training: bool) -> None:
        assert training, member

    def logits(self, member: int, images: Tensor) -> Tensor:
        assert member == 0
        self.sizes.append(len(images))
        return self.weight + 0.0 * images

    def descend(self, member: int, objective: Tensor) -> None:
        assert objective.requires_grad, member
        self.objectives.append(float(objective.detach()))


def test_an_epoch_mixes_what_is_not_left_out() -> None:
    facts = facts_of(torch.arange(12) % K, K, batch_size=12)
    bench = Bench(baselines.create("disc"), facts)
    bench.state.put("role", torch.tensor([CLEAN] * 3 + [HARD] * 2 + [PURIFIED] * 2 + [OUT] * 5))
    engine = Counted()
    selected = bench.method.own_epoch(engine, bench.state, facts, 25)
    assert selected is not None
    assert selected.tolist() == [1.0] * 5 + [0.0] * 7
    assert engine.sizes == [24, 7, 7]
    # All predictions are even: cross-entropy is log 3.
    log3 = float(torch.log(torch.tensor(3.0, dtype=torch.float64)))
    gce = (1.0 - 3.0**-0.7) / 0.7
    assert abs(engine.objectives[0] - (6 * log3 + 4 * gce) / 12 - 2 * log3) < 1e-9
    bench.state.put("role", OUT)
    bench.method.own_epoch(engine, bench.state, facts, 26)
    assert len(engine.objectives) == 1  # no step
