"""A label set as drawn: rates, nearest class-conditional model, instance dependence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlbench.noise.errors import NoiseError
from nlbench.noise.labels import NoisyLabels
from nlbench.noise.maps import MAPS
from nlbench.noise.neighbours import instance_dependence
from nlbench.noise.rng import generator

Floats = NDArray[np.float64]


def audit(labels: NoisyLabels, features: NDArray[Any] | None = None) -> dict[str, Any]:
    """Return plain JSON values that describe a label set, without any plotting.

    ``classes``: per clean class its size, rate, commonest wrong label and that label's share of
    the flips. ``transition``: realised T, rows summing to 1. ``class_conditional``: the named
    models fitted to T, nearest first, with their rate and the share of samples by which their
    matrix differs from T (total variation). ``instance``: with features, what no class-conditional
    model explains (see ``nlbench.noise.neighbours``); else None.
    """
    if features is not None and len(features) != len(labels):
        raise NoiseError(f"audit: {len(features)} rows of features for {len(labels)} labels")
    if not labels.truth_known:
        raise NoiseError(f"audit: the true labels are not known (noise '{labels.spec}')")
    facts = labels.describe()
    return {
        **{name: value for name, value in facts.items() if name not in ("transition", "per_class")},
        "classes": _classes(labels),
        "transition_counts": facts["transition"],
        "transition": _matrix(labels).tolist(),
        "class_conditional": nearest_models(labels),
        "instance": None if features is None else instance_dependence(labels, features),
    }


def _matrix(labels: NoisyLabels) -> Floats:
    sizes = np.maximum(labels.sizes, 1)
    matrix: Floats = labels.transition_counts / sizes[:, None]
    return matrix


def _classes(labels: NoisyLabels) -> list[dict[str, Any]]:
    wrong = labels.transition_counts.copy()
    np.fill_diagonal(wrong, 0)
    rows = []
    for c, counts in enumerate(wrong):
        flips, top = int(counts.sum()), int(counts.argmax())
        rows.append(
            {
                "class": c,
                "samples": int(labels.sizes[c]),
                "flipped": flips,
                "rate": flips / int(labels.sizes[c]) if labels.sizes[c] else None,
                "commonest": top if flips else None,
                "commonest_share": int(counts[top]) / flips if flips else None,
            }
        )
    return rows


def nearest_models(labels: NoisyLabels) -> list[dict[str, Any]]:
    """Fit the named class-conditional models to the realised matrix, nearest first."""
    matrix, weight = _matrix(labels), labels.sizes / len(labels)
    fits = []
    for name, shape in _shapes(labels.num_classes):
        # shape is T at rate 1; the fitted rate is the share of flips among its source classes
        sources = np.diag(shape) < 1
        hits = int(labels.transition_counts[sources][shape[sources] > 0].sum())
        rate = hits / int(labels.sizes[sources].sum())
        fitted = np.eye(labels.num_classes) * (1 - rate) + shape * rate
        distance = float(weight @ np.abs(matrix - fitted).sum(axis=1) / 2)
        fits.append({"model": name, "rate": rate, "distance": distance})
    return sorted(fits, key=lambda fit: (fit["distance"], fit["model"]))


def _shapes(k: int) -> Iterator[tuple[str, Floats]]:
    """Yield the named models as their transition matrix at rate 1 (fixed maps only)."""
    if k < 2:
        return
    eye = np.eye(k)
    yield "symmetric", (1 - eye) / (k - 1)
    yield "pair", np.roll(eye, 1, axis=1)
    for name, chart in MAPS.items():
        try:
            targets = chart.targets(k, generator("nlbench-noise-audit"))
        except NoiseError:
            continue  # a map for another number of classes
        if not chart.drawn:
            yield f"asymmetric:{name}", eye[targets]


def compare(one: NoisyLabels, other: NoisyLabels) -> dict[str, Any]:
    """Return how far two label sets of the same samples agree, as plain JSON values.

    ``agreement``: share of equal noisy labels; ``kappa``: the same beyond chance (Cohen). Flips:
    in both, in one only, in the other only; ``jaccard``: both / any; ``same_target``: share of the
    samples flipped in both that got the same label. NoiseError if the clean labels differ.
    """
    if one.num_classes != other.num_classes or not np.array_equal(one.clean, other.clean):
        raise NoiseError("compare: the two label sets are not of the same samples")
    equal = one.noisy == other.noisy
    both, either = one.flipped & other.flipped, one.flipped | other.flipped
    agreement = float(equal.mean())
    shares = [np.bincount(s.noisy, minlength=s.num_classes) / len(s) for s in (one, other)]
    chance = float(shares[0] @ shares[1])
    return {
        "one": {"spec": str(one.spec), "seed": one.seed, "fingerprint": one.fingerprint},
        "other": {"spec": str(other.spec), "seed": other.seed, "fingerprint": other.fingerprint},
        "identical": one.fingerprint == other.fingerprint,
        "samples": len(one),
        "agreement": agreement,
        "kappa": (agreement - chance) / (1 - chance) if chance < 1 else None,
        "flipped_in_both": int(both.sum()),
        "flipped_in_one": int((one.flipped & ~other.flipped).sum()),
        "flipped_in_other": int((other.flipped & ~one.flipped).sum()),
        "jaccard": float(both.sum() / either.sum()) if either.any() else None,
        "same_target": float(equal[both].mean()) if both.any() else None,
    }
