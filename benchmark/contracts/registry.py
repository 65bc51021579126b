"""Which kinds of parts have a contract, and of which kind a part from outside is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch

from nlbench import baselines, noise
from nlbench.baselines import Method
from nlbench.benchmark import datasets, metrics, models
from nlbench.benchmark.contracts import (
    augmentations,
    data_sets,
    measures,
    methods,
    networks,
    noise_models,
    optimizers,
)
from nlbench.benchmark.contracts.contract import Check, Found, carried_out
from nlbench.benchmark.contracts.networks import Network
from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.pipeline import augment_outside
from nlbench.benchmark.pipeline.augment_kinds import check_name
from nlbench.benchmark.pipeline.augment_outside import Transform
from nlbench.benchmark.spec.recipe import OUTSIDE as OPTIMIZER
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.training import optimizer_outside
from nlbench.outside import Kind

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Contract:
    """A kind of part that can be checked.

    Attributes:
        kind: how it is resolved.
        made: name and shape of images -> what the checks are given; raises for what is none.
        checks: in the order in which they are carried out.
    """

    kind: Kind
    made: Callable[[str, Shape], object]
    checks: tuple[Check, ...]


def _network(name: str, shape: Shape) -> Network:
    models.build(name, shape, 10)
    return Network(name, shape)


def _dataset(name: str, _shape: Shape) -> str:
    datasets.find(name)
    return name


def _augmentation(name: str, _shape: Shape) -> str:
    check_name(name)
    return name


def _metric(name: str, _shape: Shape) -> str:
    metrics.get(name)
    return name


def _optimizer(name: str, _shape: Shape) -> str:
    optimizer_outside.check(Recipe(epochs=1, optimizer=name))
    return name


CONTRACTS: Mapping[str, Contract] = MappingProxyType(
    {
        "method": Contract(
            baselines.OUTSIDE, lambda name, _shape: baselines.create(name), methods.CHECKS
        ),
        "noise": Contract(noise.OUTSIDE, lambda name, _shape: noise.get(name), noise_models.CHECKS),
        "model": Contract(models.OUTSIDE, _network, networks.CHECKS),
        "augmentation": Contract(augment_outside.OUTSIDE, _augmentation, augmentations.CHECKS),
        "optimizer": Contract(OPTIMIZER, _optimizer, optimizers.CHECKS),
        "metric": Contract(metrics.OUTSIDE, _metric, measures.CHECKS),
        "dataset": Contract(datasets.OUTSIDE, _dataset, data_sets.CHECKS),
    }
)


def kind_of(name: str) -> str:
    """Of which kind a part at ``module:name`` is, by what is there.

    Raises:
        UserError: it cannot be imported, or is of no kind that has a contract.
    """
    found = Kind("part", "nlbench.parts", UserError).load(name) if ":" in name else None
    if isinstance(found, type) and issubclass(found, Method):
        return "method"
    if isinstance(found, noise.Model):
        return "noise"
    if isinstance(found, Transform):
        return "augmentation"
    if isinstance(found, metrics.Metric):
        return "metric"
    if isinstance(found, type) and issubclass(found, torch.optim.Optimizer):
        return "optimizer"
    if callable(found) and not isinstance(found, type):
        return "model"
    raise UserError(
        f"{name!r} is no part of a known kind: name module:name of a Method, a noise.Model, a"
        " function that makes a network, a Transform, a torch optimiser or a Metric, or name which"
        " with --kind"
    )


def check(name: str, kind: str, shape: Shape) -> Iterator[Found]:
    """Carry out the contract of a part.

    Args:
        name: ``module:name``, or a name that a package announces, or a built-in one.
        kind: a key of CONTRACTS.
        shape: of the images that a network is checked with.

    Raises:
        UserError, MethodError, NoiseError: it cannot be had, or is none of this kind.
    """
    if kind not in CONTRACTS:
        raise unknown("kind of part", kind, CONTRACTS)
    contract = CONTRACTS[kind]
    return carried_out(contract.checks, contract.made(name, shape))
