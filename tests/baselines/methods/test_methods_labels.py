"""Methods that doubt single labels against their released code, and what they must equal."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from nlbench import baselines
from nlbench.baselines import Mixed
from nlbench.baselines.methods import cores, peer, plc
from tests.helpers.steps import Bench, facts_of, settings, value

K = 3
LOGITS, LOGITS2, TARGETS = (
    value(f"inputs/common/K{K}/{name}") for name in ("logits", "logits2", "targets")
)
IDS = torch.arange(len(TARGETS))


def close(found: Tensor, expected: Tensor, rtol: float = 1e-10, atol: float = 1e-12) -> None:
    torch.testing.assert_close(found, expected, rtol=rtol, atol=atol)


@pytest.mark.parametrize(
    ("function", "name"), [("boot_soft", "boot-soft"), ("boot_hard", "boot-hard")]
)
def test_bootstrapping_is_the_release(function: str, name: str) -> None:
    ((setting, numbers),) = settings(function)
    leaf = LOGITS.clone().requires_grad_()
    losses = baselines.create(name, {"beta": numbers["beta"]}).loss(leaf, TARGETS)
    (slopes,) = torch.autograd.grad(losses.mean(), leaf)
    key = f"{function}/{setting}/K{K}"
    off = (losses.detach() - value(f"{key}/loss")).abs()
    assert (off <= value(f"{key}/loss_tol") * (1 + 1e-9) + 1e-11).all()
    off = (slopes - value(f"{key}/grad")).abs().amax(dim=1)
    assert (off <= value(f"{key}/grad_tol") * (1 + 1e-9) + 1e-11).all()
    close(losses.detach(), value(f"{key}/loss_exact"), rtol=1e-9)


@pytest.mark.parametrize(("setting", "numbers"), settings("truncated_gce"))
def test_truncated_gce_is_the_release(setting: str, numbers: dict[str, float]) -> None:
    key = f"truncated_gce/{setting}/K{K}"
    method, facts = baselines.create("truncated-gce", numbers), facts_of(TARGETS, K)
    bench = Bench(method, facts)
    step, _ = bench.step([[LOGITS]], IDS)
    close(step.losses[0].detach(), value(f"{key}/loss_before"))
    method.begin_epoch(bench.state, facts, 5, LOGITS2[None])
    weight = bench.state.rows["weight"]
    assert torch.equal(weight, value(f"{key}/weight").to(weight.dtype))
    step, ((slope,),) = bench.step([[LOGITS]], IDS)
    close((step.weights[0] * step.losses[0]).detach(), value(f"{key}/loss"))
    known = ~value(f"{key}/grad").isnan()  # the release has none where p_y is 0
    close(slope[known], value(f"{key}/grad")[known])
    assert slope.isfinite().all()


def test_truncated_gce_renews_as_often_as_published_and_only_what_is_trained_on() -> None:
    for family, first, epochs in (("cifar10", 40, 120), ("cifar100", 80, 150)):
        params = baselines.setting("truncated-gce", family, "matched").params
        method = baselines.create("truncated-gce", params)
        facts = facts_of(TARGETS, K, epochs=epochs, trained=IDS[::2])
        renewals = [epoch + 1 for epoch in range(epochs) if method.wants_sweep(facts, epoch)]
        assert renewals == list(range(first, epochs + 1, 10))
    bench = Bench(method, facts)
    method.begin_epoch(bench.state, facts, 80, LOGITS[None])
    assert (bench.state.rows["weight"][1::2] == 1.0).all()
    assert (bench.state.rows["weight"][::2] == 0.0).any()


@pytest.mark.parametrize(
    ("epoch", "prior"), [(epoch, prior) for epoch in (5, 20, 31, 45) for prior in ("none", "given")]
)
def test_cores_is_the_release(epoch: int, prior: str) -> None:
    key = f"cores/epoch={epoch},prior={prior}/K{K}"
    method, facts = baselines.create("cores2"), facts_of(TARGETS, K, epochs=100)
    bench = Bench(method, facts)
    even = torch.full((K,), 1.0 / K, dtype=torch.float64)
    bench.state.put("prior", even if prior == "none" else value(f"inputs/cores/K{K}/prior"))
    method.begin_epoch(bench.state, facts, epoch, None)
    beta = value(f"{key}/beta")
    close(bench.state.globals["weight"], beta)
    step, ((slope,),) = bench.step([[LOGITS]], IDS)
    counts = bench.state.rows["counts"]
    assert torch.equal(counts, value(f"{key}/weights").to(counts.dtype))
    close(step.objective().detach() * (1.0 + beta), value(f"{key}/batch_loss"))
    close(slope * (1.0 + beta), value(f"{key}/grad"))


def test_cores_counts_the_labels_of_the_samples_that_are_left() -> None:
    method, facts = baselines.create("cores2"), facts_of(TARGETS, K, trained=IDS[:30])
    bench = Bench(method, facts)
    close(bench.state.globals["prior"], torch.bincount(TARGETS, minlength=K).double() / 40.0)
    bench.state.rows["counts"][:10] = 0.0
    method.end_epoch(bench.state, facts, 0)
    left = torch.bincount(TARGETS[10:30], minlength=K).double() / 20.0
    close(bench.state.globals["prior"], left)
    bench.state.put("counts", 0.0)
    method.end_epoch(bench.state, facts, 1)
    close(bench.state.globals["prior"], left)


def test_a_sieve_that_keeps_nothing_gives_no_step_and_no_nan() -> None:
    bench = Bench(baselines.create("cores2"), facts_of(TARGETS, K))
    bench.state.put("sieving", True)
    wrong = -5.0 * F.one_hot(TARGETS, K).double()
    step, ((slope,),) = bench.step([[wrong]], IDS)
    assert step.objective() == 0.0
    assert not slope.any()


def test_the_weight_of_cores_rises_as_in_the_release() -> None:
    shares = [cores.ramp(epoch) for epoch in range(100)]
    close(2.0 * torch.tensor(shares, dtype=torch.float64), value("cores/schedule/K10/beta"))


PEER = [(setting, numbers) for setting, numbers in settings("peer") if "alpha" in numbers]


@pytest.mark.parametrize(("setting", "numbers"), PEER)
def test_peer_is_the_release(setting: str, numbers: dict[str, float]) -> None:
    key = f"peer/{setting}/K{K}"
    first, second = (value(f"inputs/common/K{K}/perm{number}") for number in (1, 2))
    method = baselines.create("peer")
    leaves = [LOGITS.clone().requires_grad_(), LOGITS2.clone().requires_grad_()]
    own = method.loss(leaves[0], TARGETS)
    close(own.detach(), value(f"{key}/ce_per_sample"))
    other = method.loss(leaves[1][first], TARGETS[second])
    total = own.mean() - numbers["alpha"] * other.mean()
    close(total.detach(), value(f"{key}/batch_loss"))
    slopes = torch.autograd.grad(total, leaves)
    close(slopes[0], value(f"{key}/grad"))
    close(slopes[1], value(f"{key}/grad_peer"))
    # In a step both terms see the same images: the pairs are what counts.
    bench = Bench(method, facts_of(TARGETS, K))
    bench.state.put("weight", numbers["alpha"])
    mixed = Mixed(torch.ones((), dtype=torch.float64), first)
    step, _ = bench.step([[LOGITS]], IDS, mixed)
    leaf = LOGITS.clone().requires_grad_()
    expected = method.loss(leaf, TARGETS) - numbers["alpha"] * method.loss(leaf, TARGETS[first])
    close(step.losses[0] * (1.0 + numbers["alpha"]), expected)


def test_peer_without_its_term_is_the_bounded_cross_entropy() -> None:
    method, facts = baselines.create("peer", {"alpha": 0.0}), facts_of(TARGETS, K)
    bench = Bench(method, facts)
    method.begin_epoch(bench.state, facts, 9, None)
    mixed = Mixed(torch.ones((), dtype=torch.float64), IDS.flip(0))
    step, _ = bench.step([[LOGITS]], IDS, mixed)
    assert torch.equal(step.losses[0], method.loss(LOGITS, TARGETS))
    ce = F.cross_entropy(LOGITS, TARGETS, reduction="none")
    # log(p + e) is above log p by at most e / p.
    assert (ce - step.losses[0] <= peer.EDGE * ce.exp() + 1e-12).all()
    assert (step.losses[0] <= -torch.tensor(peer.EDGE).log().double() + 1e-6).all()


def test_the_weight_of_the_peer_term_is_the_release_s_of_300_epochs() -> None:
    method, facts = baselines.create("peer"), facts_of(TARGETS, K, epochs=300)
    bench = Bench(method, facts)
    found = []
    for epoch in range(facts.epochs):
        method.begin_epoch(bench.state, facts, epoch, None)
        found.append(bench.state.globals["weight"].clone())
    close(torch.stack(found), value("peer/schedule,other/K10/alpha"))


@pytest.mark.parametrize(("setting", "numbers"), settings("plc"))
def test_plc_corrects_as_the_release_does(setting: str, numbers: dict[str, float]) -> None:
    key = f"plc/{setting}/K{K}"
    theta = torch.tensor(numbers["theta"], dtype=torch.float64)
    labels, after = plc.corrected(LOGITS[:32].softmax(dim=1), TARGETS[:32], theta)
    assert torch.equal(labels, value(f"{key}/labels"))
    close(after, value(f"{key}/theta"))


def test_plc_averages_the_last_epochs_and_leaves_held_out_labels_alone() -> None:
    method = baselines.create("plc", {"theta": 0.9, "start": 0.0, "window": 2})
    facts = facts_of(TARGETS, K, trained=IDS[:30], epochs=3)
    bench = Bench(method, facts)
    drawn = [torch.randn(40, K, dtype=torch.float64) for _ in range(3)]
    labels = TARGETS[:30]
    for epoch, logits in enumerate(drawn):
        method.begin_epoch(bench.state, facts, epoch, None)
        step, _ = bench.step([[logits]], IDS[:40])
        expected = F.cross_entropy(logits[:30], labels, reduction="none")
        assert torch.equal(step.losses[0][:30], expected)
        method.end_epoch(bench.state, facts, epoch)
        seen = torch.stack([one.softmax(dim=1) for one in drawn[max(0, epoch - 1) : epoch + 1]])
        theta = torch.tensor(0.9, dtype=torch.float64)
        labels, _ = plc.corrected(seen.mean(dim=0)[:30], labels, theta)
        assert torch.equal(bench.state.rows["label"][:30], labels)
    assert (labels != TARGETS[:30]).any()
    assert torch.equal(bench.state.rows["label"][30:], TARGETS[30:])


def test_a_threshold_that_changes_nothing_rises_to_its_end() -> None:
    sure = 9.0 * F.one_hot(TARGETS, K).double()
    theta = torch.tensor(0.75, dtype=torch.float64)
    seen = []
    for _ in range(3):
        _, theta = plc.corrected(sure.softmax(dim=1), TARGETS, theta)
        seen.append(float(theta))
    assert seen == pytest.approx([0.85, 0.9, 0.9])
