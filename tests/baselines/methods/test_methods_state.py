"""Methods with state against their released code, step by step, and the identities they obey."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from nlbench import baselines
from nlbench.baselines import Facts, Mixed, small_loss
from tests.helpers.steps import Bench, facts_of, reference, settings, value

K = 3


def close(found: Tensor, expected: Tensor, rtol: float = 1e-10) -> None:
    torch.testing.assert_close(found, expected, rtol=rtol, atol=1e-12)


def steps_of(function: str, setting: str, at: int) -> Tensor:
    """Logits of a step: shared by most functions."""
    own = f"{function}/{setting}/K{K}/in_logits"
    return value(own if own in reference() else f"inputs/steps/K{K}/logits")[at]


def steps_facts(**changes: object) -> tuple[Facts, Tensor]:
    """Facts of the run that the file's steps belong to, and the ids of its batch."""
    ids, labels = value(f"inputs/steps/K{K}/index"), value(f"inputs/steps/K{K}/labels")
    given = torch.zeros(int(value(f"inputs/steps/K{K}/num_examples")), dtype=torch.int64)
    given[ids] = labels
    return facts_of(given, K, **changes), ids


@pytest.mark.parametrize(("setting", "numbers"), settings("elr"))
def test_elr_is_the_release(setting: str, numbers: dict[str, float]) -> None:
    method = baselines.create("elr", {"beta": numbers["beta"], "lam": numbers["lambda"]})
    facts, ids = steps_facts()
    bench = Bench(method, facts)
    key = f"elr/{setting}/K{K}"
    for at in range(5):
        step, ((slope,),) = bench.step([[steps_of("elr", setting, at)]], ids)
        close(step.losses[0], value(f"{key}/loss")[at])
        close(slope, value(f"{key}/grad")[at])
        close(bench.state.rows["target"], value(f"{key}/targets")[at])


def test_selc_is_the_release() -> None:
    ((setting, _),) = settings("selc")
    facts, ids = steps_facts(epochs=10)
    method = baselines.create("selc", {"momentum": 0.9, "start": 0.1})
    bench = Bench(method, facts)
    key = f"selc/{setting}/K{K}"
    bench.state.put("label", value(f"{key}/in_soft_labels0"))
    for epoch in range(4):
        method.begin_epoch(bench.state, facts, epoch, None)
        step, ((slope,),) = bench.step([[steps_of("selc", setting, epoch)]], ids)
        close(step.objective(), value(f"{key}/batch_loss")[epoch])
        close(slope, value(f"{key}/grad")[epoch])
        close(bench.state.rows["label"], value(f"{key}/soft_labels")[epoch])


@pytest.mark.parametrize(("setting", "numbers"), settings("sop"))
def test_sop_is_the_release(setting: str, numbers: dict[str, float]) -> None:
    rates = {"lr_u": numbers["lr_u"], "lr_v": numbers["lr_v"]}
    both = numbers["consistency"] > 0.0
    extra = {"consistency": numbers["consistency"], "balance": numbers["balance"]}
    method = baselines.create("sop+" if both else "sop", {**rates, **(extra if both else {})})
    facts, ids = steps_facts()
    bench = Bench(method, facts)
    key = f"sop/{setting}/K{K}"
    bench.state.put("u", value(f"{key}/in_u0"))
    bench.state.put("v", value(f"{key}/in_v0"))
    for at in range(3):
        second = value(f"inputs/steps/K{K}/logits2")[at]
        views = [steps_of("sop", setting, at), *([second] if both else [])]
        step, (slopes,) = bench.step([views], ids)
        close(step.objective(), value(f"{key}/batch_loss")[at])
        close(slopes[0], value(f"{key}/grad")[at])
        if both:
            close(slopes[1], value(f"{key}/grad2")[at])
        for name in ("u", "v"):
            found, expected = bench.state.rows[name], value(f"{key}/{name}")[at]
            assert ((found - expected).abs() <= 1e-9 * expected.abs()).all()


@pytest.mark.parametrize(("setting", "numbers"), settings("mixup"))
def test_mixup_is_the_release(setting: str, numbers: dict[str, float]) -> None:
    targets, partner = (value(f"inputs/common/K{K}/{name}") for name in ("targets", "perm1"))
    bench = Bench(baselines.create("mixup"), facts_of(targets, K))
    mixed = Mixed(torch.tensor(numbers["lam"], dtype=torch.float64), partner)
    logits = value(f"inputs/common/K{K}/logits")
    step, ((slope,),) = bench.step([[logits]], torch.arange(len(targets)), mixed)
    key = f"mixup/{setting}/K{K}"
    close(step.losses[0], value(f"{key}/loss"))
    close(slope, value(f"{key}/grad"))


