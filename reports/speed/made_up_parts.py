"""Made-up parts of records: what engines write beside accuracies and curves over epochs."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlbench.benchmark.store import names

# As engines round and place them (benchmark/metrics/roc.py).
DIGITS = 6
GRID = np.linspace(0, 1, 101)
SAMPLES = 10_000
BINS = 50
PICTURES = 24
NAMES = tuple(f"class {k}" for k in range(10))
Draws = np.random.Generator


def detection(rate: float, extra_output: bool, pictures: bool, draws: Draws) -> dict[str, Any]:
    """Detection of flipped labels, as in ``RunRecord.evaluations``.

    Args:
        rate: noise rate, in (0, 1).
        extra_output: whether the method has one.
        pictures: whether the images with the largest one are in it.
        draws: generator of the random part.
    """
    flipped = round(rate * SAMPLES)
    criteria = ("loss", "margin", *([names.PROBABILITY] if extra_output else []))
    found: dict[str, Any] = {
        "samples": SAMPLES,
        "flipped": flipped,
        "criteria": {name: _criterion(draws) for name in criteria},
    }
    if extra_output:
        found["histogram"] = {
            "clean": draws.multinomial(SAMPLES - flipped, _falling(8)).tolist(),
            "flipped": draws.multinomial(flipped, _falling(2)).tolist(),
        }
    if extra_output and pictures:
        found[names.TOP_IMAGES] = _pictures(draws)
    return found


def open_set(accuracy: float, extra_output: bool, draws: Draws) -> dict[str, Any]:
    """Open-set recognition, as in ``RunRecord.evaluations``; ``accuracy`` is a fraction."""
    scores = (
        "msp",
        "max_logit",
        "energy",
        "entropy",
        *([names.PROBABILITY] if extra_output else []),
    )
    rejected = {"known_rejected": 0.05, "unknown_rejected": float(draws.uniform(0.2, 0.6))}
    return {
        "classes": list(NAMES[:6]),
        "known": 6000,
        "unknown": 4000,
        "validation": 600,
        "accepted": 0.95,
        "accuracy": accuracy,
        "rule": rejected if extra_output else None,
        "scores": {name: _score(accuracy, rejected, draws) for name in scores},
    }


def _criterion(draws: Draws) -> dict[str, Any]:
    area = float(draws.uniform(0.6, 0.95))
    return {"auroc": round(area, DIGITS), "ap": 0.7, "f1": 0.65, "roc": _rounded(_roc(area))}


def _score(accuracy: float, rejected: dict[str, float], draws: Draws) -> dict[str, Any]:
    area = float(draws.uniform(0.6, 0.95))
    roc = _roc(area)
    return {
        "auroc": round(area, DIGITS),
        "aupr_unknown": 0.6,
        "aupr_known": 0.8,
        "fpr95": 0.5,
        "oscr": round(accuracy * area, DIGITS),
        "threshold": area,
        **rejected,
        "roc": _rounded(roc),
        "ccr": _rounded(accuracy * roc),
    }


def _roc(area: float) -> NDArray[np.float64]:
    """The curve x^k has the area 1 / (k + 1)."""
    return GRID ** ((1 - area) / area)


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [round(v, DIGITS) for v in values.tolist()]


def _falling(speed: float) -> NDArray[np.float64]:
    weights = np.exp(-speed * np.arange(BINS) / BINS)
    return np.asarray(weights / weights.sum())


def _pictures(draws: Draws) -> dict[str, Any]:
    images = draws.integers(0, 256, (PICTURES, 1, 28, 28), dtype=np.uint8)
    given, true = draws.integers(0, len(NAMES), (2, PICTURES)).tolist()
    return {
        "index": list(range(PICTURES)),
        "mass": _rounded(np.linspace(1, 0.9, PICTURES)),
        "given": given,
        "true": true,
        "classes": list(NAMES),
        "shape": list(images.shape),
        "pixels": base64.b64encode(zlib.compress(images.tobytes(), 9)).decode("ascii"),
    }
