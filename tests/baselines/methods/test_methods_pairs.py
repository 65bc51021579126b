"""Methods of two networks or two views against their released code, and what they must equal."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from nlbench import baselines
from nlbench.baselines import small_loss
from nlbench.baselines.methods.gjs import divergence
from tests.helpers.steps import Bench, facts_of, settings, value

K = 3
FIRST, SECOND, TARGETS = (
    value(f"inputs/common/K{K}/{name}") for name in ("logits", "logits2", "targets")
)
IDS = torch.arange(len(TARGETS))


def close(found: Tensor, expected: Tensor, rtol: float = 1e-10) -> None:
    torch.testing.assert_close(found, expected, rtol=rtol, atol=1e-12)


@pytest.mark.parametrize(("setting", "numbers"), settings("jocor"))
def test_jocor_is_the_release(setting: str, numbers: dict[str, float]) -> None:
    params = {"forget": numbers["forget"], "lam": numbers["co_lambda"]}
    method = baselines.create("jocor", params)
    facts = facts_of(TARGETS[:32], K)
    bench = Bench(method, facts)
    method.begin_epoch(bench.state, facts, 9, None)
    step, slopes = bench.step([[FIRST[:32]], [SECOND[:32]]], IDS[:32])
    key = f"jocor/{setting}/K{K}"
    assert torch.equal(step.weights[0].nonzero().flatten(), value(f"{key}/selected"))
    close(step.objective().detach(), value(f"{key}/loss"))
    close(slopes[0][0], value(f"{key}/grad1"))
    close(slopes[1][0], value(f"{key}/grad2"))


def test_equal_networks_agree_for_jocor() -> None:
    facts = facts_of(TARGETS, K)
    bench = Bench(baselines.create("jocor", {"lam": 0.4, "forget": 0.0}), facts)
    step, slopes = bench.step([[FIRST], [FIRST]], IDS)
    label = F.cross_entropy(FIRST, TARGETS, reduction="none")
    close(step.losses[0].detach(), 0.6 * label)
    assert torch.equal(slopes[0][0], slopes[1][0])


@pytest.mark.parametrize(("setting", "numbers"), settings("coteaching_plus"))
def test_coteaching_plus_is_the_release_with_its_double_softmax(
    setting: str, numbers: dict[str, float]
) -> None:
    key = f"coteaching_plus/{setting}/K{K}"
    targets = value(f"{key}/in_labels")
    logits = [[value(f"{key}/in_logits{number}")] for number in (1, 2)]
    params = {"forget": numbers["forget"], "start": 0.0, "legacy": True}
    method, facts = baselines.create("coteaching+", params), facts_of(targets, K)
    bench = Bench(method, facts)
    method.begin_epoch(bench.state, facts, 9, None)
    step, _ = bench.step(logits, torch.arange(32))
    for member, other in ((0, 2), (1, 1)):
        kept = step.weights[member].nonzero().flatten()
        assert len(kept) == int(value(f"{key}/num_remember"))
        assert torch.equal(kept, value(f"{key}/selected_by_net{other}"))
        mean = (step.weights[member] * step.losses[member]).mean().detach()
        close(mean, value(f"{key}/mean_loss{member + 1}"))
    plain = Bench(baselines.create("coteaching+", {**params, "legacy": False}), facts)
    plain.state.put("apart", True)
    step, _ = plain.step(logits, torch.arange(32))
    close(step.losses[0].detach(), F.cross_entropy(logits[0][0], targets, reduction="none"))


def test_coteaching_plus_is_coteaching_until_it_looks_at_disagreement() -> None:
    facts = facts_of(TARGETS, K)
    steps = []
    for name, params in (("coteaching", {}), ("coteaching+", {"start": 1.0, "legacy": True})):
        method = baselines.create(name, {"forget": 0.37, **params})
        bench = Bench(method, facts)
        method.begin_epoch(bench.state, facts, 9, None)
        steps.append(bench.step([[FIRST], [SECOND]], IDS)[0])
    for one, other in zip(*(step.losses + step.weights for step in steps), strict=True):
        assert torch.equal(one, other)


def test_without_disagreement_coteaching_plus_takes_no_step() -> None:
    method, facts = (
        baselines.create("coteaching+", {"start": 0.0, "forget": 0.2}),
        facts_of(TARGETS, K),
    )
    bench = Bench(method, facts)
    method.begin_epoch(bench.state, facts, 9, None)
    step, slopes = bench.step([[FIRST], [FIRST]], IDS)
    assert step.objective() == 0.0
    assert not slopes[0][0].any()


def test_a_share_among_candidates_is_counted_as_in_python() -> None:
    losses = torch.randn(97, generator=torch.Generator().manual_seed(0))
    for rate in (0.0, 0.1, 0.2, 0.3, 0.45, 0.7):
        share = torch.tensor(1.0 - rate, dtype=torch.float64)
        for candidates in (torch.ones(97).bool(), losses > 0.0):
            n = int(candidates.sum())
            kept = small_loss.smallest_among(losses, candidates, share) > 0.0
            assert int(kept.sum()) == int((1.0 - rate) * n)
            assert not (kept & ~candidates).any()
            highest = losses[kept].max()
            assert (losses[candidates & ~kept] >= highest).all()


@pytest.mark.parametrize("setting", [setting for setting, _ in settings("gjs")])
def test_gjs_is_the_release(setting: str) -> None:
    weights = [float(number) for number in setting.removeprefix("w=").split(",")]
    leaves = [FIRST.clone().requires_grad_(), SECOND.clone().requires_grad_()]
    losses = divergence(leaves, TARGETS, weights)
    slopes = torch.autograd.grad(losses.mean(), leaves)
    key = f"gjs/{setting}/K{K}"
    for found, name in ((losses.detach(), "loss"), (slopes[0], "grad"), (slopes[1], "grad2")):
        off = (found - value(f"{key}/{name}")).abs()
        off = off if off.ndim == 1 else off.amax(dim=1)
        assert (off <= value(f"{key}/{name}_tol") * (1 + 1e-9) + 1e-11).all(), name


def test_gjs_takes_the_label_s_weight_and_halves_the_rest() -> None:
    step, _ = Bench(baselines.create("gjs", {"w": 0.3}), facts_of(TARGETS, K)).step(
        [[FIRST, SECOND]], IDS
    )
    close(step.losses[0].detach(), divergence([FIRST, SECOND], TARGETS, (0.3, 0.35, 0.35)))


@pytest.mark.parametrize("w", [0.01, 0.3, 0.9])
def test_gjs_of_two_equal_views_is_js(w: float) -> None:
    logits = FIRST[:32]
    gjs, js = baselines.create("gjs", {"w": w}), baselines.create("js", {"w": w})
    step, _ = Bench(gjs, facts_of(TARGETS[:32], K)).step([[logits, logits]], IDS[:32])
    close(step.losses[0].detach(), js.loss(logits, TARGETS[:32]), rtol=1e-6)
