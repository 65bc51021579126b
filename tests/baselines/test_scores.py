"""Open-set scores against SciPy, and their direction and resolution."""

from __future__ import annotations

import math

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp, softmax
from scipy.stats import entropy as scipy_entropy

from nlbench.baselines import scores
from nlbench.baselines.methods.ce import CE


def sample(seed: int, classes: int) -> np.ndarray:
    return 4.0 * np.random.default_rng(seed).standard_normal((25, classes))


@given(seed=st.integers(0, 2**31), classes=st.integers(2, 60))
def test_scores_are_their_formulas(seed: int, classes: int) -> None:
    logits = sample(seed, classes)
    p = softmax(logits, axis=1)
    ours = {key: value.numpy() for key, value in CE().scores(torch.from_numpy(logits)).items()}
    np.testing.assert_allclose(ours["msp"], 1 - p.max(axis=1), rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(ours["max_logit"], -logits.max(axis=1))
    np.testing.assert_allclose(ours["energy"], -logsumexp(logits, axis=1), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(ours["entropy"], scipy_entropy(p, axis=1), rtol=1e-12, atol=1e-14)


def test_scores_are_higher_for_the_unsure_and_within_their_ranges() -> None:
    sure, unsure = torch.tensor([[9.0, 0.0, 0.0, 0.0]]), torch.zeros(1, 4)
    for known, unknown in zip(
        CE().scores(sure).values(), CE().scores(unsure).values(), strict=True
    ):
        assert known < unknown
    assert math.isclose(scores.msp(unsure).item(), 0.75, rel_tol=1e-6)
    assert math.isclose(scores.entropy(unsure).item(), math.log(4), rel_tol=1e-6)
    assert math.isclose(scores.energy(unsure).item(), -math.log(4), rel_tol=1e-6)


def test_msp_keeps_the_order_of_confident_samples_in_float32() -> None:
    confident = torch.zeros(60, 10)
    confident[:, 3] = torch.arange(20, 80)
    naive = 1.0 - torch.softmax(confident, dim=1).amax(dim=1)
    assert len(set(naive.tolist())) < 10
    assert (scores.msp(confident).diff() < 0).all()


def test_two_equal_maxima_count_once() -> None:
    assert scores.msp(torch.tensor([[5.0, 5.0, -1e4]])).item() == 0.5