@pytest.mark.parametrize(("setting", "numbers"), settings("coteaching"))
def test_coteaching_is_the_release(setting: str, numbers: dict[str, float]) -> None:
    targets = value(f"inputs/common/K{K}/targets")[:32]
    method = baselines.create("coteaching", {"forget": numbers["forget"]})
    facts = facts_of(targets, K)
    bench = Bench(method, facts)
    method.begin_epoch(bench.state, facts, 9, None)
    logits = [[value(f"inputs/common/K{K}/{name}")[:32]] for name in ("logits", "logits2")]
    step, _ = bench.step(logits, torch.arange(32))
    key = f"coteaching/{setting}/K{K}"
    assert bench.state.globals["keep_32"] == int(value(f"{key}/num_remember"))
    for member, other in ((0, 2), (1, 1)):
        kept = step.weights[member].nonzero().flatten()
        assert torch.equal(kept, value(f"{key}/selected_by_net{other}"))
        mean = (step.weights[member] * step.losses[member]).mean()
        close(mean, value(f"{key}/mean_loss{member + 1}"))


@pytest.mark.parametrize(("setting", "numbers"), settings("coteaching_schedule"))
def test_the_forget_rate_is_the_release_s(setting: str, numbers: dict[str, float]) -> None:
    rates = value(f"coteaching_schedule/{setting}/K0/rate").tolist()
    mine = [small_loss.forget_rate(epoch, numbers["forget"], 10) for epoch in range(200)]
    assert mine == rates


def test_dac_with_its_schedule_is_the_release() -> None:
    ((setting, numbers),) = settings("dac_schedule")
    key, epochs = f"dac_schedule/{setting}/K{K}", int(numbers["total"])
    params = {"alpha": numbers["alpha_final"], "factor": numbers["init_factor"]}
    method = baselines.create("dac", {**params, "start": numbers["learn"] / epochs})
    logits, targets = (value(f"inputs/dac/K{K}/{name}") for name in ("logits", "targets"))
    facts = facts_of(targets[0, 0], K, epochs=epochs)
    bench = Bench(method, facts)
    for at in range(2 * epochs):
        epoch, batch = divmod(at, 2)
        if batch == 0:
            method.begin_epoch(bench.state, facts, epoch, None)
        facts.given.copy_(targets[epoch, batch])
        step, ((slope,),) = bench.step([[logits[epoch, batch]]], torch.arange(targets.shape[2]))
        close(step.objective(), value(f"{key}/batch_loss")[at])
        close(slope, value(f"{key}/grad")[at])
        known = bench.state.globals
        close(known["mean"], value(f"{key}/ewma")[at])
        alpha = known["first"] + known["share"] * (numbers["alpha_final"] - known["first"])
        assert bool(known["abstaining"]) is bool(value(f"{key}/alpha")[at].isfinite())
        if known["abstaining"]:
            close(alpha, value(f"{key}/alpha")[at])


def test_dac_without_a_rise_is_that_with_a_constant_price() -> None:
    logits, facts = torch.randn(20, K + 1, dtype=torch.float64), facts_of(torch.arange(20) % K, K)
    method = baselines.create("dac", {"start": 0.0, "alpha": 0.7})
    bench = Bench(method, facts)
    method.begin_epoch(bench.state, facts, facts.epochs - 1, None)
    step, _ = bench.step([[logits]], torch.arange(20))
    close(
        step.losses[0], baselines.create("dac-constant", {"alpha": 0.7}).loss(logits, facts.given)
    )


@pytest.mark.parametrize(("epoch", "betting"), [(0, False), (3, False), (4, True), (9, True)])
def test_the_gambler_s_first_phase_is_cross_entropy_of_the_classes(
    epoch: int, betting: bool
) -> None:
    logits, facts = torch.randn(20, K + 1, dtype=torch.float64), facts_of(torch.arange(20) % K, K)
    method = baselines.create("gambler-pretrained", {"o": 2.2, "start": 0.4})
    bench = Bench(method, facts)
    method.begin_epoch(bench.state, facts, epoch, None)
    step, ((slope,),) = bench.step([[logits]], torch.arange(20))
    plain = F.cross_entropy(logits[:, :-1], facts.given, reduction="none")
    bets = baselines.create("gambler", {"o": 2.2}).loss(logits, facts.given)
    assert torch.equal(step.losses[0], bets if betting else plain)
    assert bool(slope[:, -1].any()) is betting


