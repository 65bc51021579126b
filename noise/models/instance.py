"""Part-dependent instance noise (Xia et al. 2020): a flip depends on what the image looks like."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nlbench.noise import truncnorm
from nlbench.noise.errors import NoiseError
from nlbench.noise.features import SCALES, Features, Scaling, as_features, exact_product, scaling
from nlbench.noise.portable import NORMAL_STEP, exp_nonpositive, normal_table, normals
from nlbench.noise.registry import Draw, Model, Option, register
from nlbench.noise.rng import raw, unit
from nlbench.noise.task import Labels, Task

Floats = NDArray[np.float64]


def draw(task: Task) -> Draw:
    """Draw each new label from P_i = q_i softmax(x_i W[y_i] without y_i), P_i[y_i] = 1 - q_i.

    q_i ~ N(rate, 0.1^2) truncated to [0, 1]; W[c] ~ N(0, 1), one (S, K) projection per true class
    (or, projection=shared, one for all: CORES, Cheng et al., ICLR 2021).
    Exact: everything given the seed. Random: the realised rate, overall (sd about 0.2 % at 50,000)
    and per class. For one seed the flips are nested over rates, with the same new labels.
    Differs from the reference code (xiaoboxia/Part-dependent-label-noise) in the features' scaling,
    in correcting the mean flip rate where truncation shifts it (0.1 becomes 0.129 there;
    ``bias=legacy`` keeps it), and in W being one of 65,536 equally likely normal quantiles.
    """
    if task.num_classes < 2:
        raise NoiseError("instance: a single class has no other class to flip to")
    assert task.features is not None  # make() has checked
    features = as_features(task.features)
    scale = scaling(features, task.options["scale"])
    flipped = flips(task)
    noisy = task.labels.copy()
    projection = _PROJECTIONS[task.options["projection"]]
    noisy[flipped] = draw_targets(task, features, scale, flipped, projection)
    return Draw(noisy)


def flips(task: Task) -> Labels:
    """Return the indices that flip: sample i does so with its own probability q_i."""
    rate_words = raw(task.stream("rate"), len(task.labels))
    coin_words = raw(task.stream("flip"), len(task.labels))
    chance = flip_probabilities(unit(rate_words), task.rate, task.options["bias"])
    # compared on a grid of 2^-32, far above the last bits of the library's normal quantile
    threshold = np.rint(chance * 2.0**32).astype(np.uint64)
    hit: NDArray[np.bool_] = (coin_words >> np.uint64(32)) < threshold
    return np.flatnonzero(hit)


def flip_probabilities(uniform: Floats, rate: float, bias: str) -> Floats:
    """Return q (N,): truncated normal with mean ``rate`` (legacy: with centre ``rate``)."""
    if bias == "legacy":
        return truncnorm.quantile(uniform, rate)
    if rate == 0.0:
        return np.zeros_like(uniform)
    if not 0.001 <= rate <= 0.999:
        raise NoiseError(f"instance: rate {rate} is not 0 and outside [0.001, 0.999]")
    return truncnorm.quantile(uniform, truncnorm.centre_for_mean(rate))


def draw_targets(
    task: Task,
    features: Features,
    scale: Scaling,
    index: Labels,
    projection: Callable[[Task, int, int], NDArray[np.int16]],
) -> Labels:
    """Return new labels for the samples ``index``, from softmax(x W[y]) over the wrong classes."""
    if features.largest * int(normal_table().max()) * features.width >= 2**53:
        raise NoiseError(f"features: {features.width} per channel are too many for exact sums")
    words = raw(task.stream("target"), len(task.labels))
    result = np.empty(len(index), dtype=np.int64)
    position = np.argsort(task.labels[index], kind="stable")
    bounds = np.searchsorted(task.labels[index][position], np.arange(task.num_classes + 1))
    for c in range(task.num_classes):
        mine = position[bounds[c] : bounds[c + 1]]
        if not len(mine):
            continue
        weights = projection(task, c, features.array.shape[1]).astype(np.float64)
        for start in range(0, len(mine), features.block):
            part = mine[start : start + features.block]
            logits = project(features, scale, index[part], weights)
            result[part] = _choose(logits, c, words[index[part]])
    return result


def project(features: Features, scale: Scaling, index: Labels, weights: Floats) -> Floats:
    """Return scaled features times weights, (n, K); exact sums, then one fixed order of steps."""
    block = features.rows(index)
    logits = np.zeros((len(index), weights.shape[1]))
    norm = np.zeros(len(index))
    for c, (mean, gain) in enumerate(zip(scale.mean, scale.gain, strict=True)):
        pixels = features.channel(block, c)
        part = weights[c * features.width : (c + 1) * features.width]
        logits += (exact_product(pixels, part) - mean * part.sum(axis=0)) * gain
        if scale.unit_norm:
            total, squares = pixels.sum(axis=1), np.einsum("ij,ij->i", pixels, pixels)
            spread = squares - 2.0 * mean * total + features.width * (mean * mean)
            norm += spread * (gain * gain)
    if scale.unit_norm:
        logits /= np.where(norm > 0, np.sqrt(np.maximum(norm, 0.0)), 1.0)[:, None]
    return logits * NORMAL_STEP


def _choose(logits: Floats, true_class: int, words: NDArray[np.uint64]) -> Labels:
    """Draw from softmax(logits) without the true class, by the inverse of its running sum."""
    logits[:, true_class] = -np.inf
    weight = exp_nonpositive(logits - logits.max(axis=1, keepdims=True))
    running = np.cumsum(weight, axis=1)  # cumsum adds in order, unlike sum
    # 32 bits: the product below stays under the total even after rounding
    mark = (words >> np.uint64(32)).astype(np.float64) * 2.0**-32 * running[:, -1]
    target: Labels = np.count_nonzero(running <= mark[:, None], axis=1).astype(np.int64)
    return target


def _projection_per_class(task: Task, true_class: int, size: int) -> NDArray[np.int16]:
    count = size * task.num_classes
    words = raw(task.stream("projection", true_class), -(-count // 4))
    return normals(words, count).reshape(size, task.num_classes)


def _projection_shared(task: Task, _true_class: int, size: int) -> NDArray[np.int16]:
    count = size * task.num_classes
    words = raw(task.stream("projection-shared"), -(-count // 4))
    return normals(words, count).reshape(size, task.num_classes)


_PROJECTIONS = {"class": _projection_per_class, "shared": _projection_shared}

register(
    Model(
        name="instance",
        draw=draw,
        needs="pixels",
        options=(
            Option(
                "scale",
                "scaling of the features: standard (mean 0, sd 1 per channel), unitnorm "
                "(standard, then length 1), unit (0..1, Drainage's code), raw (0..255, Xia's code)",
                default="standard",
                choices=SCALES,
            ),
            Option(
                "bias",
                "corrected: the mean flip rate is the rate asked for; legacy: truncation shifts "
                "it (0.1 becomes 0.129)",
                default="corrected",
                choices=("corrected", "legacy"),
            ),
            Option(
                "projection",
                "class: one random projection per true class; shared: one for all (CORES)",
                default="class",
                choices=tuple(_PROJECTIONS),
            ),
        ),
        nested=True,
        summary=(
            "Each image flips with its own probability (truncated normal around the rate) to a "
            "class drawn from a random projection of its pixels, one projection per true class. "
            "The scaling decides what the noise is: on raw or 0..1 pixels it is nearly a flip to "
            "one class (top share 0.72 on CIFAR-10), on standardised ones it depends on the image."
        ),
        source="Xia et al., NeurIPS 2020 (part-dependent label noise), Algorithm 2",
        used_by=(
            "PDN, CDR (scale=raw:bias=legacy), Drainage (scale=unit:bias=legacy) and most papers' "
            "instance noise; CORES (projection=shared:scale=raw:bias=legacy)"
        ),
    )
)
