"""Schedule, optimisers, L1, clipping against PyTorch's own and hand-written float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from nlbench.benchmark.spec.recipe import OPTIMIZERS, Recipe
from nlbench.benchmark.training.optimizer import (
    learning_rate,
    optimiser,
    recorded,
    regularise,
    set_rate,
    static,
)


def test_cosine_is_pytorchs_cosine_annealing_to_zero() -> None:
    recipe = Recipe(epochs=7, lr=0.3)
    sgd = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.3)
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, T_max=7, eta_min=0)
    for epoch in range(7):
        assert learning_rate(recipe, epoch) == pytest.approx(sgd.param_groups[0]["lr"], rel=1e-12)
        sgd.step()
        reference.step()
    assert sgd.param_groups[0]["lr"] == pytest.approx(0, abs=1e-12)


def test_step_and_exponential_are_pytorchs() -> None:
    for recipe, make in (
        (
            Recipe(epochs=6, lr=1.0, schedule="step", milestones=(2, 4), gamma=0.1),
            lambda sgd: torch.optim.lr_scheduler.MultiStepLR(sgd, [2, 4], gamma=0.1),
        ),
        (
            Recipe(epochs=6, lr=1.0, schedule="exponential", gamma=0.97),
            lambda sgd: torch.optim.lr_scheduler.ExponentialLR(sgd, gamma=0.97),
        ),
    ):
        sgd = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
        reference = make(sgd)
        for epoch in range(6):
            expected = sgd.param_groups[0]["lr"]
            assert learning_rate(recipe, epoch) == pytest.approx(expected, rel=1e-12)
            sgd.step()
            reference.step()


@pytest.mark.parametrize("nesterov", [False, True])
def test_a_step_is_the_textbook_step_in_float64(nesterov: bool) -> None:
    recipe = Recipe(
        epochs=1, lr=0.1, momentum=0.9, nesterov=nesterov, weight_decay=0.01, l1=0.02, clip_norm=0.5
    )
    rng = np.random.default_rng(0)
    theta = [rng.normal(size=(3, 2)), rng.normal(size=4)]
    theta[1][0] = 0.0  # the subgradient of |0| is 0
    parameters = [nn.Parameter(torch.tensor(t)) for t in theta]
    sgd = optimiser(recipe, parameters)
    velocity = [np.zeros_like(t) for t in theta]
    for _ in range(3):
        gradients = [rng.normal(size=t.shape) for t in theta]
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = torch.tensor(gradient)
        regularise(recipe, parameters)
        sgd.step()
        total = [g + 0.02 * np.sign(t) for g, t in zip(gradients, theta, strict=True)]
        norm = np.sqrt(sum((g**2).sum() for g in total))
        scale = min(1.0, 0.5 / (norm + 1e-6))
        for i, gradient in enumerate(total):
            step = gradient * scale + 0.01 * theta[i]
            velocity[i] = 0.9 * velocity[i] + step
            theta[i] = theta[i] - 0.1 * (step + 0.9 * velocity[i] if nesterov else velocity[i])
    for parameter, expected in zip(parameters, theta, strict=True):
        np.testing.assert_allclose(parameter.detach().numpy(), expected, rtol=1e-12)


@given(
    decoupled=st.booleans(),
    lr=st.floats(1e-5, 1.0),
    betas=st.tuples(st.floats(0, 0.999), st.floats(0, 0.9999)),
    eps=st.floats(1e-10, 1e-2),
    decay=st.floats(0, 0.5),
    seed=st.integers(0, 2**32 - 1),
)
def test_steps_of_adam_are_the_papers_in_float64(
    decoupled: bool, lr: float, betas: tuple[float, float], eps: float, decay: float, seed: int
) -> None:
    """Kingma and Ba 2015, Algorithm 1, its L2 term in the gradient, or as Loshchilov and Hutter."""
    name = "adamw" if decoupled else "adam"
    recipe = Recipe(epochs=1, optimizer=name, lr=lr, betas=betas, eps=eps, weight_decay=decay)
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=(3, 2))
    parameter = nn.Parameter(torch.tensor(theta))
    adam = optimiser(recipe, [parameter])
    first, second = np.zeros_like(theta), np.zeros_like(theta)
    for count in (1, 2, 3):
        gradient = rng.normal(size=theta.shape)
        parameter.grad = torch.tensor(gradient)
        adam.step()
        if decoupled:
            theta = theta - lr * decay * theta
        else:
            gradient = gradient + decay * theta
        first = betas[0] * first + (1 - betas[0]) * gradient
        second = betas[1] * second + (1 - betas[1]) * gradient**2
        means = first / (1 - betas[0] ** count), second / (1 - betas[1] ** count)
        theta = theta - lr * means[0] / (np.sqrt(means[1]) + eps)
    np.testing.assert_allclose(parameter.detach().numpy(), theta, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_static_steps_from_zeros_are_the_first_steps_again(name: str) -> None:
    """At the rate in its tensor, and after its state was filled with zeros."""
    recipe = Recipe(epochs=1, optimizer=name, lr=0.1, weight_decay=0.1)
    rng = np.random.default_rng(0)
    start, gradients = torch.tensor(rng.normal(size=4)), torch.tensor(rng.normal(size=(3, 4)))

    def steps(chosen: torch.optim.Optimizer, parameter: nn.Parameter) -> torch.Tensor:
        with torch.no_grad():
            parameter.copy_(start)
        for gradient in gradients:
            parameter.grad = gradient.clone()
            chosen.step()
        return parameter.detach().clone()

    plain, fixed = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    expected = steps(optimiser(recipe, [plain]), plain)
    chosen = optimiser(recipe, [fixed])
    state = static(chosen)
    assert torch.equal(fixed.detach(), start)
    for _ in range(2):
        set_rate(chosen.param_groups[0], 0.1)
        assert torch.equal(steps(chosen, fixed), expected)
        for tensor in state:
            tensor.zero_()


def test_a_recording_is_announced_to_optimisers_that_ask_for_it() -> None:
    chosen = [
        optimiser(Recipe(epochs=1, optimizer=n), [nn.Parameter(torch.zeros(1))])
        for n in ("sgd", "adam", "adamw")
    ]

    def announced() -> list[bool | None]:
        return [one.param_groups[0].get("capturable") for one in chosen]

    with recorded(chosen):
        assert announced() == [None, True, True]
    assert announced() == [None, False, False]


def test_no_clipping_below_the_norm_and_none_when_switched_off() -> None:
    for clip in (5.0, 0.0):
        parameter = nn.Parameter(torch.zeros(2, dtype=torch.float64))
        parameter.grad = torch.tensor([3.0, 2.0], dtype=torch.float64)
        regularise(Recipe(epochs=1, clip_norm=clip), [parameter])
        assert parameter.grad.tolist() == [3.0, 2.0]
