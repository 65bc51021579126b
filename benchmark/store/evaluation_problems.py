"""What is wrong with the evaluations of a record; see :mod:`nlbench.benchmark.store.problems`.

A part that is known is checked key by key, so that reports can rely on what they read. Parts that a
later version adds are only required to be plain values.
"""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nlbench.benchmark import metrics
from nlbench.benchmark.metrics.label_errors import BINS
from nlbench.benchmark.metrics.roc import GRID
from nlbench.benchmark.store import names
from nlbench.benchmark.store.plain_values import (
    MISSHAPEN,
    is_count,
    is_number,
    is_plain,
    is_share,
    shown,
)

# Images with the largest extra output, and the bytes of their pixels: what engines keep, and room.
MOST_IMAGES = 1000
MOST_PIXELS = 2**24
DEPTH = 6
_RATES = ("auroc", "ap", "f1", "aupr_unknown", "aupr_known", "fpr95", "oscr")
_REJECTED = ("known_rejected", "unknown_rejected")
_BOUNDS = {metric.name: metric.bounds for metric in metrics.every()}
SLACK = 1e-6
Found = Iterator[str]


def found(evaluations: Mapping[str, Any]) -> Found:
    """What does not hold together in ``RunRecord.evaluations``, a line each."""
    for name, value in evaluations.items():
        check = _PARTS.get(name)
        if check is None:
            if not is_plain(value, DEPTH):
                yield f"evaluations: {shown(name)} is not plain values"
            continue
        try:
            yield from check(value)
        except MISSHAPEN as error:
            yield f"evaluations: {name} is not of the known shape ({shown(error)})"


def _measures(part: Mapping[str, Any]) -> Found:
    for name, value in part.items():
        low, high = _BOUNDS.get(name, (-math.inf, math.inf))
        if value is not None and not (is_number(value) and low - SLACK <= value <= high + SLACK):
            yield f"measure {shown(name)} = {shown(value)} is not in [{low}, {high}]"


def _unmeasured(part: Mapping[str, Any]) -> Found:
    for name, reason in part.items():
        if type(reason) is not str or not reason:
            yield f"unmeasured: {shown(name)} has no reason in words, but {shown(reason)}"


def _told(part: list[Any]) -> Found:
    if type(part) is not list or any(type(word) is not str for word in part):
        yield f"told: {shown(part)} is not a list of names"


def _test_sets(part: Mapping[str, Any]) -> Found:
    for name, value in part.items():
        if not is_share(value):
            yield f"test set {shown(name)}: accuracy {shown(value)} is not in [0, 1]"


def _detection(part: Mapping[str, Any]) -> Found:
    samples, flipped = part["samples"], part["flipped"]
    if not (is_count(samples, 1) and is_count(flipped, 0) and flipped <= samples):
        yield f"detection: {shown(flipped)} of {shown(samples)} labels flipped"
        return
    if not part["criteria"]:
        yield "detection: no criterion"
    for name, criterion in part["criteria"].items():
        yield from _shares(f"detection by {name}", criterion, _RATES)
        yield from _rising(f"detection by {name}", criterion, "roc")
    histogram = part.get("histogram")
    for kind, size in (("clean", samples - flipped), ("flipped", flipped)):
        if histogram is not None:
            counts = histogram[kind]
            if len(counts) != BINS or not is_count(sum(counts), 0) or min(counts) < 0:
                yield f"detection: histogram of {kind} is not {BINS} counts"
            elif sum(counts) > size:
                yield f"detection: histogram has {sum(counts)} of {size} {kind} samples"
    if part.get(names.TOP_IMAGES) is not None:
        yield from _images(part[names.TOP_IMAGES])
    known = {"samples", "flipped", "criteria", "histogram", names.TOP_IMAGES}
    yield from _others("detection", part, known)


