"""Drainage against its probability form, its identities and the two propositions of its paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from torch import Tensor

from nlbench import baselines
from nlbench.baselines import MethodError
from nlbench.baselines.methods.ce import CE
from nlbench.baselines.methods.drainage import Drainage, drainage_loss

weights = st.floats(-5.0, 5.0).map(lambda exponent: 10.0**exponent)
seeds = st.integers(0, 2**31)
counts = st.integers(2, 40)


def sample(seed: int, classes: int, rows: int = 20, scale: float = 3.0) -> tuple[Tensor, Tensor]:
    """Logits for classes and the drainage output, and labels."""
    rng = np.random.default_rng(seed)
    logits = scale * rng.standard_normal((rows, classes + 1))
    return torch.from_numpy(logits), torch.from_numpy(rng.integers(0, classes, rows))


def naive(p: np.ndarray, targets: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    """log(1 + alpha (p_d + p_J) / p_t + beta p_J / p_d), one sample at a time."""
    values = []
    for row, label in zip(p, targets, strict=True):
        p_t, p_d = row[label], row[-1]
        p_j = sum(row[k] for k in range(len(row) - 1) if k != label)
        values.append(math.log1p(alpha * (p_d + p_j) / p_t + beta * p_j / p_d))
    return np.array(values)


def probabilities(logits: Tensor) -> np.ndarray:
    exponentials = np.exp(logits.numpy())
    result: np.ndarray = exponentials / exponentials.sum(axis=1, keepdims=True)
    return result


def value(p: np.ndarray, label: int, alpha: float, beta: float) -> float:
    method = Drainage(alpha=alpha, beta=beta)
    return method.loss(torch.from_numpy(np.log(p))[None], torch.tensor([label])).item()


@given(seed=seeds, classes=counts, alpha=weights, beta=weights)
def test_logit_form_is_the_probability_form(
    seed: int, classes: int, alpha: float, beta: float
) -> None:
    logits, targets = sample(seed, classes)
    expected = naive(probabilities(logits), targets.numpy(), alpha, beta)
    got = Drainage(alpha=alpha, beta=beta).loss(logits, targets)
    # log1p of a tiny sum keeps digits that a log-sum-exp with a 0 in it rounds at eps: hence atol.
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


@given(seed=seeds, classes=counts, alpha=weights)
def test_beta_is_one_over_alpha_unless_set(seed: int, classes: int, alpha: float) -> None:
    logits, targets = sample(seed, classes)
    method = Drainage(alpha=alpha)
    assert method.params() == {"alpha": alpha, "beta": 1 / alpha}
    expected = naive(probabilities(logits), targets.numpy(), alpha, 1 / alpha)
    np.testing.assert_allclose(method.loss(logits, targets), expected, rtol=1e-12, atol=1e-14)


@given(seed=seeds, classes=counts, alpha=weights, beta=weights)
def test_expands_to_one_log_sum_exp_of_affine_functions(
    seed: int, classes: int, alpha: float, beta: float
) -> None:
    logits, targets = sample(seed, classes)
    for z, label, got in zip(
        logits, targets, Drainage(alpha=alpha, beta=beta).loss(logits, targets), strict=True
    ):
        rest = torch.cat([z[:label], z[label + 1 : -1]])
        pieces = [
            torch.zeros(1, dtype=z.dtype),
            rest - z[label] + math.log(alpha),
            (z[-1:] - z[label]) + math.log(alpha),
            rest - z[-1] + math.log(beta),
        ]
        expected = torch.logsumexp(torch.cat(pieces), dim=0)
        torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-14)


@given(seed=seeds, classes=counts)
def test_alpha_one_beta_zero_is_ce_with_one_class_nobody_has(seed: int, classes: int) -> None:
    logits, targets = sample(seed, classes)
    logits.requires_grad_(True)
    drainage, ce = Drainage(alpha=1, beta=0).loss(logits, targets), CE().loss(logits, targets)
    torch.testing.assert_close(drainage, ce, rtol=1e-12, atol=1e-14)
    slopes = [torch.autograd.grad(loss.sum(), logits)[0] for loss in (drainage, ce)]
    torch.testing.assert_close(slopes[0], slopes[1], rtol=1e-10, atol=1e-14)


@given(seed=seeds, classes=counts)
def test_beta_to_zero_leads_there_continuously(seed: int, classes: int) -> None:
    logits, targets = sample(seed, classes)
    limit = Drainage(alpha=1, beta=0).loss(logits, targets)
    gaps = [
        (Drainage(alpha=1, beta=beta).loss(logits, targets) - limit).max().item()
        for beta in (1e-2, 1e-5, 1e-8, 1e-300)
    ]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] == 0.0


@given(seed=seeds, classes=counts)
def test_without_mass_in_the_drainage_output_it_is_plain_ce(seed: int, classes: int) -> None:
    logits, targets = sample(seed, classes)
    logits[:, -1] = -1e6
    torch.testing.assert_close(
        Drainage(alpha=1, beta=0).loss(logits, targets),
        CE().loss(logits[:, :-1], targets),
        rtol=1e-12,
        atol=1e-14,
    )


@given(seed=seeds, classes=counts, alpha=weights, beta=weights, share=st.floats(0.0, 1.0))
def test_convex_along_every_segment_and_never_negative(
    seed: int, classes: int, alpha: float, beta: float, share: float
) -> None:
    start, targets = sample(seed, classes, scale=6.0)
    end, _ = sample(seed + 1, classes, scale=6.0)
    method = Drainage(alpha=alpha, beta=beta)
    between = method.loss(share * start + (1 - share) * end, targets)
    chord = share * method.loss(start, targets) + (1 - share) * method.loss(end, targets)
    assert (between <= chord + 1e-11).all()
    assert (between >= 0).all()


@pytest.mark.parametrize("receiver", ["label", "drainage output"])
@given(seed=seeds, classes=counts, alpha=weights, beta=weights, share=st.floats(0.0, 0.999))
def test_propositions_1_and_2_moving_mass_from_a_wrong_class_never_raises_the_loss(
    receiver: str, seed: int, classes: int, alpha: float, beta: float, share: float
) -> None:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(classes + 1, 2.0))
    label = int(rng.integers(classes))
    giver = int(rng.choice([k for k in range(classes) if k != label]))
    moved = p.copy()
    moved[giver] -= share * p[giver]
    moved[label if receiver == "label" else -1] += share * p[giver]
    assert value(moved, label, alpha, beta) <= value(p, label, alpha, beta) + 1e-12


@pytest.mark.parametrize("receiver", ["label", "drainage"])
def test_propositions_are_strict_for_a_real_move(receiver: str) -> None:
    p = np.array([0.2, 0.3, 0.4, 0.1])
    moved = p.copy()
    moved[2] -= 0.2
    moved[0 if receiver == "label" else 3] += 0.2
    assert value(moved, 0, 1.0, 1.0) < value(p, 0, 1.0, 1.0) - 0.1


@given(seed=seeds, classes=counts, alpha=weights, beta=weights)
def test_gradient_is_the_closed_form_and_sums_to_zero(
    seed: int, classes: int, alpha: float, beta: float
) -> None:
    logits, targets = sample(seed, classes)
    logits.requires_grad_(True)
    loss = Drainage(alpha=alpha, beta=beta).loss(logits, targets)
    (got,) = torch.autograd.grad(loss.sum(), logits)
    p = probabilities(logits.detach())
    expected = np.zeros_like(p)
    for i, label in enumerate(targets.tolist()):
        a = alpha * p[i] / p[i, label]
        b = beta * p[i] / p[i, -1]
        a[label] = b[label] = b[-1] = 0.0
        total = 1.0 + a.sum() + b.sum()
        expected[i] = (a + b) / total
        expected[i, label] = -a.sum() / total
        expected[i, -1] = (a[-1] - b.sum()) / total
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(got.sum(dim=1), 0.0, atol=1e-13)


@given(seed=seeds, classes=st.integers(2, 15), alpha=weights, beta=weights)
def test_best_drainage_logit_lies_between_label_and_competitors(
    seed: int, classes: int, alpha: float, beta: float
) -> None:
    logits, targets = sample(seed, classes, rows=1)
    z, label = logits[:, :-1], int(targets[0])
    competitors = torch.logsumexp(torch.cat([z[0, :label], z[0, label + 1 :]]), dim=0)
    best = (0.5 * (z[0, label] + competitors) - 0.5 * math.log(alpha / beta)).item()

    def loss_at(drainage: float) -> float:
        constant = torch.full((1,), drainage, dtype=torch.float64)
        return drainage_loss(z, constant, targets, alpha, beta).item()

    found = minimize_scalar(loss_at, bounds=(best - 30, best + 30), method="bounded")
    assert loss_at(best) <= found.fun + 1e-12
    assert loss_at(best) <= min(loss_at(best - 0.1), loss_at(best + 0.1))


@given(seed=seeds, classes=counts, alpha=weights)
def test_value_at_the_best_drainage_logit(seed: int, classes: int, alpha: float) -> None:
    logits, targets = sample(seed, classes)
    z = logits[:, :-1]
    label = z.gather(1, targets[:, None])
    others = z.scatter(1, targets[:, None], -torch.inf)
    ratio = torch.exp(others - label).sum(dim=1)
    best = 0.5 * (label.squeeze(1) + torch.logsumexp(others, dim=1)) - math.log(alpha)
    got = drainage_loss(z, best, targets, alpha, 1 / alpha)
    expected = torch.log1p(alpha * ratio + 2 * torch.sqrt(ratio))
    torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-14)
    doubled = drainage_loss(z, best + math.log(alpha), targets, 1.0, 1.0)
    torch.testing.assert_close(doubled, 2 * torch.log1p(torch.sqrt(ratio)), rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(CE().loss(z, targets), torch.log1p(ratio), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(
    ("family", "classes", "expected"),
    [
        ("cifar10", 10, 2.9957),
        ("cifar100", 100, 6.9088),
        ("mini_webvision", 50, 6.2066),
        ("clothing1m", 14, 7.1710),
    ],
)
def test_loss_of_an_untrained_network_in_the_published_settings(
    family: str, classes: int, expected: float
) -> None:
    method = baselines.create("drainage", baselines.setting("drainage", family, "official").params)
    equal = torch.full((1, method.num_outputs(classes)), 3.7, dtype=torch.float64)
    got = method.loss(equal, torch.tensor([classes - 1])).item()
    alpha, beta = (float(str(method.params()[key])) for key in ("alpha", "beta"))
    assert got == pytest.approx(math.log(1 + alpha * classes + beta * (classes - 1)), rel=1e-13)
    assert got == pytest.approx(expected, abs=5e-5)


@given(seed=seeds, classes=counts)
def test_extra_output_probability_and_score_are_p_d_over_all_outputs(
    seed: int, classes: int
) -> None:
    logits, _ = sample(seed, classes)
    p_d = probabilities(logits)[:, -1]
    np.testing.assert_allclose(Drainage().extra_output_probability(logits), p_d, rtol=1e-12)
    np.testing.assert_allclose(Drainage().scores(logits)["drainage"], p_d, rtol=1e-12)


def test_extra_output_probability_in_half_precision_is_computed_in_float32() -> None:
    logits = sample(0, 10)[0].to(torch.bfloat16)
    assert torch.equal(
        Drainage().extra_output_probability(logits),
        Drainage().extra_output_probability(logits.float()),
    )


def test_extreme_drainage_logits_saturate_cleanly() -> None:
    logits = torch.tensor([[0.0, 0.0, 1e4], [0.0, 0.0, -1e4]])
    assert Drainage().extra_output_probability(logits).tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alpha": 0}, r"alpha = 0.0 is outside \(0, inf\)"),
        ({"alpha": -1.0}, r"alpha = -1.0 is outside \(0, inf\)"),
        ({"alpha": math.inf}, r"alpha = inf is outside \(0, inf\)"),
        ({"beta": -1e-9}, r"beta = -1e-09 is outside \[0, inf\)"),
        ({"beta": math.nan}, r"beta = nan is outside \[0, inf\)"),
        ({"beta": "1/alpha"}, r"beta = '1/alpha' is not a number or none"),
        ({"alpha": None}, r"alpha = None is not a number"),
        ({"alpha": 5e-324}, r"alpha = 5e-324 is too small for beta = 1/alpha"),
    ],
)
def test_weights_outside_their_ranges_are_refused(params: dict[str, object], message: str) -> None:
    with pytest.raises(MethodError, match=f"method 'drainage': {message}"):
        baselines.create("drainage", params)


def test_two_spellings_of_one_method_have_equal_params() -> None:
    short = baselines.create("drainage", {"alpha": 0.1})
    spelt_out = baselines.create("drainage", {"alpha": 0.1, "beta": 10})
    assert short.params() == spelt_out.params() == {"alpha": 0.1, "beta": 10.0}
