"""SAM against its public code, and at its limit."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.runs.prepare import prepare
from nlbench.benchmark.runs.run import train
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.training import GraphBackend, StackBackend, sam
from nlbench.benchmark.training.trainer import Trainer
from tests.helpers.runs import HERE, tiny
from tests.helpers.steps import settings, value

K = 3


@pytest.mark.parametrize(("setting", "numbers"), settings("sam"))
def test_sam_is_the_release(setting: str, numbers: dict[str, float]) -> None:
    names = ("W1", "b1", "W2", "b2")
    weights = [
        nn.Parameter(value(f"inputs/tiny_tanh_network/K{K}/{name}").clone()) for name in names
    ]
    x, labels = (value(f"inputs/tiny_tanh_network/K{K}/{name}") for name in ("x", "labels"))
    sgd = torch.optim.SGD(weights, lr=0.1, momentum=0.9, weight_decay=5e-4)

    def backward() -> torch.Tensor:
        hidden = torch.tanh(F.linear(x, weights[0], weights[1]))
        loss = F.cross_entropy(F.linear(hidden, weights[2], weights[3]), labels)
        sgd.zero_grad()
        torch.autograd.backward(loss)
        return loss.detach()

    def flat() -> torch.Tensor:
        return torch.cat([w.detach().flatten() for w in weights])

    key = f"sam/{setting}/K{K}"
    for at in range(3):
        first = backward()
        before = sam.ascend(weights, numbers["rho"], "adaptive=True" in setting)
        torch.testing.assert_close(flat(), value(f"{key}/weights_perturbed")[at], rtol=1e-9, atol=0)
        second = backward()
        sam.back(weights, before)
        sgd.step()
        losses = torch.stack([first, second])
        torch.testing.assert_close(losses, value(f"{key}/batch_losses")[at], rtol=1e-10, atol=0)
        torch.testing.assert_close(
            flat(), value(f"{key}/weights_after_step")[at], rtol=1e-9, atol=0
        )


def test_a_radius_of_almost_nothing_is_the_base_optimiser() -> None:
    """BatchNorm's statistics and counters too: only the first pass moves them."""
    states = []
    for rho in (0.0, 1e-300):
        spec = tiny(model="cnn_small", precision="float64", sam_rho=rho, clip_norm=0.5)
        trainer = Trainer(prepare(spec, HERE)[0])
        for epoch in trainer.task.plan.epochs():
            trainer.epoch(epoch)
        states.append(trainer.members[0].tensors)
        assert trainer.cost.backward == (2 if rho else 1) * 2 * 200
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("method", ["ce", "elr", "coteaching", "sop"])
def test_static_steps_with_sam_are_the_loop(method: str) -> None:
    spec = tiny(method, model="cnn_small", precision="float64", sam_rho=0.1)
    one, other = (
        train(spec, HERE, backend) for backend in (None, GraphBackend(slots=1, capture=False))
    )
    assert one.status == "ok", one.error
    assert one.curves["train_loss"] == pytest.approx(other.curves["train_loss"], rel=1e-9)
    plain = train(tiny(method, model="cnn_small", precision="float64"), HERE)
    assert plain.curves["train_loss"] != one.curves["train_loss"]
    assert one.timing["cost"]["backward"] == 2 * plain.timing["cost"]["backward"]


def test_what_sam_cannot_do_is_one_line() -> None:
    with pytest.raises(UserError, match="sam_rho"):
        Recipe(epochs=1, sam_rho=-1.0)
    with pytest.raises(UserError, match="sam_adaptive"):
        Recipe(epochs=1, sam_adaptive=True)
    record = train(tiny(sam_rho=0.1), HERE, StackBackend())
    assert record.error is not None
    assert "the recipe has a sam_rho" in record.error["message"]


def test_old_run_ids_stand() -> None:
    assert "sam_rho" not in Recipe(epochs=1).to_dict()
    assert Recipe(epochs=1, sam_rho=0.1).to_dict()["sam_rho"] == 0.1