def _images(part: Mapping[str, Any]) -> Found:
    index, shape, classes = part["index"], part["shape"], part["classes"]
    if not _texts(classes) or not 0 < len(index) <= MOST_IMAGES or min(index) < 0:
        yield "images: neither names of classes nor places"
        return
    for name in ("given", "true"):
        if len(part[name]) != len(index) or not 0 <= min(part[name]) <= max(part[name]) < len(
            classes
        ):
            yield f"images: {name} holds other labels than those of {len(classes)} classes"
    mass = part["mass"]
    if len(mass) != len(index) or not 0 <= min(mass) <= max(mass) <= 1 + SLACK:
        yield "images: mass leaves [0, 1]"
    if not all(is_count(v, 0) for name in ("index", "given", "true") for v in part[name]):
        yield "images: a place or a label is not whole"
    sizes = all(is_count(side, 1) for side in shape)
    if not sizes or len(shape) != 4 or shape[0] != len(index):
        yield f"images: shape {shown(shape)} is not that of {len(index)} images"
    elif part["pixels"] is not None:
        size = math.prod(shape)
        packed = base64.b64decode(part["pixels"], validate=True)
        # No more is unpacked than the shape states, and never more than an engine would keep.
        held = zlib.decompressobj().decompress(packed, min(size, MOST_PIXELS) + 1)
        if len(held) != size:
            yield f"images: {len(held)} pixels for shape {shown(shape)}"
    yield from _others("images", part, set(part) & {
        "index", "shape", "classes", "given", "true", "mass", "pixels",
    })  # fmt: skip


def _open_set(part: Mapping[str, Any]) -> Found:
    for name in ("known", "unknown", "validation"):
        if not is_count(part[name], 0 if name == "validation" else 1):
            yield f"open set: {name} = {shown(part[name])} is no number of images"
    yield from _shares("open set", part, ("accuracy", "accepted"))
    if not _texts(part["classes"]) or not is_share(part["accepted"]):
        yield "open set: names of classes, or the accepted share, are missing"
    if part["rule"] is not None:
        yield from _shares("open set, rule", part["rule"], _REJECTED)
        yield from _others("open set, rule", part["rule"], set(_REJECTED))
    if not part["scores"]:
        yield "open set: no score"
    for name, score in part["scores"].items():
        where = f"open set, score {name}"
        yield from _shares(where, score, (*_RATES, *_REJECTED))
        if score.get("threshold") is not None and not is_number(score["threshold"]):
            yield f"{shown(where)}: threshold = {shown(score['threshold'])} is no number"
        for curve in ("roc", "ccr"):
            yield from _rising(where, score, curve)
        yield from _others(where, score, {"roc", "ccr"})
    known = {"classes", "known", "unknown", "validation", "accepted", "accuracy", "rule", "scores"}
    yield from _others("open set", part, known)


def _shares(where: str, part: Mapping[str, Any], keys: tuple[str, ...]) -> Found:
    for key in keys:
        value = part.get(key)
        if value is not None and not is_share(value):
            yield f"{shown(where)}: {key} = {shown(value)} is not in [0, 1]"


def _rising(where: str, part: Mapping[str, Any], key: str) -> Found:
    """A curve on the grid of :mod:`nlbench.benchmark.metrics.roc` that never falls."""
    curve = part[key]
    if len(curve) != len(GRID) or curve != sorted(curve):
        yield f"{shown(where)}: {key} is not a rising curve of {len(GRID)} points"
    elif not 0 <= curve[0] <= curve[-1] <= 1 + SLACK:
        yield f"{shown(where)}: {key} leaves [0, 1]"


def _others(where: str, part: Mapping[str, Any], known: set[str]) -> Found:
    """Keys that are not known may hold single values only."""
    for key, value in part.items():
        if key not in known and not is_plain(value, 0):
            yield f"{shown(where)}: {shown(key)} is not a single value"


def _texts(values: Any) -> bool:
    return type(values) is list and bool(values) and all(type(v) is str for v in values)


_PARTS: Mapping[str, Callable[[Any], Found]] = {
    "measures": _measures,
    "unmeasured": _unmeasured,
    "told": _told,
    "test_sets": _test_sets,
    "detection": _detection,
    "open_set": _open_set,
}
