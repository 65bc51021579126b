"""The parts of networks, and drawing the last ones anew."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from nlbench.benchmark import models
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.models import Classifier
from nlbench.noise import generator

DRAWS = partial(generator, "test-parts", 1)
SHAPE = (3, 32, 32)


def filled(name: str, outputs: int = 10) -> Classifier:
    network = models.build(name, SHAPE, outputs)
    models.initialise(network, partial(generator, "test-parts", 0), 10)
    return network


def widths(network: Classifier) -> list[int]:
    """The number of outputs of the last weight in each part."""
    found = []
    for part in models.parts(network):
        modules = [m for name in part for m in network.get_submodule(name).modules()]
        layers = [m for m in modules if isinstance(m, nn.Conv2d | nn.Linear)]
        found.append(int(layers[-1].weight.shape[0]))
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mlp", [256, 10]),
        ("cnn_small", [16, 32, 48, 10]),
        ("cnn4", [32, 64, 128, 10]),
        ("cnn8", [64, 128, 196, 256, 10]),
        ("resnet18", [64, 128, 256, 512, 10]),
        ("resnet34", [64, 128, 256, 512, 10]),
        ("resnet50", [64, 256, 512, 1024, 2048, 10]),
    ],
)
def test_parts_are_layers_of_one_width(name: str, expected: list[int]) -> None:
    network = filled(name)
    assert widths(network) == expected
    # Every weight and statistic is in one part.
    inside = [f"{name}." for part in models.parts(network) for name in part]
    for tensor in network.state_dict():
        assert sum(tensor.startswith(one) for one in inside) == 1, tensor


@pytest.mark.parametrize(("name", "blocks"), [("resnet18", 2), ("resnet34", 3)])
def test_the_last_part_of_a_resnet_is_its_last_group_of_blocks(name: str, blocks: int) -> None:
    network = filled(name)
    *_, last, head = models.parts(network)
    assert len(last) == blocks
    assert models.last_parts(network, 2) == (*last, *head)


def test_the_first_part_is_never_among_the_last() -> None:
    network = filled("mlp")
    assert models.last_parts(network, 5) == models.last_parts(network, 1) == ("head",)


@pytest.mark.parametrize("name", ["cnn_small", "cnn8", "resnet18", "resnet50"])
def test_only_the_last_parts_are_drawn_anew(name: str) -> None:
    network, other = filled(name), filled(name, 11)
    for one in (network, other):  # as a training leaves them
        for number, tensor in enumerate(one.state_dict().values()):
            if tensor.is_floating_point():
                with torch.no_grad():
                    tensor.add_(0.5 + 0.001 * number)
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    fresh = models.build(name, SHAPE, 10)
    models.initialise(fresh, DRAWS, 10)
    inside = models.last_parts(network, 2)
    for one in (network, other):
        models.redraw(one, inside, DRAWS, 10)
    for key, tensor in network.state_dict().items():
        drawn = key.startswith(tuple(f"{part}." for part in inside))
        assert torch.equal(tensor, fresh.state_dict()[key] if drawn else before[key]), key
    assert torch.equal(other.head.weight[:10], network.head.weight)


def test_a_layer_without_a_rule_is_refused() -> None:
    body = nn.Sequential(nn.Linear(4, 5), nn.PReLU(3), nn.Linear(5, 6), nn.LayerNorm(6))
    network = Classifier(body, 6, 3)
    assert models.parts(network) == (("body.0", "body.1"), ("body.2", "body.3"), ("head",))
    models.redraw(network, ("body.3", "head"), DRAWS, 3)
    with pytest.raises(UserError, match=r"layer 'body\.1', a PReLU, cannot be drawn anew"):
        models.redraw(network, ("body.1",), DRAWS, 3)
