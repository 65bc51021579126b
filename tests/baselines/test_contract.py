"""What every method must do, run on each registered one and on each of its published settings."""

from __future__ import annotations

import json
import pickle
from dataclasses import FrozenInstanceError, dataclass, fields

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from nlbench import baselines
from nlbench.baselines import Method, MethodError

SETTINGS: list[tuple[str, dict[str, object]]] = [(name, {}) for name in baselines.names()] + [
    (name, dict(published.params))
    for name in baselines.names()
    for published in baselines.get(name).published.values()
    if published.params
]
UNIQUE = list({repr(setting): setting for setting in SETTINGS}.values())
CLASSES = 10

each = pytest.mark.parametrize(
    "method",
    [baselines.create(name, params) for name, params in UNIQUE],
    ids=[f"{name}-{json.dumps(params)}" if params else name for name, params in UNIQUE],
)


def logits_of(
    method: Method, rows: int, classes: int = CLASSES, scale: float = 3.0, seed: int = 0
) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    shape = (rows, method.num_outputs(classes))
    return scale * torch.randn(shape, generator=generator, dtype=torch.float64)


def gradient(method: Method, logits: Tensor, targets: Tensor) -> Tensor:
    leaf = logits.detach().clone().requires_grad_(True)
    (result,) = torch.autograd.grad(method.loss(leaf, targets).sum(), leaf)
    return result


def test_there_are_the_three_methods_of_the_first_suites() -> None:
    assert {"ce", "gce", "drainage"} <= set(baselines.names())


@each
def test_num_outputs_counts_the_extra_outputs(method: Method) -> None:
    assert method.num_outputs(7) == type(method).num_outputs(7) == 7 + method.extra_outputs
    assert method.extra_outputs >= 0


@each
@pytest.mark.parametrize("size", [50.0, 1e4])
def test_value_and_gradient_are_finite_at_huge_logits_float32(method: Method, size: float) -> None:
    outputs = method.num_outputs(CLASSES)
    one_high = size * (2.0 * torch.eye(outputs) - 1.0)
    one_low = -one_high
    signs = torch.sign(logits_of(method, 64)).float() * size
    flat = torch.tensor([size, -size]).repeat_interleave(outputs).reshape(2, outputs)
    rows = torch.cat([one_high, one_low, signs, flat])
    logits = rows.repeat_interleave(CLASSES, dim=0)
    targets = torch.arange(CLASSES).repeat(len(rows))
    assert torch.isfinite(method.loss(logits, targets)).all()
    assert torch.isfinite(gradient(method, logits, targets)).all()


