"""Schedule, L1 and clipping against PyTorch's own and against hand-written float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.training.optimizer import learning_rate, optimiser, regularise


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


def test_no_clipping_below_the_norm_and_none_when_switched_off() -> None:
    for clip in (5.0, 0.0):
        parameter = nn.Parameter(torch.zeros(2, dtype=torch.float64))
        parameter.grad = torch.tensor([3.0, 2.0], dtype=torch.float64)
        regularise(Recipe(epochs=1, clip_norm=clip), [parameter])
        assert parameter.grad.tolist() == [3.0, 2.0]
