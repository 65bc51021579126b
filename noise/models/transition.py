"""Class-conditional noise by any K x K transition matrix from a file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nlbench.noise.counts import largest_remainder_rows
from nlbench.noise.files import file_facts, find_file, read_matrix
from nlbench.noise.flips import shuffled_within_classes
from nlbench.noise.registry import Draw, Model, Option, register
from nlbench.noise.rng import raw
from nlbench.noise.task import Labels, Task


def draw(task: Task) -> Draw:
    """Give class i the label j in the share T[i][j] of its samples.

    exact: the counts of every (clean, noisy) pair are the largest-remainder rounding of
    n_i T[i][j], at random samples. bernoulli: one categorical draw from row T[y] per sample.
    """
    path = find_file(task.options["path"], task.folder)
    matrix = read_matrix(path, task.num_classes)
    if task.options["count"] == "bernoulli":
        noisy = _categorical(task, matrix)
    else:
        noisy = _exact(task, matrix)
    return Draw(noisy, details=file_facts(path))


def _exact(task: Task, matrix: NDArray[np.float64]) -> Labels:
    k = task.num_classes
    counts = largest_remainder_rows(matrix, task.sizes)
    words = raw(task.stream("flip"), len(task.labels))
    order = shuffled_within_classes(task.labels, k, words)
    noisy = np.empty_like(task.labels)
    noisy[order] = np.repeat(np.tile(np.arange(k), k), counts.ravel())
    return noisy


def _categorical(task: Task, matrix: NDArray[np.float64]) -> Labels:
    k = task.num_classes
    running = np.cumsum(matrix, axis=1)
    running /= running[:, -1:].copy()
    # One sorted table for all rows: row i holds i + its running sums, and ends with i + 1. A
    # uniform number of 32 bits added to i is exact.
    table = (running + np.arange(k)[:, None]).ravel()
    words = raw(task.stream("target"), len(task.labels))
    mark = task.labels + (words >> np.uint64(32)).astype(np.float64) * 2.0**-32
    noisy: Labels = np.searchsorted(table, mark, side="right") - task.labels * k
    return noisy


register(
    Model(
        name="transition",
        draw=draw,
        argument="path",
        options=(
            Option("path", "csv, npy or json file with K rows that sum to 1"),
            Option(
                "count",
                "exact: counts of every pair of classes by largest remainder; bernoulli: one draw "
                "from the row of the clean class per sample",
                default="exact",
                choices=("exact", "bernoulli"),
            ),
        ),
        summary=(
            "Any class-conditional noise: T[i, j] is the share of clean class i that gets label j. "
            "The matrix comes from a file, such as one estimated from human labels; rows sum to 1 "
            "(a matrix whose columns do, as in cleanlab, is refused as transposed)."
        ),
        source="Patrini et al., CVPR 2017; Natarajan et al., NeurIPS 2013",
        used_by="Co-teaching and its line; CIFAR-N's estimated matrices; cleanlab (transposed)",
    )
)