@each
@pytest.mark.parametrize("classes", [3, 10, 100])
def test_gradcheck_float64(method: Method, classes: int) -> None:
    logits = logits_of(method, 3, classes).requires_grad_(True)
    targets = torch.tensor([0, classes // 2, classes - 1])
    assert torch.autograd.gradcheck(lambda z: method.loss(z, targets), (logits,))


@each
def test_a_step_against_the_gradient_lowers_the_loss(method: Method) -> None:
    logits, targets = logits_of(method, 50), torch.arange(50) % CLASSES
    slope = gradient(method, logits, targets)
    before, after = (method.loss(z, targets) for z in (logits, logits - 1e-4 * slope))
    # A bounded loss is flat where p_t is tiny: there the change is smaller than the rounding.
    steep = 1e-4 * slope.square().sum(dim=1) > 1e-14 * (1.0 + before)
    assert steep.double().mean() > 0.5
    assert (after < before)[steep].all()
    assert (after <= before + 1e-14 * (1.0 + before)).all()


@each
def test_permuting_the_classes_permutes_the_gradient_and_nothing_else(method: Method) -> None:
    logits, targets = logits_of(method, 40), torch.arange(40) % CLASSES
    order = torch.randperm(CLASSES, generator=torch.Generator().manual_seed(1))
    extra = torch.arange(CLASSES, method.num_outputs(CLASSES))
    columns = torch.cat([order, extra])
    renamed = torch.argsort(order)[targets]
    torch.testing.assert_close(
        method.loss(logits[:, columns], renamed), method.loss(logits, targets), rtol=1e-12, atol=0
    )
    torch.testing.assert_close(
        gradient(method, logits[:, columns], renamed),
        gradient(method, logits, targets)[:, columns],
        rtol=1e-9,
        atol=1e-14,
    )


@each
def test_a_constant_on_all_outputs_changes_nothing_where_declared(method: Method) -> None:
    logits, targets = logits_of(method, 40), torch.arange(40) % CLASSES
    shifts = torch.linspace(-20.0, 20.0, 40, dtype=torch.float64)[:, None]
    same = torch.allclose(
        method.loss(logits + shifts, targets), method.loss(logits, targets), rtol=1e-10, atol=1e-13
    )
    assert same == method.shift_invariant


# Few examples of each, since every method and published setting runs them.
few = settings(max_examples=20)


@each
@few
@given(rows=st.integers(1, 30), seed=st.integers(0, 2**31))
def test_each_sample_has_its_own_loss_and_the_batch_has_their_mean(
    method: Method, rows: int, seed: int
) -> None:
    logits = logits_of(method, rows, seed=seed)
    targets = torch.randint(CLASSES, (rows,), generator=torch.Generator().manual_seed(seed))
    together = method.loss(logits, targets)
    assert together.shape == (rows,)
    alone = [method.loss(logits[i : i + 1], targets[i : i + 1]) for i in range(rows)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-12, atol=1e-14)
    mean = torch.stack([value.sum() for value in alone]).sum() / rows
    torch.testing.assert_close(together.mean(), mean, rtol=1e-12, atol=1e-14)


@each
@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_half_precision_logits_give_the_float32_loss(method: Method, half: torch.dtype) -> None:
    logits, targets = logits_of(method, 40).to(half), torch.arange(40) % CLASSES
    expected = method.loss(logits.float(), targets)
    assert expected.dtype == torch.float32
    with torch.autocast(device_type="cpu", dtype=torch.bfloat16):
        under_autocast = method.loss(logits, targets)
    for value in (method.loss(logits, targets), under_autocast):
        assert value.dtype == torch.float32
        assert torch.equal(value, expected)
    assert method.loss(logits.double(), targets).dtype == torch.float64
    exact = method.loss(logits.double(), targets)
    torch.testing.assert_close(expected.double(), exact, rtol=1e-5, atol=1e-6)


@each
@few
@given(seed=st.integers(0, 2**31), push=st.floats(-1e4, 1e4))
def test_predict_is_the_best_class_and_ignores_extra_outputs(
    method: Method, seed: int, push: float
) -> None:
    logits = logits_of(method, 20, seed=seed)
    prediction = method.predict(logits)
    assert prediction.dtype == torch.int64
    assert prediction.shape == (20,)
    assert torch.equal(prediction, logits[:, :CLASSES].argmax(dim=1))
    pushed = logits.clone()
    pushed[:, CLASSES:] += push
    assert torch.equal(method.predict(pushed), prediction)


@each
def test_common_scores_look_at_the_classes_only(method: Method) -> None:
    logits = logits_of(method, 20)
    pushed = logits.clone()
    pushed[:, CLASSES:] += 100.0
    scores, after = method.scores(logits), method.scores(pushed)
    assert {"msp", "max_logit", "energy", "entropy"} <= set(scores)
    for key in ("msp", "max_logit", "energy", "entropy"):
        assert torch.equal(scores[key], after[key])


@each
@pytest.mark.parametrize("size", [50.0, 1e4])
def test_scores_are_finite_full_precision_vectors(method: Method, size: float) -> None:
    logits = (torch.sign(logits_of(method, 30)) * size).to(torch.bfloat16)
    for score in method.scores(logits).values():
        assert score.shape == (30,)
        assert score.dtype == torch.float32
        assert torch.isfinite(score).all()


@each
def test_extra_output_probability_is_a_probability_or_none(method: Method) -> None:
    mass = method.extra_output_probability(logits_of(method, 30))
    if not method.has_extra_output:
        assert mass is None
    if mass is not None:
        assert mass.shape == (30,)
        assert ((mass >= 0.0) & (mass <= 1.0)).all()


@each
def test_methods_are_frozen_values(method: Method) -> None:
    again = baselines.create(method.name, method.params())
    assert again.params() == method.params()
    assert again.loss(logits_of(method, 1), torch.tensor([0])) == method.loss(
        logits_of(method, 1), torch.tensor([0])
    )
    assert json.loads(json.dumps(method.params())) == method.params()
    assert pickle.loads(pickle.dumps(method)) == method
    assert hash(method) == hash(pickle.loads(pickle.dumps(method)))
    for field in fields(method):
        with pytest.raises(FrozenInstanceError):
            setattr(method, field.name, 0.5)


@each
def test_logits_that_do_not_fit_are_refused(method: Method) -> None:
    good = logits_of(method, 4)
    least = method.num_outputs(2)
    for bad in (good[0], good[:, : least - 1], good.long(), good[None]):
        for use in (method.predict, method.scores):
            with pytest.raises(MethodError, match="logits must be floating point of shape"):
                use(bad)
        with pytest.raises(MethodError, match="logits must be floating point of shape"):
            method.loss(bad, torch.zeros(4, dtype=torch.int64))


@each
def test_targets_that_do_not_fit_are_refused(method: Method) -> None:
    good = logits_of(method, 4)
    for bad in (torch.zeros(3, dtype=torch.int64), torch.zeros(4), torch.zeros(4, 1).long()):
        with pytest.raises(MethodError, match=r"targets must be int64 of shape \(4,\)"):
            method.loss(good, bad)


@each
def test_a_label_beyond_the_classes_never_picks_an_extra_output(method: Method) -> None:
    with pytest.raises((IndexError, RuntimeError)):
        method.loss(logits_of(method, 1), torch.tensor([CLASSES]))


@each
def test_inputs_are_left_as_they_are(method: Method) -> None:
    logits, targets = logits_of(method, 4), torch.arange(4)
    before = logits.clone(), targets.clone()
    method.loss(logits, targets)
    method.predict(logits)
    method.scores(logits)
    assert torch.equal(logits, before[0])
    assert torch.equal(targets, before[1])


@pytest.mark.gpu
@each
def test_gpu_gives_what_the_cpu_gives(method: Method) -> None:
    logits, targets = logits_of(method, 200), torch.arange(200) % CLASSES
    there, labels = logits.cuda(), targets.cuda()
    torch.testing.assert_close(method.loss(there, labels).cpu(), method.loss(logits, targets))
    torch.testing.assert_close(
        gradient(method, there, labels).cpu(), gradient(method, logits, targets)
    )
    assert torch.equal(method.predict(there).cpu(), method.predict(logits))
    for key, score in method.scores(there).items():
        torch.testing.assert_close(score.cpu(), method.scores(logits)[key])


@each
def test_published_settings_construct_and_name_their_source(method: Method) -> None:
    for family, published in method.published.items():
        baselines.create(method.name, published.params)
        allowed = {"optimizer", "lr", "momentum", "nesterov", "weight_decay", "l1"}
        assert set(published.recipe) <= allowed
        assert published.source, family


@each
def test_public_text_is_there(method: Method) -> None:
    cls = type(method)
    assert cls.title
    assert cls.source
    assert cls.__doc__ is not None
    assert "Source:" in cls.__doc__
    assert all(shown.help for shown in cls.hyperparameters())


def test_autocast_is_off_inside_a_loss_that_multiplies_matrices() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Forwarded(Method):
        def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
            mixed = torch.softmax(logits, dim=1) @ torch.full((4, 4), 0.25)
            return -mixed.gather(1, targets[:, None]).squeeze(1).log()

    logits, targets = (
        torch.randn(8, 4, generator=torch.Generator().manual_seed(0)),
        torch.arange(8) % 4,
    )
    expected = Forwarded().loss(logits, targets)
    with torch.autocast(device_type="cpu", dtype=torch.bfloat16):
        got = Forwarded().loss(logits, targets)
        assert (logits @ logits.T).dtype == torch.bfloat16
    assert got.dtype == torch.float32
    assert torch.equal(got, expected)
