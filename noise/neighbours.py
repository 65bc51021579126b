"""How much noisy labels depend on the image: do similar images of one class share their noise?"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlbench.noise.features import Features, as_features, exact_product, scaling
from nlbench.noise.flips import shuffled_within_classes
from nlbench.noise.labels import NoisyLabels
from nlbench.noise.portable import NORMAL_STEP, normals
from nlbench.noise.rng import generator, raw
from nlbench.noise.task import Labels

Floats = NDArray[np.float64]

DIMENSIONS = 64  # of the random projection in which distances are taken
PER_CLASS = 1000  # samples compared in each class
NEIGHBOURS = 10
PERMUTATIONS = 199


def instance_dependence(labels: NoisyLabels, features: NDArray[Any]) -> dict[str, Any]:
    """Measure what a class-conditional model cannot explain, by nearest neighbours.

    Within each clean class (at most 1,000 samples, 10 neighbours by Euclidean distance in a random
    projection of the standardised features to 64 dimensions) A is the share of neighbour pairs
    that agree, and E the share expected if the noise depended on the class alone. The excess is
    (A - E) / (1 - E): 0 for class-conditional noise, 1 if neighbours always agree. p is from 199
    permutations within the classes. Three questions: ``label`` (same noisy label), ``flip``
    (both flipped or both not) and ``target`` (same new label, among the flipped).
    """
    positions = _project(as_features(features))
    flipped = np.flatnonzero(labels.flipped)
    everything = np.arange(len(labels))
    return {
        "neighbours": NEIGHBOURS,
        "permutations": PERMUTATIONS,
        "label": _excess(labels, positions, everything, labels.noisy),
        "flip": _excess(labels, positions, everything, labels.flipped.astype(np.int64)),
        "target": _excess(labels, positions, flipped, labels.noisy),
    }


def _project(features: Features) -> Floats:
    """Return (N, 64) distances-preserving coordinates of the standardised features."""
    scale = scaling(features, "standard")
    size = int(features.array.shape[1])
    count = size * DIMENSIONS
    words = raw(generator("nlbench-noise-audit", "projection"), -(-count // 4))
    weights = normals(words, count).reshape(size, DIMENSIONS).astype(np.float64)
    result = np.zeros((len(features.array), DIMENSIONS))
    for start in range(0, len(result), features.block):
        block = features.rows(slice(start, start + features.block))
        for c, gain in enumerate(scale.gain):
            part = weights[c * features.width : (c + 1) * features.width]
            product = exact_product(features.channel(block, c), part)
            result[start : start + features.block] += product * (gain * NORMAL_STEP)
    return result


def _excess(
    labels: NoisyLabels, positions: Floats, subset: Labels, values: Labels
) -> dict[str, float | int | None]:
    """Compare neighbours' agreement on ``values`` with that of values shuffled within classes."""
    observed, expected, pairs = 0, 0.0, 0
    shuffled = np.zeros(PERMUTATIONS, dtype=np.int64)
    rng = generator("nlbench-noise-audit", "permutations")
    for members in _members(labels, subset):
        near = _nearest(positions[members])
        mine = values[members]
        observed += int(np.count_nonzero(mine[near] == mine[:, None]))
        expected += near.size * _chance(mine)
        pairs += near.size
        for turn in range(PERMUTATIONS):
            mixed = mine[np.argsort(raw(rng, len(mine)), kind="stable")]
            shuffled[turn] += int(np.count_nonzero(mixed[near] == mixed[:, None]))
    if pairs == 0 or expected >= pairs:
        return {"pairs": pairs, "agreement": None, "chance": None, "excess": None, "p": None}
    agreement, chance = observed / pairs, expected / pairs
    return {
        "pairs": pairs,
        "agreement": agreement,
        "chance": chance,
        "excess": (agreement - chance) / (1 - chance),
        "p": (1 + int(np.count_nonzero(shuffled >= observed))) / (1 + PERMUTATIONS),
    }


def _members(labels: NoisyLabels, subset: Labels) -> list[Labels]:
    """Return up to 1,000 samples of each class among the subset; classes too small are left out."""
    clean = labels.clean[subset]
    words = raw(generator("nlbench-noise-audit", "sample"), len(subset))
    order = shuffled_within_classes(clean, labels.num_classes, words)
    bounds = np.searchsorted(clean[order], np.arange(labels.num_classes + 1))
    groups = [subset[order[low:high]][:PER_CLASS] for low, high in pairwise(bounds)]
    return [group for group in groups if len(group) > NEIGHBOURS]


def _nearest(positions: Floats) -> Labels:
    """Return (n, 10) indices of the nearest other rows by Euclidean distance."""
    squares = np.einsum("ij,ij->i", positions, positions)
    distance = squares[:, None] + squares - 2.0 * (positions @ positions.T)
    np.fill_diagonal(distance, np.inf)
    return np.argpartition(distance, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS].astype(np.int64)


def _chance(values: Labels) -> float:
    """Return the probability that two different samples have the same value."""
    counts = np.unique(values, return_counts=True)[1].astype(np.int64)
    total = len(values)
    return int((counts * (counts - 1)).sum()) / (total * (total - 1))