@pytest.mark.parametrize(("epoch", "growth"), [(0, 1.0), (4, 1.0), (5, 2.0), (14, 4.0)])
def test_the_weight_of_sr_grows_by_rho(epoch: int, growth: float) -> None:
    """With the released values for MNIST: doubled after every fifth epoch."""
    logits, facts = torch.randn(20, K, dtype=torch.float64), facts_of(torch.arange(20) % K, K)
    method = baselines.create("sr", {"lam": 4.0, "rho": 2.0, "every": 5})
    bench = Bench(method, facts)
    method.begin_epoch(bench.state, facts, epoch, None)
    step, ((slope,),) = bench.step([[logits]], torch.arange(20))
    same = baselines.create("sr-constant", {"lam": 4.0 * growth})
    other, ((its,),) = Bench(same, facts).step([[logits]], torch.arange(20))
    close(step.losses[0], other.losses[0])
    close(slope, its)


@pytest.mark.parametrize(("setting", "numbers"), settings("cdr"))
def test_cdr_is_the_release(setting: str, numbers: dict[str, float]) -> None:
    names = ("W1", "b1", "W2", "b2")
    stored = {name: value(f"inputs/tiny_tanh_network/K{K}/{name}") for name in names}
    weights = {name: tensor.clone().requires_grad_() for name, tensor in stored.items()}
    x, labels = (value(f"inputs/tiny_tanh_network/K{K}/{name}") for name in ("x", "labels"))
    method = baselines.create("cdr", {"tau": 1.0 - numbers["kept"]})
    state = method.begin(facts_of(labels, K))
    sgd = torch.optim.SGD(weights.values(), lr=0.1, momentum=0.9, weight_decay=1e-3)
    for at in range(3):
        hidden = torch.tanh(F.linear(x, weights["W1"], weights["b1"]))
        loss = F.cross_entropy(F.linear(hidden, weights["W2"], weights["b2"]), labels)
        sgd.zero_grad()
        torch.autograd.backward(loss)
        gradients = {name: w.grad for name, w in weights.items() if w.grad is not None}
        with torch.no_grad():
            method.after_backward(0, {n: w.detach() for n, w in weights.items()}, gradients, state)
        sgd.step()
        flat = torch.cat([w.detach().flatten() for w in weights.values()])
        close(flat, value(f"cdr/{setting}/K{K}/weights_after_step")[at])


@pytest.mark.parametrize("name", ["elr", "selc", "sop", "sop+", "plc", "cores2", "disc"])
def test_state_goes_with_the_sample_and_not_with_its_place(name: str) -> None:
    """Two batches under other ids: the same rows, each at its sample's new id."""
    method, count = baselines.create(name), 20
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    given = torch.arange(count) % K
    moved = torch.empty_like(given)
    moved[order] = given
    one, other = (Bench(method, facts_of(labels, K, epochs=1)) for labels in (given, moved))
    for key, rows in one.state.rows.items():
        other.state.rows[key][order] = rows
    for bench in (one, other):
        method.begin_epoch(bench.state, bench.facts, 9, None)
    for at in (slice(0, 12), slice(8, 20)):
        size = at.stop - at.start
        logits = [[torch.randn(size, K, dtype=torch.float64) for _ in range(method.views)]]
        one.step(logits, torch.arange(count)[at])
        other.step(logits, order[at])
    for key, rows in one.state.rows.items():
        close(other.state.rows[key][order], rows)


@pytest.mark.parametrize("tau", [0.0, 0.2, 0.45, 0.9])
def test_cdr_lets_the_share_of_critical_weights_learn(tau: float) -> None:
    random = torch.Generator().manual_seed(0)
    shapes = {"conv": (4, 3, 3, 3), "head": (7, 11), "bias": (7,)}
    weights, gradients = (
        {name: torch.randn(shape, generator=random) for name, shape in shapes.items()}
        for _ in range(2)
    )
    method = baselines.create("cdr", {"tau": tau})
    before = {name: slope.clone() for name, slope in gradients.items()}
    method.after_backward(0, weights, gradients, method.begin(facts_of(torch.arange(3), K)))
    count = sum(gradients[name].numel() for name in ("conv", "head"))
    kept = sum(int((gradients[name] != 0).sum()) for name in ("conv", "head"))
    assert abs(kept - (1.0 - tau) * count) <= 1.0
    assert torch.equal(gradients["bias"], before["bias"])


