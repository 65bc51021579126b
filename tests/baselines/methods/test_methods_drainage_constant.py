"""Open drainage: the loss with a constant drainage logit, its scores and its rule."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from nlbench import baselines
from nlbench.baselines import MethodError


@given(
    alpha=st.floats(0.01, 10.0),
    beta=st.floats(0.0, 10.0),
    constant=st.floats(-3.0, 3.0),
    seed=st.integers(0, 1000),
)
def test_loss_is_the_papers_formula_in_probabilities(
    alpha: float, beta: float, constant: float, seed: int
) -> None:
    method = baselines.create(
        "drainage-constant", {"alpha": alpha, "beta": beta, "constant": constant}
    )
    z = torch.randn(6, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    t = torch.tensor([0, 1, 2, 3, 0, 1])
    p = torch.softmax(torch.cat([z, torch.full((6, 1), constant, dtype=z.dtype)], dim=1), dim=1)
    target, drained = p[torch.arange(6), t], p[:, -1]
    others = 1 - target - drained
    by_hand = torch.log(1 + alpha * (drained + others) / target + beta * others / drained)
    torch.testing.assert_close(method.loss(z, t), by_hand, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(method.extra_output_probability(z), drained, rtol=1e-9, atol=1e-12)


def test_it_is_the_learned_one_where_the_network_gives_the_constant() -> None:
    z = torch.randn(20, 10, generator=torch.Generator().manual_seed(0))
    t = torch.arange(20) % 10
    learned = baselines.create("drainage", {"alpha": 0.3})
    constant = baselines.create("drainage-constant", {"alpha": 0.3, "constant": 1.5})
    with_output = torch.cat([z, torch.full((20, 1), 1.5)], dim=1)
    torch.testing.assert_close(constant.loss(z, t), learned.loss(with_output, t))
    assert constant.num_outputs(10) == 10
    for rejected in (constant.rejects(z), learned.rejects(with_output)):
        assert rejected is not None
        assert rejected.equal(z.amax(dim=1) < 1.5)


def test_its_score_orders_samples_as_the_energy_does() -> None:
    method = baselines.create("drainage-constant", {"constant": -2.0})
    z = torch.randn(200, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    scores = method.scores(z)
    unknown = torch.arange(200) % 3 == 0
    areas = [roc_auc_score(unknown, scores[name]) for name in ("drainage", "energy")]
    assert areas[0] == areas[1]


def test_settings_are_refused_by_name() -> None:
    with pytest.raises(MethodError, match="constant"):
        baselines.create("drainage-constant", {"constant": math.nan})
    with pytest.raises(MethodError, match="no official setting"):
        baselines.setting("drainage-constant", "cifar10", "official")
