"""Points in the plane from known densities, so that the best possible classifier is known too."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


class Component(Protocol):
    """Where the points of one class lie."""

    def draw(self, rng: np.random.Generator, size: int) -> Floats:
        """Return (size, 2) points."""

    def log_density(self, points: Floats) -> Floats:
        """Log of the density at (..., 2) points, (...)."""


@dataclass(frozen=True)
class Gaussian:
    """A round Gaussian: centre (x, y), standard deviation ``sd`` in each direction."""

    centre: tuple[float, float]
    sd: float

    def draw(self, rng: np.random.Generator, size: int) -> Floats:
        """Return (size, 2) points."""
        return np.asarray(self.centre) + self.sd * rng.standard_normal((size, 2))

    def log_density(self, points: Floats) -> Floats:
        """-|x - c|^2 / (2 sd^2) - log(2 pi sd^2)."""
        squares: Floats = ((points - np.asarray(self.centre)) ** 2).sum(axis=-1)
        return -squares / (2 * self.sd**2) - math.log(2 * math.pi * self.sd**2)


@dataclass(frozen=True)
class Ring:
    """A ring around the origin: uniform angle, distance Gaussian with ``radius`` and ``sd``.

    A negative distance is a point on the other side, so the density at distance r > 0 is
    (g(r) + g(-r)) / (2 pi r) with the Gaussian's density g.
    """

    radius: float
    sd: float

    def draw(self, rng: np.random.Generator, size: int) -> Floats:
        """Return (size, 2) points."""
        angle = 2 * math.pi * rng.random(size)
        distance = self.radius + self.sd * rng.standard_normal(size)
        points: Floats = distance[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return points

    def log_density(self, points: Floats) -> Floats:
        """Log of (g(r) + g(-r)) / (2 pi r); the origin itself is left at a finite value."""
        r = np.maximum(np.sqrt((points**2).sum(axis=-1)), 1e-12)
        sides = [-(((s * r - self.radius) / self.sd) ** 2) / 2 for s in (1.0, -1.0)]
        scale = math.log(self.sd) + 0.5 * math.log(2 * math.pi) + math.log(2 * math.pi)
        density: Floats = np.logaddexp(*sides) - scale - np.log(r)
        return density


@dataclass(frozen=True)
class Geometry:
    """Classes in the plane, all equally frequent.

    Attributes:
        name: for ``nlbench toy --data``.
        summary: one line.
        classes: where each class lies.
        reach: the picture shows [-reach, reach] in both directions.
    """

    name: str
    summary: str
    classes: tuple[Component, ...]
    reach: float

    def draw(self, rng: np.random.Generator, per_class: int) -> tuple[Floats, Labels]:
        """Points (N, 2) and labels (N,), class after class, N = classes x per_class."""
        points = np.concatenate([each.draw(rng, per_class) for each in self.classes])
        return points, np.repeat(np.arange(len(self.classes), dtype=np.int64), per_class)

    def bayes(self, points: Floats) -> Labels:
        """The class of highest density at each of (..., 2) points: no classifier does better."""
        densities = np.stack([each.log_density(points) for each in self.classes], axis=-1)
        best: Labels = densities.argmax(axis=-1).astype(np.int64)
        return best


def _corners(distance: float, sd: float) -> tuple[Component, ...]:
    signs = ((-1, 1), (1, 1), (-1, -1), (1, -1))
    return tuple(Gaussian((distance * x, distance * y), sd) for x, y in signs)


def _triangle(distance: float, sd: float) -> tuple[Component, ...]:
    angles = [math.radians(degrees) for degrees in (150, 30, 270)]
    return tuple(Gaussian((distance * math.cos(a), distance * math.sin(a)), sd) for a in angles)


GEOMETRIES: Mapping[str, Geometry] = {
    geometry.name: geometry
    for geometry in (
        Geometry(
            "ring",
            "three Gaussians (classes 0, 1, 2) inside a ring (class 3)",
            (*_triangle(1.2, 0.5), Ring(2.7, 0.3)),
            3.3,
        ),
        Geometry(
            "gaussians",
            "four Gaussians at the corners of a square",
            _corners(1.2, 0.65),
            3.2,
        ),
    )
}
