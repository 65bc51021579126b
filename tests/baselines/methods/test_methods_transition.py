"""Methods with a transition matrix against their released code, and what they must equal."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nlbench import baselines
from nlbench.baselines import MethodError, transition
from nlbench.baselines.methods.t_revision import TRevision
from nlbench.baselines.methods.volminnet import matrix_of
from tests.helpers.steps import Bench, facts_of, reference, settings, value

K = 3
LOGITS, TARGETS = (value(f"inputs/common/K{K}/{name}") for name in ("logits", "targets"))
IDS = torch.arange(len(TARGETS))
# Not symmetric: a transposed matrix is another one.
MATRIX = value(f"inputs/common/K{K}/T")


def close(found: Tensor, expected: Tensor, rtol: float = 1e-10, atol: float = 1e-12) -> None:
    torch.testing.assert_close(found, expected, rtol=rtol, atol=atol)


def losses_and_slopes(name: str, matrix: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    facts = facts_of(TARGETS, K, told={"transition": matrix})
    step, ((slope,),) = Bench(baselines.create(name), facts).step([[logits]], IDS)
    return step.losses[0].detach(), slope


@pytest.mark.parametrize("name", ["forward", "backward"])
def test_a_known_matrix_corrects_as_the_release_does(name: str) -> None:
    key = f"{name}/T=given/K{K}"
    losses, slopes = losses_and_slopes(name, MATRIX, LOGITS)
    off = (losses - value(f"{key}/loss")).abs()
    assert (off <= value(f"{key}/loss_tol") * (1 + 1e-9) + 1e-11).all()
    off = (slopes - value(f"{key}/grad")).abs().amax(dim=1)
    assert (off <= value(f"{key}/grad_tol") * (1 + 1e-9) + 1e-11).all()
    close(losses, value(f"{key}/loss_exact"), rtol=1e-9)
    assert not torch.allclose(losses, losses_and_slopes(name, MATRIX.T, LOGITS)[0], rtol=1e-3)


@pytest.mark.parametrize("name", ["forward", "backward"])
def test_the_identity_is_cross_entropy_bit_for_bit(name: str) -> None:
    losses, slopes = losses_and_slopes(name, torch.eye(K, dtype=torch.float64), LOGITS)
    leaf = LOGITS.clone().requires_grad_()
    expected = F.cross_entropy(leaf, TARGETS, reduction="none")
    (slope,) = torch.autograd.grad(expected.mean(), leaf)
    assert torch.equal(losses, expected)
    assert torch.equal(slopes, slope)


def test_the_backward_loss_has_the_true_label_s_loss_as_its_mean() -> None:
    matrix, inverse = MATRIX, transition.inverse(MATRIX)
    log_p = LOGITS[:32].log_softmax(dim=1)
    each = -(inverse[None] * log_p[:, None, :]).sum(dim=2)  # of each given label
    close(each @ matrix.T, -log_p, rtol=1e-9)


def test_the_mean_gradient_of_the_forward_loss_is_0_at_the_true_posterior() -> None:
    p = LOGITS[:32].softmax(dim=1)
    leaf = p.log().requires_grad_()
    losses = torch.stack(
        [-transition.log_mixed(leaf, MATRIX, torch.full((32,), y)) for y in (0, 1, 2)]
    )
    (slope,) = torch.autograd.grad(((p @ MATRIX).T * losses).sum(), leaf)
    close(slope, torch.zeros_like(slope), atol=1e-10)


def test_a_matrix_that_cannot_be_inverted_is_one_line() -> None:
    even = torch.tensor([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
    with pytest.raises(MethodError, match=r"condition number .*cannot be inverted"):
        losses_and_slopes("backward", even, LOGITS)
    losses_and_slopes("forward", even, LOGITS)


@pytest.mark.parametrize(
    ("setting", "outliers"),
    [
        ("outlier97=False,row_normalise=True,alpha=0.0,cliptozero=False", 0.0),
        ("outlier97=True,row_normalise=True,alpha=0.0,cliptozero=False", 0.03),
    ],
)
def test_anchors_are_the_release_s(setting: str, outliers: float) -> None:
    key = f"anchor_T/{setting}/K{K}"
    close(transition.anchored(value(f"{key}/in_probs"), outliers), value(f"{key}/T"))
    key = f"anchor_T_trevision/outlier97={outliers > 0}/K{K}"
    close(transition.anchored(value(f"{key}/in_probs"), outliers), value(f"{key}/T_as_released"))


def test_outliers_of_one_class_do_not_change_the_row_of_another() -> None:
    key = f"anchor_T/outlier97=True,in_place_matters/K{K}"
    found = transition.anchored(value(f"{key}/in_probs"), 0.03)
    close(found, value(f"{key}/T_with_copied_column"))
    assert (found - value(f"{key}/T_as_released")).abs().max() > 0.1
    found = transition.anchored(value(f"{key}/in_probs"), 0.03, in_place=True)
    close(found, value(f"{key}/T_as_released"))


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("name", ["forward-est", "backward-est", "t-revision"])
def test_estimates_in_place_are_legacy(name: str, legacy: bool) -> None:
    key = f"anchor_T/outlier97=True,in_place_matters/K{K}"
    p = value(f"{key}/in_probs")
    facts = facts_of(torch.zeros(len(p), dtype=torch.long), K)
    method = baselines.create(name, {"legacy": legacy})
    bench = Bench(method, facts)
    method.begin_stage(bench.state, facts, 1, p.log()[None])
    expected = value(f"{key}/{'T_as_released' if legacy else 'T_with_copied_column'}")
    expected = transition.inverse(expected) if name == "backward-est" else expected
    close(bench.state.globals["transition"], expected)


@pytest.mark.parametrize("name", ["forward-est", "backward-est"])
def test_legacy_left_off_is_no_part_of_a_run_s_identity(
    name: str,
) -> None:
    assert "legacy" not in baselines.create(name, {"legacy": False}).params()
    assert baselines.create(name, {"legacy": True}).params()["legacy"] is True


def test_dual_t_is_the_release_s_and_a_class_never_predicted_keeps_its_label() -> None:
    ((setting, _),) = settings("dual_t")
    key = f"dual_t/{setting}/K{K}"
    p, labels = value(f"{key}/in_probs"), value(f"{key}/in_labels")
    found, released = transition.dual(p, labels), value(f"{key}/T")
    close(found, released / released.sum(dim=1, keepdim=True))
    p = torch.tensor([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]], dtype=torch.float64)
    found = transition.dual(p, torch.tensor([0, 1]), left_out=0.0)
    close(found, transition.anchored(p, 0.0))
    assert found.isfinite().all()


@pytest.mark.parametrize("outliers", [0.0, 0.03])
def test_perfect_posteriors_with_anchors_give_the_matrix(outliers: float) -> None:
    # Not all equal, since outliers leave with all that are as sure as they are.
    doubt = torch.linspace(0.0, 1e-8, 20, dtype=torch.float64).repeat_interleave(K)[:, None]
    sure = (1.0 - doubt) * torch.eye(K, dtype=torch.float64).repeat(20, 1) + doubt / K
    unsure = torch.rand(140, K, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    clean = torch.cat([sure, unsure / unsure.sum(dim=1, keepdim=True)])
    given = clean @ MATRIX
    close(transition.anchored(given, outliers), MATRIX, rtol=1e-6)
    # Where the given label is the predicted one there is nothing left to count.
    close(transition.dual(given, given.argmax(dim=1), outliers), MATRIX, rtol=1e-6)


@pytest.mark.parametrize("name", ["forward-est", "backward-est"])
def test_the_second_stage_has_the_matrix_of_the_first_s_predictions(name: str) -> None:
    method = baselines.create(name)
    first, second = method.stages(7)
    assert (first.epochs, second.epochs, second.start, second.look) == (7, 7, "first", "best")
    assert baselines.create(name, {"validated": False}).stages(7)[1].look == "last"
    trained = torch.arange(0, 40, 2)
    facts = facts_of(TARGETS, K, trained=trained)
    bench = Bench(method, facts)
    noise = torch.randn(40, K, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    sweep = 4.0 * F.one_hot(TARGETS, K) + noise
    method.begin_stage(bench.state, facts, 1, sweep[None])
    expected = transition.anchored(sweep[trained].softmax(dim=1))
    expected = expected if name == "forward-est" else transition.inverse(expected)
    close(bench.state.globals["transition"], expected)


@pytest.mark.parametrize(("setting", "numbers"), settings("volminnet"))
def test_volminnet_is_the_release(setting: str, numbers: dict[str, float]) -> None:
    key = f"volminnet/{setting}/K{K}"
    lam = float(setting.split(",")[0].removeprefix("lambda="))
    facts = facts_of(TARGETS[:32], K)
    bench = Bench(baselines.create("volminnet", {"lam": lam}), facts)
    bench.state.put("w", value(f"{key}/in_w"))
    step, ((slope,),) = bench.step([[LOGITS[:32]]], IDS[:32])
    w = bench.state.parameters["w"]
    close(matrix_of(w).detach(), value(f"{key}/T"))
    close(step.objective().detach(), value(f"{key}/batch_loss"))
    close(slope, value(f"{key}/grad"))
    (slope,) = torch.autograd.grad(step.objective(), w)
    close(slope, value(f"{key}/grad_w"))
    assert numbers


def test_the_volume_s_gradient_is_the_transposed_inverse() -> None:
    leaf = MATRIX.clone().requires_grad_()
    (slope,) = torch.autograd.grad(torch.linalg.slogdet(leaf).logabsdet, leaf)
    close(slope, torch.linalg.inv(MATRIX).T, rtol=1e-8)


def test_volminnet_near_the_identity_is_cross_entropy() -> None:
    logits = torch.randn(40, K, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    method = baselines.create("volminnet", {"init": 20.0, "lam": 0.0})
    step, _ = Bench(method, facts_of(TARGETS, K)).step([[logits]], IDS)
    close(step.losses[0].detach(), F.cross_entropy(logits, TARGETS, reduction="none"), rtol=1e-6)
    start = matrix_of(nn.Parameter(torch.full((10, 10), -2.0)))
    assert start.diagonal().detach() == pytest.approx(0.483, abs=1e-3)
    assert torch.allclose(start.sum(dim=1), torch.ones(10))


def test_every_matrix_of_the_file_is_compared() -> None:
    kinds = {key.split("/")[0] for key in reference() if "_T" in key.split("/")[0]}
    assert kinds == {"anchor_T", "anchor_T_trevision"}


@pytest.mark.parametrize("classes", [3, 10])  # of 10, entries of T + D are below 0
def test_t_revision_is_the_release_called_one_by_one_and_its_bug_is_legacy(classes: int) -> None:
    ((setting, _),) = settings("trevision_revision")
    key = f"trevision_revision/{setting}/K{classes}"
    targets = value(f"{key}/in_labels")
    for variant, legacy in (("once", False), ("official_v1", True)):
        facts = facts_of(targets, classes)
        bench = Bench(baselines.create("t-revision", {"legacy": legacy}), facts)
        bench.state.put("transition", value(f"{key}/in_T"))
        bench.state.put("slack", value(f"{key}/in_dT"))
        bench.state.put("weighing", True)
        bench.state.put("revising", True)
        step, ((slope,),) = bench.step([[value(f"{key}/in_logits")]], torch.arange(len(targets)))
        close(step.objective().detach(), value(f"{key}/{variant}_loss"))
        close(slope, value(f"{key}/{variant}_grad"))
        (slope,) = torch.autograd.grad(step.objective(), bench.state.parameters["slack"])
        close(slope, value(f"{key}/{variant}_grad_dT"))
        assert slope.abs().max() > 0.0


def test_weights_of_t_revision_are_the_release_s_and_have_a_gradient_only_in_stage_3() -> None:
    key = f"reweight_trevision/T=given/K{K}"
    method = baselines.create("t-revision")
    first, second, third = method.stages(200)
    assert [stage.epochs for stage in (first, second, third)] == [20, 200, 200]
    assert (second.start, second.look, third.start, third.look) == ("best", "best", "best", "")
    bench = Bench(method, facts_of(TARGETS, K))
    method.begin_stage(bench.state, bench.facts, 1, None)
    bench.state.put("transition", MATRIX)
    bench.state.put("slack", 0.3)
    step, ((slope,),) = bench.step([[LOGITS]], IDS)
    close(step.losses[0].detach(), value(f"{key}/loss"))
    close(slope, value(f"{key}/grad"))
    (unmoved,) = torch.autograd.grad(step.objective(), bench.state.parameters["slack"])
    assert not unmoved.any()


@pytest.mark.parametrize("scale", [50.0, 1e4])
def test_weights_of_t_revision_have_a_gradient_in_float32_whatever_the_logits(scale: float) -> None:
    method = TRevision()
    logits = (scale * torch.sign(LOGITS)).float().requires_grad_()
    slack = torch.zeros(K, K, requires_grad=True)
    for matrix in (torch.eye(K), MATRIX.float()):
        losses = method.weights(logits, matrix, slack, TARGETS) * method.loss(logits, TARGETS)
        slopes = torch.autograd.grad(losses.sum(), [logits, slack])
        assert all(slope.isfinite().all() for slope in slopes)


def test_t_revision_with_the_identity_is_cross_entropy() -> None:
    method = baselines.create("t-revision")
    bench = Bench(method, facts_of(TARGETS, K))
    expected = F.cross_entropy(LOGITS, TARGETS, reduction="none")
    assert torch.equal(bench.step([[LOGITS]], IDS)[0].losses[0].detach(), expected)
    method.begin_stage(bench.state, bench.facts, 1, None)
    close(bench.step([[LOGITS]], IDS)[0].losses[0].detach()[:32], expected[:32], rtol=1e-6)
