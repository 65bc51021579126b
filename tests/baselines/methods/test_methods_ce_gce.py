"""Cross-entropy and generalised cross-entropy against naive float64 formulas and their limits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from nlbench import baselines
from nlbench.baselines import MethodError
from nlbench.baselines.methods.ce import CE
from nlbench.baselines.methods.gce import GCE


def sample(
    seed: int, rows: int = 30, classes: int = 10, scale: float = 3.0
) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    logits = scale * rng.standard_normal((rows, classes))
    return torch.from_numpy(logits), torch.from_numpy(rng.integers(0, classes, rows))


def label_probability(logits: Tensor, targets: Tensor) -> np.ndarray:
    exponentials = np.exp(logits.numpy())
    shares = exponentials / exponentials.sum(axis=1, keepdims=True)
    picked: np.ndarray = shares[np.arange(len(shares)), targets.numpy()]
    return picked


@given(seed=st.integers(0, 2**31), classes=st.integers(2, 100))
def test_ce_is_minus_log_p(seed: int, classes: int) -> None:
    logits, targets = sample(seed, classes=classes)
    expected = -np.log(label_probability(logits, targets))
    # The atol is the rounding of log p near p = 1 in the naive formula, not ours.
    np.testing.assert_allclose(CE().loss(logits, targets), expected, rtol=1e-12, atol=1e-15)


@given(seed=st.integers(0, 2**31), classes=st.integers(2, 100), q=st.floats(0.05, 1.0))
def test_gce_is_its_formula(seed: int, classes: int, q: float) -> None:
    logits, targets = sample(seed, classes=classes)
    expected = (1.0 - label_probability(logits, targets) ** q) / q
    # 1 - p^q cancels near p = 1 in the naive formula: its own rounding is about eps / q.
    np.testing.assert_allclose(GCE(q=q).loss(logits, targets), expected, rtol=1e-12, atol=1e-14)


@given(seed=st.integers(0, 2**31))
def test_gce_with_q_one_is_one_minus_p(seed: int) -> None:
    logits, targets = sample(seed)
    expected = 1.0 - label_probability(logits, targets)
    np.testing.assert_allclose(GCE(q=1).loss(logits, targets), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("q", [0.0, 5e-324, 1e-45, 1e-40, 1e-31, 1e-30, 1e-29, 1e-20, 1e-12])
def test_gce_with_tiny_q_is_ce(q: float, dtype: torch.dtype) -> None:
    logits, targets = sample(1, rows=500, scale=8.0)
    logits = logits.to(dtype)
    tolerance = 4 * torch.finfo(dtype).eps + 100 * q
    torch.testing.assert_close(
        GCE(q=q).loss(logits, targets), CE().loss(logits, targets), rtol=tolerance, atol=0
    )


@given(seed=st.integers(0, 2**31), q=st.floats(1e-9, 1e-3))
def test_gce_leaves_ce_at_first_order_in_q(seed: int, q: float) -> None:
    # (1 - e^(-q c)) / q = c - q c^2 / 2 + q^2 c^3 / 6 - ..., an alternating series.
    logits, targets = sample(seed)
    ce = CE().loss(logits, targets)
    gap = (GCE(q=q).loss(logits, targets) - (ce - q * ce**2 / 2)).abs()
    assert (gap <= q**2 * ce**3 / 6 + 1e-14 * (1 + ce)).all()


@given(seed=st.integers(0, 2**31), q=st.floats(0.0, 1.0))
def test_gradient_of_gce_is_ce_s_weighted_by_p_to_the_q(seed: int, q: float) -> None:
    logits, targets = sample(seed)
    logits.requires_grad_(True)
    (got,) = torch.autograd.grad(GCE(q=q).loss(logits, targets).sum(), logits)
    p = torch.softmax(logits.detach(), dim=1)
    one_hot = torch.nn.functional.one_hot(targets, p.shape[1])
    weight = p.gather(1, targets[:, None]) ** q
    torch.testing.assert_close(got, weight * (p - one_hot), rtol=1e-10, atol=1e-14)


@given(low=st.floats(0.0, 1.0), high=st.floats(0.0, 1.0), seed=st.integers(0, 2**31))
def test_gce_falls_with_q_and_stays_under_one_over_q(low: float, high: float, seed: int) -> None:
    low, high = sorted((low, high))
    logits, targets = sample(seed)
    weak, strong = GCE(q=low).loss(logits, targets), GCE(q=high).loss(logits, targets)
    assert (strong <= weak * (1 + 1e-12)).all()
    assert (strong >= 0).all()
    if high > 0:
        assert (strong <= 1 / high).all()


def test_gce_has_a_gradient_where_public_code_clamps_it_away() -> None:
    logits = torch.tensor([[0.0, 18.0]], dtype=torch.float64, requires_grad=True)
    loss = GCE(q=0.7).loss(logits, torch.tensor([0]))
    (got,) = torch.autograd.grad(loss.sum(), logits)
    p = 1.0 / (1.0 + np.exp(18.0))
    assert p < 1e-7
    assert got[0, 0].item() == pytest.approx(-(p**0.7) * (1 - p), rel=1e-9)


def test_gce_underflow_has_value_one_over_q_and_gradient_zero() -> None:
    logits = torch.tensor([[-1e4, 1e4, 0.0]], requires_grad=True)
    loss = GCE().loss(logits, torch.tensor([0]))
    (got,) = torch.autograd.grad(loss.sum(), logits)
    assert loss.item() == pytest.approx(1 / 0.7, rel=1e-6)
    assert torch.equal(got, torch.zeros_like(got))


def test_gce_defaults_to_the_paper_s_q() -> None:
    assert baselines.create("gce").params() == {"q": 0.7}


@pytest.mark.parametrize("q", [-1e-9, 1.0000001, float("nan"), float("inf"), -float("inf")])
def test_q_outside_its_range_is_refused(q: float) -> None:
    with pytest.raises(MethodError, match=r"'gce': q = .* is outside \[0, 1\]"):
        GCE(q=q)
