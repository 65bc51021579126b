"""The contract of a network: first weights by name, and the same outputs every time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nlbench.benchmark import models
from nlbench.benchmark.models import Classifier
from nlbench.noise import generator

CLASSES, IMAGES = 10, 4


@dataclass(frozen=True)
class Network:
    """A network to be checked: its name, and the shape of the images it is checked with."""

    name: str
    shape: tuple[int, int, int] = (3, 32, 32)


def built(network: Network) -> str:
    """It is built, and its features have the width that it states."""
    return "" if _built(network).head.in_features else "its features have no width"


def paired(network: Network) -> str:
    """First weights are the same for K and for K+1 outputs, and others for another seed."""
    one, wide, other = _built(network), _built(network, CLASSES + 1), _built(network, seed=1)
    if models.init_fingerprint(one, CLASSES) != models.init_fingerprint(wide, CLASSES):
        return "they differ: the function must make the same body each time"
    if models.init_fingerprint(one, CLASSES) == models.init_fingerprint(other, CLASSES):
        return "seeds 0 and 1 give the same weights"
    return ""


def repeated(network: Network) -> str:
    """It draws nothing while it trains: twice the same images give the same outputs."""
    made, images = _built(network).train(), _images(network)
    if torch.equal(made(images), made(images)):
        return ""
    return "two passes differ: there is dropout or another draw in it, which no seed pairs"


def alone(network: Network) -> str:
    """When it is tested, the outputs of an image do not depend on the others in its batch."""
    made, images = _built(network).eval(), _images(network)
    with torch.no_grad():
        off = (made(images)[:1] - made(images[:1])).abs().max().item()
    return f"off by {off:g} in a batch of one" if off > 1e-3 else ""


def slope(network: Network) -> str:
    """Every parameter has a gradient, and all are finite."""
    made = _built(network).train()
    made(_images(network)).square().sum().backward()
    for name, parameter in made.named_parameters():
        if parameter.requires_grad and parameter.grad is None:
            return f"{name} has none"
        if parameter.grad is not None and not torch.isfinite(parameter.grad).all():
            return f"that of {name} is not finite"
    return ""


CHECKS = (built, paired, repeated, alone, slope)


def _built(network: Network, outputs: int = CLASSES, seed: int = 0) -> Classifier:
    made = models.build(network.name, network.shape, outputs)
    models.initialise(made, lambda name: generator("nlbench-check", seed, name), CLASSES)
    return made


def _images(network: Network) -> Tensor:
    drawn = generator("nlbench-check").standard_normal((IMAGES, *network.shape))
    return torch.from_numpy(drawn).float()
