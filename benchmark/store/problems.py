"""What is wrong with a record that is whole as a text: its values, checked by what they mean.

A digest shows that a file was not damaged. It is no signature: whoever changes a value can compute
it anew. So every reader asks :func:`problems` too, and a record with any is damaged.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from nlbench.benchmark.store import evaluation_problems, names
from nlbench.benchmark.store.plain_values import MISSHAPEN, is_count, is_number, is_share, shown
from nlbench.benchmark.store.plain_values import is_plain as plain
from nlbench.benchmark.store.record import CURVES, STATUSES, RunRecord

# Curves of shares; a loss has no bounds, and of curves that a later version adds none are known.
SHARES = frozenset(CURVES) - {"train_loss"} | {
    "given_fit", "kept", "kept_least", "kept_precision", "kept_recall", "test_member_0",
    names.MEAN_ALL,
}  # fmt: skip
# A mean of rounded probabilities may exceed 1 in its last digits.
SLACK = 1e-6
# Which curve chooses the epoch of an accuracy, see runs/run.py.
CHOSEN_BY = {"noisy_val": "val_noisy", "clean_val": "val_clean", "oracle": "test_accuracy"}
HEX = re.compile(r"[0-9a-f]{64}")
PART_SOURCE = re.compile(r"sha256:[0-9a-f]{64}|timm [0-9A-Za-z.+-]{1,40}")
SOURCE = re.compile(r"|version [1-9][0-9]{0,8}|sha256:[0-9a-f]{1,64}")
TEXTS = ("nlbench", "python", "torch", "numpy", "platform", "device", "backend", "commit", "host")
SWITCHES = ("dirty", "compiled", "deterministic")
CENTURY = 3.2e9  # seconds
LARGEST = 1.7e308  # finite
Found = Iterator[str]


def problems(record: RunRecord) -> list[str]:
    """What does not hold together, a line each; empty for whatever an engine wrote.

    Args:
        record: whose fields have the types they are declared with; what they hold may be anything.
    """
    found: list[str] = []
    for name, part in _PARTS.items():
        try:
            found += part(record)
        except MISSHAPEN as error:
            found.append(f"{name}: not of the known shape ({shown(error)})")
    return found


def _part_sources(record: RunRecord) -> Found:
    for part, source in record.part_sources.items():
        if type(source) is not str or not PART_SOURCE.fullmatch(source):
            yield f"part_sources: {shown(source)} of {shown(part)} names no source"


def _outcome(record: RunRecord) -> Found:
    status, error = record.status, record.error
    if status not in STATUSES:
        yield f"status {shown(status)} is none of {', '.join(STATUSES)}"
        return
    if not record.data_label:
        yield "data_label is empty"
    if not SOURCE.fullmatch(record.method_source):
        yield f"method_source {shown(record.method_source)} names no source"
    if status == "ok":
        if error is not None:
            yield "error is given, but status is ok"
        return
    if record.metrics:
        yield f"metrics are given, but status is {status}"
    if error is None or type(error["message"]) is not str:
        yield f"error has no message, but status is {status}"
    elif type(error.get("traceback")) not in (str, type(None)):
        yield "error: traceback is no text"
    elif status == "diverged" and not is_count(error["epoch"], 1):
        yield f"error: epoch {shown(error['epoch'])} is no epoch"


def _curves(record: RunRecord) -> Found:
    lengths = {len(curve) for curve in record.curves.values() if curve}
    if len(lengths) > 1:
        yield f"curves have {' and '.join(map(str, sorted(lengths)))} epochs"
    for length in lengths:
        if reason := _wrong_length(record, length):
            yield reason
    for name, curve in record.curves.items():
        values = [v for v in curve if v is not None]
        if not values:  # not measured, or never
            continue
        low, high = min(values), max(values)
        least, most = (0, 1 + SLACK) if name in SHARES else (-LARGEST, LARGEST)
        if not least <= low <= high <= most:
            yield f"curve {shown(name)}: {shown(low)} to {shown(high)} is not in [{least}, {most}]"


def _wrong_length(record: RunRecord, length: int) -> str:
    """Why curves cannot have so many epochs; empty if they can."""
    if record.status == "failed":
        return "curves are given, but status is failed"
    if record.status == "diverged":
        last = (record.error or {})["epoch"]
        return "" if length < last else f"curves have {length} epochs, but it diverged in {last}"
    epochs, passes = record.spec.recipe.epochs, record.timing.get("cost", {}).get("epochs")
    # A method in several stages trains for more epochs than the recipe has.
    if length == epochs or epochs < length == passes:
        return ""
    return f"curves have {length} epochs, the recipe has {epochs}"


def _metrics(record: RunRecord) -> Found:
    if record.status != "ok":
        return
    test, metrics = record.curves["test_accuracy"], record.metrics
    if not test:
        yield "there is no curve of test accuracy"
        return
    yield from _tested_epochs(record, test)
    if metrics["last"] != test[-1] or test[-1] is None:
        yield f"last = {shown(metrics['last'])} is not the last test accuracy, {shown(test[-1])}"
    for rule, name in CHOSEN_BY.items():
        value: Any = metrics.get(rule)
        epoch: Any = metrics.get(f"{rule}_epoch")
        curve = record.curves.get(name, ())
        best = max((v for v in curve if v is not None), default=None)
        if best is None:
            if value is not None or epoch is not None:
                yield f"{rule} = {shown(value)}, but there is no curve {name}"
        elif not is_count(epoch, 1) or epoch > len(test):
            yield f"{rule}_epoch = {shown(epoch)} is none of {len(test)} epochs"
        elif value is None or curve[epoch - 1] != best or test[epoch - 1] != value:
            yield f"{rule} = {shown(value)} at epoch {epoch} is not what the curves hold"


def _tested_epochs(record: RunRecord, test: tuple[float | None, ...]) -> Found:
    recipe = record.spec.recipe
    if recipe.eval_every == 1:
        fits = None not in test
    elif len(test) == recipe.epochs:
        fits = all(
            (v is not None) == recipe.evaluates(epoch) for epoch, v in enumerate(test, start=1)
        )
    else:  # several stages, each with a last epoch
        fits = test[-1] is not None
    if not fits:
        yield "test accuracy is not there for the epochs that the recipe evaluates"


def _test_set(record: RunRecord) -> Found:
    size = record.test_size
    if not is_count(size, 1 if record.status == "ok" else 0):
        yield f"test_size = {shown(size)} is no number of images"
        return
    for name in ("test_accuracy", "test_member_0"):
        rests = {value * size % 1 for value in record.curves.get(name, ()) if value is not None}
        if any(SLACK < rest < 1 - SLACK for rest in rests):
            yield f"{name} holds values that are no share of {size} test images"
    if not record.test_correct:
        return
    bits = binascii.a2b_base64(record.test_correct, strict_mode=True)
    right, rest = int.from_bytes(bits), -size % 8
    if len(bits) != -(-size // 8) or right & ((1 << rest) - 1):
        yield f"test_correct holds {8 * len(bits)} bits for {size} test images"
    elif record.status == "ok" and right.bit_count() != round(record.metrics["last"] * size):
        yield (
            f"last = {shown(record.metrics['last'])}, but test_correct has {right.bit_count()} of"
            f" {size} images"
        )


def _noise(record: RunRecord) -> Found:
    noise = record.noise
    if record.status == "failed" and not noise:
        return
    samples, classes = noise["samples"], noise["num_classes"]
    if not is_count(samples, 1) or not is_count(classes, 1):
        yield f"noise: {shown(samples)} samples of {shown(classes)} classes"
        return
    if not HEX.fullmatch(noise["fingerprint"]):
        yield f"noise: fingerprint {shown(noise['fingerprint'])} is none"
    kinds = [line.partition(":")[0] for line in (noise["spec"], record.spec.noise)]
    if kinds[0] != kinds[1] or noise.get("seed", record.spec.seed) != record.spec.seed:
        yield f"noise: labels of {shown(noise['spec'])}, the run has {record.spec.noise}"
    for name in ("nominal", "realised"):
        if noise[name] is not None and not is_share(noise[name]):
            yield f"noise: {name} = {shown(noise[name])} is no rate"
            return
    yield from _described(noise)
    known = {
        name: noise[name] is not None for name in ("nominal", "realised", "flipped", "transition")
    }
    if len(set(known.values())) > 1:
        yield f"noise: of rates and counts only {', '.join(n for n, has in known.items() if has)}"
    elif known["transition"]:
        yield from _transition(noise, samples, classes)


def _described(noise: Mapping[str, Any]) -> Found:
    details = noise.get("details", {})
    if type(details) is not dict or not plain(details, 3):
        yield "noise: details are not plain values"
    if type(noise.get("dataset")) not in (str, type(None)) or not is_count(
        noise.get("generator", 1), 1
    ):
        yield "noise: neither a data set nor a version of the generators"


def _transition(noise: Mapping[str, Any], samples: int, classes: int) -> Found:
    counts, flipped, replaced = noise["transition"], noise["flipped"], noise.get("replaced", 0)
    if len(counts) != classes or set(map(len, counts)) != {classes}:
        yield f"noise: transition counts are not {classes} x {classes}"
        return
    sizes = list(map(sum, counts))
    total = sum(sizes)
    kept = [row[k] for k, row in enumerate(counts)]
    if type(total) is not int or min(map(min, counts)) < 0 or total != samples:
        yield f"noise: transition counts of {shown(total)} labels for {samples} samples"
    elif flipped != total - sum(kept) or not is_count(replaced, 0) or replaced > samples:
        yield f"noise: flipped = {shown(flipped)}, by the transition counts {total - sum(kept)}"
    else:
        wrong = noise["realised"] * samples
        most = min(samples, flipped + replaced)
        if abs(wrong - round(wrong)) > SLACK or not max(flipped, replaced) <= round(wrong) <= most:
            yield f"noise: realised = {shown(noise['realised'])}, by the counts {flipped / samples}"
        shares = noise.get("per_class", [None] * classes)
        if len(shares) != classes or any(s is not None and not is_share(s) for s in shares):
            yield f"noise: per_class is not a rate for each of {classes} classes"
        elif (
            not replaced
            and "per_class" in noise
            and any(
                size and (share is None or abs(share * size - (size - own)) > SLACK)
                for share, size, own in zip(shares, sizes, kept, strict=True)
            )
        ):
            yield "noise: per_class does not fit the transition counts"


def _pairing(record: RunRecord) -> Found:
    pairing = record.pairing
    for part, value in pairing.items():
        if type(value) is not str:
            yield f"pairing: {shown(part)} is no fingerprint"
    if pairing.get("labels", "") not in ("", record.noise.get("fingerprint")):
        yield "pairing: other labels than those of noise"


def _environment(record: RunRecord) -> Found:
    held = record.environment
    for name in TEXTS:
        if type(held.get(name)) not in (str, type(None)):
            yield f"environment: {name} = {shown(held[name])} is no text"
    for name in SWITCHES:
        if type(held.get(name)) not in (bool, type(None)):
            yield f"environment: {name} = {shown(held[name])} is neither true nor false"
    for name in ("threads", "slots"):
        if name in held and not (is_count(held[name], 1) and held[name] < 10**6):
            yield f"environment: {name} = {shown(held[name])} is no number of them"
    if not plain(held, 4):
        yield "environment: not plain values"


def _timing(record: RunRecord) -> Found:
    held = record.timing
    started = datetime.fromisoformat(held["started"])
    if not 1970 <= started.year < 2200:
        yield f"timing: started {shown(held['started'])}"
    if not is_number(held["seconds"]) or not 0 <= held["seconds"] < CENTURY:
        yield f"timing: seconds = {shown(held['seconds'])} is no time"
    amounts = {**held.get("cost", {}), **held.get("first_epoch", {})}
    for name, value in [*amounts.items(), ("peak_memory", held.get("peak_memory", 0))]:
        if not is_number(value) or not 0 <= value < 1e15:
            yield f"timing: {shown(name)} = {shown(value)} is no amount"
    if not plain(held, 4):
        yield "timing: not plain values"


def _evaluations(record: RunRecord) -> Found:
    if record.evaluations and record.status != "ok":
        yield f"evaluations are given, but status is {record.status}"
        return
    yield from evaluation_problems.found(record.evaluations)


_PARTS: Mapping[str, Callable[[RunRecord], Found]] = {
    "status": _outcome,
    "part_sources": _part_sources,
    "curves": _curves,
    "metrics": _metrics,
    "test set": _test_set,
    "noise": _noise,
    "pairing": _pairing,
    "environment": _environment,
    "timing": _timing,
    "evaluations": _evaluations,
}
