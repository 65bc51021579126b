"""Accuracies with a known truth: methods x conditions x seeds, many tables at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
CONDITIONS = (
    "clean", "symmetric:0.2", "symmetric:0.4", "symmetric:0.6", "asymmetric:0.2", "asymmetric:0.4",
)  # fmt: skip
LEVEL, SD = 80.0, 0.5  # points
CLASSES, CHANCE = 10, 10.0
GRID = 0.5  # points: what 200 test images can show
COLLAPSES = 0.05
# Share of a run's variance that its method and seed have in common over conditions.
OVER_CONDITIONS = 0.2


@dataclass(frozen=True)
class World:
    """What is true.

    Attributes:
        shape: of the distribution of runs, one of SHAPES.
        effects: (methods, conditions) true means above LEVEL, points; the first is the baseline.
        seeds: n.
    """

    shape: str
    effects: Floats
    seeds: int


Draw = Callable[[np.random.Generator, tuple[int, ...]], Floats]


@dataclass(frozen=True)
class Shape:
    """How runs of a method spread around its mean.

    Attributes:
        residual: draws of mean 0 and standard deviation 1.
        spread: methods -> standard deviations of each in units of SD.
        finish: what is done to the accuracies at the end.
        mean: of all runs of a method without an effect, percent.
    """

    residual: Draw
    spread: Callable[[int], Floats] = np.ones
    finish: Callable[[np.random.Generator, Floats], Floats] = lambda _, values: values
    mean: float = LEVEL


def _normal(generator: np.random.Generator, size: tuple[int, ...]) -> Floats:
    return generator.normal(size=size)


def _skewed(generator: np.random.Generator, size: tuple[int, ...]) -> Floats:
    """Exponential, towards low accuracies: skewness -2."""
    return 1 - generator.exponential(size=size)


def _heavy(generator: np.random.Generator, size: tuple[int, ...]) -> Floats:
    return np.asarray(generator.standard_t(3, size=size) / np.sqrt(3))


def _unequal(methods: int) -> Floats:
    """From .3 to 3 times, in no order of the table."""
    spread = np.geomspace(0.3, 3.0, methods)
    return np.asarray(np.concatenate([spread[1::2], spread[::2]]))


def _one_wide(methods: int) -> Floats:
    """The baseline spreads five times as much as the others."""
    return np.where(np.arange(methods) == 0, 2.5, 0.5)


def _rounded(_: np.random.Generator, values: Floats) -> Floats:
    return np.asarray(np.round(values / GRID) * GRID)


def _collapsed(generator: np.random.Generator, values: Floats) -> Floats:
    return np.where(generator.random(values.shape) < COLLAPSES, CHANCE, values)


SHAPES = {
    "normal": Shape(_normal),
    "skewed": Shape(_skewed),
    "t, 3 df": Shape(_heavy),
    "unequal spread": Shape(_normal, spread=_unequal),
    "ties": Shape(_normal, finish=_rounded),
    "5 % collapse": Shape(
        _normal, finish=_collapsed, mean=(1 - COLLAPSES) * LEVEL + COLLAPSES * CHANCE
    ),
    "skewed against tight": Shape(_skewed, spread=_one_wide),
}


def draw(world: World, tables: int, generator: np.random.Generator) -> Floats:
    """(tables, methods, conditions, seeds) accuracies, percent.

    A seed moves all methods of a condition alike, and a method's runs of one seed are correlated
    over conditions.
    """
    shape = SHAPES[world.shape]
    methods, conditions = world.effects.shape
    luck = generator.normal(size=(tables, 1, conditions, world.seeds))
    single = shape.residual(generator, (tables, methods, conditions, world.seeds))
    common = shape.residual(generator, (tables, methods, 1, world.seeds))
    own = np.sqrt(1 - OVER_CONDITIONS) * single + np.sqrt(OVER_CONDITIONS) * common
    spread = shape.spread(methods)[:, np.newaxis, np.newaxis]
    values = LEVEL + world.effects[..., np.newaxis] + SD * (luck + spread * own)
    return shape.finish(generator, values)
