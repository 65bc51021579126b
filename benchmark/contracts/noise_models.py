"""The contract of a noise model: its rate, the same bits every time, nothing else touched."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlbench import noise
from nlbench.noise import Model, NoisyLabels, generator

CLASSES, SAMPLES = 10, 5000
# Half a percent is about what a coin of its own for every sample gives at this size.
TOLERANCE = 0.03


def stated(model: Model) -> str:
    """It has a summary and a source, and its line is read as it is written."""
    for name in ("summary", "source"):
        if not getattr(model, name):
            return f"{name} is empty"
    line = _line(model, 0.3)
    again = str(noise.NoiseSpec.parse(line))
    return "" if again == line else f"{line} is written as {again}"


def labels(model: Model) -> str:
    """It returns a class for each sample, and changes some."""
    made = _made(model, 0.3, seed=0)
    return "" if made.flipped.any() else f"{made.spec} changes no label"


def repeated(model: Model) -> str:
    """The same seed gives the same labels, another seed gives others."""
    first, again, other = (_made(model, 0.3, seed).noisy for seed in (0, 0, 1))
    if not np.array_equal(first, again):
        return "two draws of one seed differ: draw from task.stream(purpose) alone"
    return "seeds 0 and 1 give the same labels" if np.array_equal(first, other) else ""


def rate(model: Model) -> str:
    """The realised rate is the one asked for; at rate 0 nothing changes."""
    if model.argument != "rate":
        return ""
    if _made(model, 0.0, seed=0).flipped.any():
        return "labels change at rate 0"
    for wanted in (0.1, 0.3):
        found = _made(model, wanted, seed=0).realised_rate
        if abs(found - wanted) > TOLERANCE:
            return f"at rate {wanted} a share of {found:.3f} changes"
    return ""


def nested(model: Model) -> str:
    """Where it is declared nested: the flips at a lower rate are among those at a higher one."""
    if not model.nested or model.argument != "rate":
        return ""
    low, high = (_made(model, r, seed=0).flipped for r in (0.1, 0.3))
    extra = int(np.count_nonzero(low & ~high))
    return f"{extra} flips at rate 0.1 are none at 0.3" if extra else ""


CHECKS = (stated, labels, repeated, rate, nested)


def _line(model: Model, wanted: float) -> str:
    if model.argument == "rate":
        return f"{model.name}:{min(wanted, 0.99 * model.limit)}"
    if not model.argument:
        return model.name
    choices = model.option(model.argument).choices
    if not choices:
        raise ValueError(f"the option {model.argument} has no choices to be tried with")
    return f"{model.name}:{choices[0]}"


def _made(model: Model, wanted: float, seed: int) -> NoisyLabels:
    random = generator("nlbench-check")
    clean = np.arange(SAMPLES) % CLASSES
    features: dict[str, NDArray[Any]] = {
        "pixels": (random.random((SAMPLES, 1, 4, 4)) * 256).astype(np.uint8),
        "softmax": random.dirichlet(np.ones(CLASSES), SAMPLES),
    }
    needed = {need: features[need] for need in noise.needs(_line(model, wanted))}
    line = _line(model, wanted)
    return noise.make(line, clean, num_classes=CLASSES, seed=seed, features=needed)
