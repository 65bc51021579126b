"""What losses must equal: limits, decompositions, sums over the labels; all in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from nlbench import baselines
from nlbench.baselines import Method, MethodError
from nlbench.baselines.log_odds import log_complements, log_odds
from nlbench.baselines.methods.bi_tempered import tempered_log_softmax
from nlbench.baselines.methods.ldr_kl import positive_shares
from tests.helpers.steps import settings as settings_of
from tests.helpers.steps import value

RATES = st.floats(0.05, 1.0)
few = settings(max_examples=30)
SEEDS = st.integers(0, 2**31)


def sample(seed: int, extra: int = 0, scale: float = 3.0) -> tuple[Tensor, Tensor]:
    """Normal logits with 2 to 40 classes, and labels."""
    rng = np.random.default_rng(seed)
    classes = int(rng.integers(2, 41))
    logits = scale * rng.standard_normal((25, classes + extra))
    return torch.from_numpy(logits), torch.from_numpy(rng.integers(0, classes, 25))


def loss(name: str, logits: Tensor, targets: Tensor, **params: object) -> Tensor:
    return baselines.create(name, params).loss(logits, targets)


def gradient(name: str, logits: Tensor, targets: Tensor, **params: object) -> Tensor:
    leaf = logits.clone().requires_grad_(True)
    (result,) = torch.autograd.grad(loss(name, leaf, targets, **params).sum(), leaf)
    return result


def label_probability(logits: Tensor, targets: Tensor) -> Tensor:
    return torch.softmax(logits, dim=1).gather(1, targets[:, None]).squeeze(1)


def close(got: Tensor, expected: Tensor, rtol: float = 1e-11, atol: float = 1e-13) -> None:
    torch.testing.assert_close(got, expected, rtol=rtol, atol=atol)


# --- limits that are cross-entropy ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "params", "rtol"),
    [
        ("focal", {"gamma": 0.0}, 1e-11),
        ("focal", {"gamma": 0.0, "legacy": True}, 1e-11),
        ("sce", {"alpha": 1.0, "beta": 0.0}, 1e-11),
        ("ls", {"r": 0.0}, 1e-11),
        ("nls", {"r": 0.0}, 1e-11),
        ("bi-tempered", {"t1": 1.0, "t2": 1.0}, 1e-11),
        ("bi-tempered", {"t1": 1.0 - 1e-9, "t2": 1.0 + 1e-9}, 1e-6),
        ("phuber-ce", {"tau": 1e6}, 1e-11),
        ("phuber-gce", {"q": 1e-6, "tau": 1e6}, 1e-4),
        ("logit-clip", {"tau": 1e6}, 1e-11),
        ("js", {"w": 1e-6}, 1e-3),
    ],
    ids=str,
)
@few
@given(seed=SEEDS)
def test_the_limit_is_cross_entropy(
    name: str, params: dict[str, object], rtol: float, seed: int
) -> None:
    logits, targets = sample(seed, scale=1.0)
    close(loss(name, logits, targets, **params), loss("ce", logits, targets), rtol=rtol)


@few
@given(seed=SEEDS, t=st.integers(1, 60))
def test_taylor_is_cross_entropy_but_for_the_rest_of_the_series(seed: int, t: int) -> None:
    """The rest is at most u^(t+1) / ((t + 1) p) with u = 1 - p, and positive."""
    logits, targets = sample(seed)
    p = label_probability(logits, targets)
    gap = loss("ce", logits, targets) - loss("taylor-ce", logits, targets, t=t)
    assert (gap >= -1e-13).all()
    assert (gap <= (1.0 - p) ** (t + 1) / ((t + 1) * p) + 1e-13).all()


@few
@given(seed=SEEDS, tau=st.floats(0.1, 2.0))
def test_sparse_regularisation_without_weight_is_cross_entropy_of_unit_logits(
    seed: int, tau: float
) -> None:
    logits, targets = sample(seed)
    unit = logits / logits.norm(dim=1, keepdim=True)
    got = loss("sr-constant", logits, targets, lam=0.0, tau=tau)
    close(got, loss("ce", unit / tau, targets))


@few
@given(seed=SEEDS)
def test_abstention_and_gambling_without_the_extra_output_are_cross_entropy(seed: int) -> None:
    logits, targets = sample(seed, extra=1)
    logits[:, -1] = -1e3
    expected = loss("ce", logits[:, :-1], targets)
    for name, params in (("dac-constant", {"alpha": 1.0}), ("gambler", {"o": 2.2})):
        close(loss(name, logits, targets, **params), expected)


@few
@given(seed=SEEDS)
def test_gambling_for_a_huge_payoff_is_cross_entropy_over_all_outputs(seed: int) -> None:
    logits, targets = sample(seed, extra=1, scale=1.0)
    close(loss("gambler", logits, targets, o=1e6), loss("ce", logits, targets), rtol=1e-3)


# --- limits and cases that are 1 - p --------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("mae", {"scale": 1.0}),
        ("gce", {"q": 1.0}),
        ("taylor-ce", {"t": 1}),
        ("agce", {"a": 2.0, "q": 1.0}),
        ("aul", {"a": 2.0, "q": 1.0}),
        ("phuber-gce", {"q": 0.5, "tau": 1.0}),
        ("nce+mae", {"alpha": 0.0, "beta": 1.0}),
        ("eps-softmax", {"alpha": 0.0, "beta": 0.5}),
    ],
    ids=str,
)
@few
@given(seed=SEEDS)
def test_the_case_is_one_minus_p(name: str, params: dict[str, object], seed: int) -> None:
    logits, targets = sample(seed)
    got = loss(name, logits, targets, **params)
    close(got, 1.0 - label_probability(logits, targets))


@few
@given(seed=SEEDS, w=st.floats(0.9, 0.999))
def test_js_nears_one_minus_p_as_its_weight_nears_one(seed: int, w: float) -> None:
    """With d = 1 - w: JS = u + (u + p log p) / (-log d) + O(d), where u = 1 - p."""
    logits, targets = sample(seed)
    p = label_probability(logits, targets)
    u, d = 1.0 - p, 1.0 - w
    first_order = u + (u + p * torch.log(p)) / -math.log(d)
    assert ((loss("js", logits, targets, w=w) - first_order).abs() <= 2.0 * d).all()


@few
@given(seed=SEEDS, w=st.floats(0.05, 0.95))
def test_js_is_the_divergence_of_its_definition(seed: int, w: float) -> None:
    logits, targets = sample(seed, scale=1.0)
    p = torch.softmax(logits, dim=1)
    label = torch.nn.functional.one_hot(targets, p.shape[1]).double()
    mixed = w * label + (1.0 - w) * p
    of_label = torch.special.xlogy(label, label / mixed).sum(dim=1)
    of_p = torch.special.xlogy(p, p / mixed).sum(dim=1)
    scale = -(1.0 - w) * math.log(1.0 - w)
    close(loss("js", logits, targets, w=w), (w * of_label + (1.0 - w) * of_p) / scale, 1e-10)


# --- decompositions ------------------------------------------------------------------------------


@few
@given(seed=SEEDS, alpha=RATES, beta=RATES)
def test_sums_are_their_parts(seed: int, alpha: float, beta: float) -> None:
    logits, targets = sample(seed)
    nce, ce = (loss(name, logits, targets) for name in ("nce", "ce"))
    u = 1.0 - label_probability(logits, targets)
    rce = -math.log(1e-4) * u
    passive = {
        "nce+mae": u,
        "nce+rce": rce,
        "nce+agce": loss("agce", logits, targets, a=6.0, q=1.5),
        "nce+aul": loss("aul", logits, targets, a=6.3, q=1.5),
        "nce+ael": loss("ael", logits, targets, a=5.0),
    }
    weights = {"alpha": alpha, "beta": beta}
    for name, part in passive.items():
        close(loss(name, logits, targets, **weights), alpha * nce + beta * part)
    close(loss("sce", logits, targets, **weights), alpha * ce + beta * rce)
    close(loss("ls", logits, targets, r=alpha), smoothed(logits, targets, alpha))
    close(loss("nls", logits, targets, r=-alpha), smoothed(logits, targets, -alpha))


def smoothed(logits: Tensor, targets: Tensor, r: float) -> Tensor:
    """Cross-entropy to the mixed label, as PyTorch has it; r < 0 by the same formula."""
    if r >= 0.0:
        return torch.nn.functional.cross_entropy(
            logits, targets, reduction="none", label_smoothing=r
        )
    label = torch.nn.functional.one_hot(targets, logits.shape[1]).double()
    mixed = (1.0 - r) * label + r / logits.shape[1]
    return -(mixed * torch.log_softmax(logits, dim=1)).sum(dim=1)


@few
@given(seed=SEEDS, t1=st.floats(0.0, 0.99))
def test_bi_tempered_with_a_plain_softmax_is_gce_and_a_rest(seed: int, t1: float) -> None:
    logits, targets = sample(seed)
    p = torch.softmax(logits, dim=1)
    rest = ((p ** (2.0 - t1)).sum(dim=1) - 1.0) / (2.0 - t1)
    gce = loss("gce", logits, targets, q=1.0 - t1)
    close(loss("bi-tempered", logits, targets, t1=t1, t2=1.0), gce + rest)


@few
@given(seed=SEEDS, q=st.floats(0.1, 1.0))
def test_agce_without_a_shift_is_gce(seed: int, q: float) -> None:
    logits, targets = sample(seed, scale=1.0)
    close(loss("agce", logits, targets, a=1e-12, q=q), loss("gce", logits, targets, q=q), 1e-9)


@few
@given(seed=SEEDS)
def test_anl_of_the_focal_loss_without_exponent_is_anl_of_ce(seed: int) -> None:
    logits, targets = sample(seed)
    close(loss("anl-fl", logits, targets, gamma=0.0), loss("anl-ce", logits, targets))


# --- sums over the labels ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "params", "once", "each"),
    [
        ("mae", {}, 0.0, 1.0),
        ("mae", {"scale": 2.0}, 0.0, 2.0),
        ("nce", {}, 1.0, 0.0),
        ("nce+mae", {"alpha": 2.0, "beta": 3.0}, 2.0, 3.0),
        ("nce+rce", {}, 1.0, -math.log(1e-4)),
        ("sce", {"alpha": 0.0, "beta": 1.0}, 0.0, -math.log(1e-4)),
        ("agce", {"q": 1.0}, 0.0, 1.0),
        ("aul", {"q": 1.0}, 0.0, 1.0),
        ("anl-ce", {"alpha": 1.0, "beta": 0.0}, 1.0, 0.0),
        ("anl-ce", {"alpha": 0.0, "beta": 1.0}, 0.0, 1.0),
        ("anl-fl", {"alpha": 1.0, "beta": 0.0}, 1.0, 0.0),
        ("anl-fl", {"alpha": 0.0, "beta": 1.0}, 0.0, 1.0),
    ],
    ids=str,
)
@few
@given(seed=SEEDS)
def test_symmetric_losses_have_a_constant_sum_over_the_labels(
    name: str, params: dict[str, object], once: float, each: float, seed: int
) -> None:
    """The sum is once + each (K - 1), so that uniform noise does not move the minimum (Ghosh)."""
    logits, _ = sample(seed)
    classes = logits.shape[1]
    every = logits.repeat_interleave(classes, dim=0)
    labels = torch.arange(classes).repeat(len(logits))
    sums = loss(name, every, labels, **params).reshape(len(logits), classes).sum(dim=1)
    close(sums, torch.full_like(sums, once + each * (classes - 1)))


def test_cross_entropy_has_no_constant_sum() -> None:
    logits = torch.tensor([[0.0, 0.0], [0.0, 3.0]], dtype=torch.float64)
    sums = sum(loss("ce", logits, torch.full((2,), label)) for label in (0, 1))
    assert isinstance(sums, Tensor)
    assert abs(sums[0] - sums[1]) > 1.0


# --- slopes --------------------------------------------------------------------------------------


@few
@given(seed=SEEDS)
def test_losses_of_p_alone_weight_the_gradient_of_cross_entropy(seed: int) -> None:
    """-dl/dz_t = w(p) (1 - p) with w from methods of the curriculum view."""
    logits, targets = sample(seed)
    p = label_probability(logits, targets)
    weights: dict[tuple[str, tuple[tuple[str, float], ...]], Tensor] = {
        ("ce", ()): torch.ones_like(p),
        ("mae", ()): p,
        ("gce", (("q", 0.7),)): p**0.7,
        ("agce", (("a", 0.6), ("q", 0.6))): p * (0.6 + p) ** (0.6 - 1.0),
        ("aul", (("a", 5.5), ("q", 3.0))): p * (5.5 - p) ** (3.0 - 1.0),
        ("ael", (("a", 2.5),)): p * torch.exp(-p / 2.5) / 2.5,
        ("phuber-ce", (("tau", 3.0),)): torch.minimum(torch.ones_like(p), 3.0 * p),
    }
    ce = gradient("ce", logits, targets)
    for (name, params), weight in weights.items():
        close(gradient(name, logits, targets, **dict(params)), weight[:, None] * ce, 1e-9, 1e-12)


@few
@given(seed=SEEDS, gamma=st.floats(0.1, 3.0))
def test_legacy_focal_has_the_value_of_the_paper_s_and_another_gradient(
    seed: int, gamma: float
) -> None:
    logits, targets = sample(seed)
    p = label_probability(logits, targets)
    close(
        loss("focal", logits, targets, gamma=gamma, legacy=True),
        loss("focal", logits, targets, gamma=gamma),
    )
    detached = gradient("focal", logits, targets, gamma=gamma, legacy=True)
    ce = gradient("ce", logits, targets)
    close(detached, ((1.0 - p) ** gamma)[:, None] * ce, 1e-9, 1e-12)
    whole = 1.0 - gamma * p * torch.log(p) / (1.0 - p)
    close(gradient("focal", logits, targets, gamma=gamma), whole[:, None] * detached, 1e-8, 1e-12)


def test_legacy_logit_clip_jumps_where_the_paper_s_does_not() -> None:
    towards = torch.tensor([[0.6, -0.8]], dtype=torch.float64)
    around = torch.cat([towards * (2.0 - 1e-9), towards * (2.0 + 1e-9)])
    targets = torch.zeros(2, dtype=torch.int64)
    for legacy in (False, True):
        below, above = loss("logit-clip", around, targets, tau=2.0, legacy=legacy)
        assert bool(abs(above - below) < 1e-6) is not legacy
    long = loss("logit-clip", 50.0 * towards, targets[:1], tau=2.0, legacy=True)
    close(long, loss("ce", 0.5 * towards, targets[:1]))


@few
@given(seed=SEEDS, tau=st.floats(1.5, 20.0), q=st.floats(0.05, 0.95))
def test_partially_huberised_losses_bound_the_slope_in_p(seed: int, tau: float, q: float) -> None:
    logits, targets = sample(seed)
    p = label_probability(logits, targets)
    for name, params in (("phuber-ce", {"tau": tau}), ("phuber-gce", {"tau": tau, "q": q})):
        at_label = gradient(name, logits, targets, **params).gather(1, targets[:, None]).squeeze(1)
        slope = -at_label / (p * (1.0 - p))  # dl/dp
        plain = 1.0 / p if name == "phuber-ce" else p ** (q - 1.0)
        close(slope, torch.minimum(plain, torch.full_like(p, tau)), 1e-8, 1e-10)


# --- extra outputs -------------------------------------------------------------------------------


@few
@given(seed=SEEDS, alpha=st.floats(0.0, 5.0), o=st.floats(1.0, 20.0))
def test_abstention_and_gambling_are_their_formulas(seed: int, alpha: float, o: float) -> None:
    logits, targets = sample(seed, extra=1, scale=1.0)
    p = torch.softmax(logits, dim=1)
    p_t, p_a = p.gather(1, targets[:, None]).squeeze(1), p[:, -1]
    ce = -torch.log(p_t / (1.0 - p_a))
    close(
        loss("dac-constant", logits, targets, alpha=alpha),
        (1.0 - p_a) * ce - alpha * torch.log(1.0 - p_a),
    )
    close(loss("gambler", logits, targets, o=o), -torch.log(p_t + p_a / o))


@pytest.mark.parametrize("name", ["dac-constant", "gambler", "drainage"])
def test_the_extra_output_absorbs_rejects_and_never_wins(name: str) -> None:
    method = baselines.create(name)
    logits = torch.tensor([[1.0, 0.0, 2.0], [1.0, 0.0, 0.5]], dtype=torch.float64)
    probability, rejects = method.extra_output_probability(logits), method.rejects(logits)
    assert probability is not None
    assert rejects is not None
    close(probability, torch.softmax(logits, dim=1)[:, -1])
    assert rejects.tolist() == [True, False]
    assert method.predict(logits).tolist() == [0, 0]
    assert method.num_outputs(10) == 11
    assert torch.equal(method.scores(logits)["drainage"], probability)


def test_a_dear_abstention_is_avoided_and_a_cheap_one_taken() -> None:
    logits, targets = torch.zeros(1, 4, dtype=torch.float64), torch.tensor([0])
    slopes = [gradient("dac-constant", logits, targets, alpha=a)[0, -1] for a in (0.1, 10.0)]
    assert slopes[0] < 0.0 < slopes[1]
    # A payoff beyond the odds makes the label's bet the better one: dl/dz_a changes its sign.
    payoffs = [gradient("gambler", logits, targets, o=o)[0, -1] for o in (1.5, 50.0)]
    assert payoffs[0] < 0.0 < payoffs[1]


# --- shared arithmetic ---------------------------------------------------------------------------


@few
@given(seed=SEEDS)
def test_log_odds_and_complements_are_those_of_the_softmax(seed: int) -> None:
    logits, targets = sample(seed, scale=1.0)
    p = torch.softmax(logits, dim=1)
    p_t = label_probability(logits, targets)
    close(log_odds(logits, targets), torch.log(p_t / (1.0 - p_t)), 1e-9, 1e-12)
    close(log_complements(logits), torch.log(1.0 - p), 1e-9, 1e-12)


def test_log_odds_keep_what_a_probability_rounds_away() -> None:
    logits = torch.tensor([[0.0, 60.0, 0.0]], dtype=torch.float64)
    odds = log_odds(logits, torch.tensor([1]))
    assert torch.softmax(logits, dim=1)[0, 1] == 1.0
    close(
        torch.sigmoid(-odds), torch.tensor([2.0 * math.exp(-60.0)], dtype=torch.float64), 1e-12, 0
    )
    assert log_complements(logits)[0, 1].item() == pytest.approx(math.log(2.0) - 60.0, rel=1e-12)


@few
@given(seed=SEEDS, t2=st.floats(1.0, 10.0), scale=st.floats(0.0, 1e4))
def test_the_tempered_softmax_sums_to_one(seed: int, t2: float, scale: float) -> None:
    logits, _ = sample(seed, scale=scale)
    total = tempered_log_softmax(logits, t2).exp().sum(dim=1)
    close(total, torch.ones_like(total), 1e-12)


@few
@given(seed=SEEDS, t2=st.floats(1.01, 5.0))
def test_the_derivative_of_the_tempered_softmax_is_the_escort_s(seed: int, t2: float) -> None:
    """dp_k/dz_j = p_k^t2 (delta_kj - q_j) with q = p^t2 / sum p^t2."""
    row = sample(seed)[0][0]
    p = tempered_log_softmax(row[None], t2)[0].exp()
    escort = p**t2
    expected = torch.diag(escort) - torch.outer(escort, escort / escort.sum())
    leaf = row.clone().requires_grad_(True)
    shares = tempered_log_softmax(leaf[None], t2)[0].exp()
    rows = [torch.autograd.grad(share, leaf, retain_graph=True)[0] for share in shares]
    close(torch.stack(rows), expected, 1e-8, 1e-12)


def test_positive_shares_stay_finite_where_every_softplus_underflows() -> None:
    logits = torch.tensor([[-1e4, -1e4, -1e4], [-800.0, -801.0, -900.0]], dtype=torch.float64)
    shares = positive_shares(logits)
    close(shares[0], torch.ones(3, dtype=torch.float64))
    close(shares[1], 3.0 * torch.softmax(logits[1], dim=0))
    mild = torch.linspace(-40.0, 40.0, 9, dtype=torch.float64)[None]
    softplus = torch.nn.functional.softplus(mild)
    close(positive_shares(mild), softplus / softplus.mean())


# --- losses of other releases that are one of ours, but for a factor or a constant ----------------


@pytest.mark.parametrize("function", ["boot_soft_gjs", "label_smoothing_kl", "js_unscaled"])
def test_the_same_loss_of_another_release(function: str) -> None:
    classes = 10
    logits, targets = (value(f"inputs/common/K{classes}/{part}") for part in ("logits", "targets"))
    for setting, numbers in settings_of(function):
        t, w = numbers.get("t", 0.5), numbers.get("w", 0.5)
        label = torch.full((classes,), t / classes, dtype=torch.float64)
        label[0] += 1.0 - t
        name, params, factor, constant = {
            "boot_soft_gjs": ("boot-soft", {"beta": 1.0 - t}, 1.0, 0.0),
            # The divergence from the smoothed label instead of the cross-entropy.
            "label_smoothing_kl": ("ls", {"r": t}, 1.0, float((label * label.log()).sum())),
            "js_unscaled": ("js", {"w": w}, -(1.0 - w) * math.log(1.0 - w), 0.0),
        }[function]
        leaf = logits.clone().requires_grad_()
        losses = factor * loss(name, leaf, targets, **params) + constant
        (slopes,) = torch.autograd.grad(losses.mean(), leaf)
        key = f"{function}/{setting}/K{classes}"
        off = (losses.detach() - value(f"{key}/loss")).abs()
        assert (off <= value(f"{key}/loss_tol") * (1 + 1e-9) + 1e-11).all()
        off = (slopes - value(f"{key}/grad")).abs().amax(dim=1)
        assert (off <= value(f"{key}/grad_tol") * (1 + 1e-9) + 1e-11).all()


# --- what wrong values are told -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("mae", {"scale": 0.0}, r"scale = 0.0 is outside \(0, inf\)"),
        ("aul", {"a": 1.0}, r"a = 1.0 is outside \(1, 100\]"),
        ("taylor-ce", {"t": 0}, r"t = 0 is outside \[1, 1000\]"),
        ("taylor-ce", {"t": 2.5}, "t = 2.5 is not a whole number"),
        ("bi-tempered", {"t2": 0.9}, r"t2 = 0.9 is outside \[1, 10\]"),
        ("ls", {"r": -0.1}, r"r = -0.1 is outside \[0, 1\]"),
        ("nls", {"r": 0.1}, r"r = 0.1 is outside \[-100, 0\]"),
        ("gambler", {"o": 0.5}, r"o = 0.5 is outside \[1, 1e6\]"),
        ("dac-constant", {"alpha": -1.0}, r"alpha = -1.0 is outside \[0, inf\)"),
        ("focal", {"legacy": 1}, "legacy = 1 is not true or false"),
        ("js", {"w": 1.0}, r"w = 1.0 is outside \[1e-6, 0.999\]"),
    ],
)
def test_values_outside_their_range_are_refused(
    name: str, params: dict[str, object], message: str
) -> None:
    with pytest.raises(MethodError, match=message):
        baselines.create(name, params)


def extremes(name: str) -> list[Method]:
    """The method with each hyper-parameter at the finite ends of its range, one at a time."""
    found = []
    for shown in baselines.get(name).hyperparameters():
        ends = shown.range.strip("[]()").split(", ") if shown.range else []
        for end in (float(end) for end in ends if "inf" not in end):
            value = int(end) if shown.type == "int" else end
            try:
                found.append(baselines.create(name, {shown.name: value}))
            except MethodError:  # an open end
                continue
    return found


@pytest.mark.parametrize("name", sorted(set(baselines.names()) - {"drainage", "drainage-constant"}))
def test_the_ends_of_each_range_give_finite_losses_and_gradients(name: str) -> None:
    for method in extremes(name):
        logits, targets = sample(1, extra=method.extra_outputs)
        for dtype in (torch.float32, torch.float64):
            leaf = logits.to(dtype).requires_grad_(True)
            losses = method.loss(leaf, targets)
            (slope,) = torch.autograd.grad(losses.sum(), leaf)
            assert torch.isfinite(losses).all(), method
            assert torch.isfinite(slope).all(), method