def test_mixup_of_the_partner_alone_has_the_mean_of_the_batch() -> None:
    logits, facts = torch.randn(20, K, dtype=torch.float64), facts_of(torch.arange(20) % K, K)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(0))
    mixed = Mixed(torch.zeros((), dtype=torch.float64), order)
    step, _ = Bench(baselines.create("mixup"), facts).step(
        [[logits[order]]], torch.arange(20), mixed
    )
    close(step.objective().detach(), F.cross_entropy(logits, facts.given), rtol=1e-6)


def test_elr_limits() -> None:
    logits, facts = torch.randn(20, K, dtype=torch.float64), facts_of(torch.arange(20) % K, K)
    ids = torch.arange(20)
    expected = F.cross_entropy(logits, facts.given, reduction="none")
    for params in ({"lam": 0.0}, {"beta": 1.0}):
        step, _ = Bench(baselines.create("elr", params), facts).step([[logits]], ids)
        assert torch.equal(step.losses[0], expected)
    bench = Bench(baselines.create("elr", {"beta": 0.0}), facts)
    bench.state.put("target", 7.0)
    bench.step([[logits]], ids)
    p = logits.softmax(dim=1).clamp(1e-4, 1 - 1e-4)
    assert torch.equal(bench.state.rows["target"], p / p.sum(dim=1, keepdim=True))


def test_selc_with_momentum_1_is_cross_entropy() -> None:
    logits, facts = torch.randn(20, K, dtype=torch.float64), facts_of(torch.arange(20) % K, K)
    method = baselines.create("selc", {"momentum": 1.0, "start": 0.0})
    bench = Bench(method, facts)
    method.begin_epoch(bench.state, facts, 5, None)
    assert bench.state.globals["moving"]
    step, _ = bench.step([[logits]], torch.arange(20))
    close(step.losses[0], F.cross_entropy(logits, facts.given, reduction="none"))


def test_coteaching_with_equal_networks_trains_both_alike() -> None:
    logits, facts = torch.randn(20, K, dtype=torch.float64), facts_of(torch.arange(20) % K, K)
    method = baselines.create("coteaching", {"forget": 0.4})
    bench = Bench(method, facts)
    method.begin_epoch(bench.state, facts, 30, None)
    step, slopes = bench.step([[logits], [logits]], torch.arange(20))
    assert torch.equal(slopes[0][0], slopes[1][0])
    assert int((step.weights[0] > 0).sum()) == 12


def test_a_selection_that_keeps_nothing_gives_no_step_and_no_nan() -> None:
    losses = torch.randn(8, dtype=torch.float64)
    assert small_loss.smallest(losses, {"keep_8": torch.zeros((), dtype=torch.float64)}).sum() == 0


def test_u_of_1_makes_sop_predict_the_label() -> None:
    logits = torch.tensor([[4.0, 0.0, -3.0]], dtype=torch.float64)
    facts = facts_of(torch.tensor([2]), K)
    bench = Bench(baselines.create("sop", {"lr_u": 0.0, "lr_v": 0.0}), facts)
    bench.state.put("u", 1.0)
    step, _ = bench.step([[logits]], torch.tensor([0]))
    p = logits.softmax(dim=1)[0]
    expected = -torch.log((p[2] + 1.0) / 2.0) + 1.0 + 1.0 - 1.0  # h + U - V - y: (1, 0, 0)
    close(step.losses[0], expected[None], rtol=1e-6)


def test_sop_at_zero_is_cross_entropy_where_no_probability_is_small() -> None:
    logits, facts = torch.randn(20, K, dtype=torch.float64), facts_of(torch.arange(20) % K, K)
    bench = Bench(baselines.create("sop", {"lr_u": 0.0, "lr_v": 0.0}), facts)
    bench.state.put("u", 0.0)
    bench.state.put("v", 0.0)
    _, ((slope,),) = bench.step([[logits]], torch.arange(20))
    leaf = logits.clone().requires_grad_()
    (expected,) = torch.autograd.grad(F.cross_entropy(leaf, facts.given), leaf)
    close(slope, expected, rtol=1e-6)
