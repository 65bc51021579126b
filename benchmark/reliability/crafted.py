"""Crafted records: files under a run's name whose digest is right and whose content is wrong.

A sound record is changed in one place and gets the digest of its new content, as anybody could
do; or something that is no record at all lies where one should be.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

Values = dict[str, Any]
# Puts a crafted file at a path; takes the sound record's text.
Craft = Callable[[Path, bytes], None]
_GONE = object()
BIG = 3 * 2**30
DEEP = 100_000

# Values that do not hold together: name -> what is changed, keys joined by "/".
FORGED: Mapping[str, Mapping[str, Any]] = {
    "last is 7": {"metrics/last": 7.0},
    "last is negative": {"metrics/last": -0.5},
    "last is another share": {"metrics/last": 0.5, "curves/test_accuracy/-1": 0.5},
    "last is no share of the images": {"metrics/last": 0.1234, "curves/test_accuracy/-1": 0.1234},
    "last is text": {"metrics/last": "0.9"},
    "last is null": {"metrics/last": None},
    "last is missing": {"metrics/last": _GONE},
    "oracle is forged": {"metrics/oracle": 1.0},
    "oracle at no epoch": {"metrics/oracle_epoch": 99},
    "oracle epoch is text": {"metrics/oracle_epoch": "1"},
    "metrics are null": {"metrics": None},
    "metrics are a list": {"metrics": [1, 2]},
    "no metrics": {"metrics": {}},
    "curves are null": {"curves": None},
    "curves are a list": {"curves": []},
    "no curves": {"curves": {}},
    "a curve is null": {"curves/test_accuracy": None},
    "a curve is text": {"curves/test_accuracy": "0123456789"},
    "a curve is a number": {"curves/train_loss": 3},
    "a curve is nested": {"curves/train_loss": [[1.0], [2.0]]},
    "a curve holds text": {"curves/train_loss/0": "1.0"},
    "a curve is short": {"curves/clean_fit": [0.5]},
    "all curves are long": {"curves": {"train_loss": [1.0] * 50, "test_accuracy": [0.5] * 50}},
    "a share is 1.5": {"curves/clean_fit/0": 1.5},
    "a share is -0.1": {"curves/val_noisy/0": -0.1},
    "an epoch was not tested": {"curves/test_accuracy/0": None},
    "status is unknown": {"status": "excellent"},
    "status is null": {"status": None},
    "status is failed, with results": {"status": "failed"},
    "status is diverged, without error": {"status": "diverged", "metrics": {}},
    "status is failed, error is text": {"status": "failed", "error": "no"},
    "status is failed, error is empty": {
        "status": "failed", "error": {}, "metrics": {}, "curves": {}, "extra": {},
    },
    "diverged after more epochs than curves": {
        "status": "diverged", "metrics": {}, "extra": {}, "error": {"message": "m", "epoch": 1},
    },
    "test size is 0": {"test_size": 0},
    "test size is another": {"test_size": 7},
    "test size is text": {"test_size": "797"},
    "test size is endless": {"test_size": 10**400},
    "bits are no base64": {"test_correct": "!!!"},
    "bits are few": {"test_correct": "AAAA"},
    "nominal rate is 4": {"noise/nominal": 4.0},
    "realised rate is another": {"noise/realised": 0.1},
    "realised rate is text": {"noise/realised": "0.4"},
    "counts are null": {"noise/transition": None},
    "counts are ragged": {"noise/transition/0": [1]},
    "counts are negative": {"noise/transition/0/0": -5},
    "counts are text": {"noise/transition/0/0": "5"},
    "counts are others": {"noise/transition/0/0": 5000},
    "flipped is another": {"noise/flipped": 1},
    "samples are another": {"noise/samples": 10**9},
    "classes are 0": {"noise/num_classes": 0},
    "classes are another": {"noise/num_classes": 3},
    "rates of classes are others": {"noise/per_class/0": 0.99},
    "fingerprint is no fingerprint": {"noise/fingerprint": "=cmd|' /C calc'!A0"},
    "labels of another noise": {"noise/spec": "pair:0.4"},
    "labels of another seed": {"noise/seed": 77},
    "no noise": {"noise": {}},
    "noise is null": {"noise": None},
    "other labels in pairing": {"pairing/labels": "0" * 64},
    "pairing holds a list": {"pairing/init": [1]},
    "seconds are negative": {"timing/seconds": -3.0},
    "seconds are text": {"timing/seconds": "fast"},
    "seconds are a million years": {"timing/seconds": 3e13},
    "no seconds": {"timing/seconds": _GONE},
    "started is no time": {"timing/started": "yesterday"},
    "started in the year 1": {"timing/started": "0001-01-01T00:00:00"},
    "cost is text": {"timing/cost": "cheap"},
    "cost is negative": {"timing/cost/epochs": -1},
    "slots are 0": {"environment/slots": 0},
    "slots are text": {"environment/slots": "4"},
    "threads are a list": {"environment/threads": [1]},
    "device is a list": {"environment/device": ["cpu"]},
    "dirty is text": {"environment/dirty": "no"},
    "environment is null": {"environment": None},
    "environment is nested": {"environment/more": [[[[[[[1]]]]]]]},
    "source is none": {"method_source": "mine"},
    "source of endless version": {"method_source": "version " + "9" * 5000},
    "data label is null": {"data_label": None},
    "schema is 0": {"schema": 0},
    "schema is text": {"schema": "1"},
    "an extra key": {"verdict": "best"},
    "a missing key": {"timing": _GONE},
    "run id of another": {"run_id": "0" * 16},
    "run id is null": {"run_id": None},
    "spec is null": {"spec": None},
    "spec is a list": {"spec": []},
    "spec of another seed": {"spec/seed": 77},
    "spec with endless epochs": {"spec/recipe/epochs": 10**30},
    "extra is null": {"extra": None},
    "detection is null": {"extra/detection": None},
    "detection without samples": {"extra/detection/samples": 0},
    "detection of more than there are": {"extra/detection/flipped": 10**6},
    "an area of 1.5": {"extra/detection/criteria/loss/auroc": 1.5},
    "an area is text": {"extra/detection/criteria/loss/auroc": "high"},
    "a curve of two points": {"extra/detection/criteria/loss/roc": [0.0, 1.0]},
    "a falling curve": {"extra/detection/criteria/loss/roc/50": -1.0},
    "criteria are text": {"extra/detection/criteria": "loss"},
    "a histogram of text": {"extra/detection/histogram": {"clean": ["a"] * 50}},
    "a histogram of one bin": {"extra/detection/histogram": {"clean": [1], "flipped": [0]}},
    "measures are a list": {"extra/measures": [1]},
    "a measure out of bounds": {"extra/measures/brier": 99.0},
    "told is text": {"extra/told": "noise_rate"},
    "test sets of 7": {"extra/test_sets": {"other": 7}},
    "images of no shape": {"extra/detection/drained": {"pixels": "eJw="}},
    "open set is null": {"extra/open_set": None},
    "open set without scores": {"extra/open_set/scores": {}},
    "a score is null": {"extra/open_set/scores/msp": None},
    "a share of the open set is 9": {"extra/open_set/scores/msp/oscr": 9},
    "known images are text": {"extra/open_set/known": "many"},
    "classes are null": {"extra/open_set/classes": None},
    "nested in what is not known": {"extra/more": [[[[[[[[1]]]]]]]]},
}  # fmt: skip
# What no part of a sound record is replaced by without a name above: every place gets each.
WRONG: tuple[Any, ...] = (None, "text", -1, 7.5, [], {}, [None, "a"], True, 10**18)


def signed(values: Mapping[str, Any]) -> bytes:
    """A record's text with the digest of its content, whatever that is: NaN too."""
    body = {key: value for key, value in values.items() if key != "digest"}
    digest = hashlib.sha256(_text(body)).hexdigest()
    return _text({**body, "digest": digest}) + b"\n"


def texts(sound: bytes) -> Iterator[tuple[str, bytes]]:
    """Texts that no reader may take for the record, by name."""
    values: Values = json.loads(sound)
    for name, changes in FORGED.items():
        changed = copy.deepcopy(values)
        for path, value in changes.items():
            put(changed, path, value)
        if changed != values:
            yield name, signed(changed)
    yield from _others(sound, values)


def replaced(sound: bytes) -> Iterator[tuple[str, bytes]]:
    """Every place of the record replaced by every value of another type, with the right digest.

    Some are records still: a text for a text. Readers may take these, and must go on with the rest.
    """
    values: Values = json.loads(sound)
    for path in places(values):
        for value in WRONG:
            changed = copy.deepcopy(values)
            put(changed, path, value)
            yield f"{path} = {value!r}", signed(changed)


def newer(sound: bytes) -> bytes:
    """The record of a later version: left alone, not damaged."""
    return signed({**json.loads(sound), "schema": 99, "joules": 2.5})


def files(outside: Path) -> dict[str, Craft]:
    """What may lie where a record should be, by name.

    Args:
        outside: a folder that is no part of the store, for what links lead to.
    """
    return {
        "a folder": lambda path, _: path.mkdir(),
        "a folder with a file": _folder,
        "a pipe": lambda path, _: os.mkfifo(path),
        "a socket": lambda path, _: os.mknod(path, stat.S_IFSOCK | 0o600),
        "a link to itself": lambda path, _: path.symlink_to(path.name),
        "a link to a device": lambda path, _: path.symlink_to("/dev/zero"),
        "a link to nothing": lambda path, _: path.symlink_to(outside / "nothing"),
        "a link to a record": lambda path, sound: _link(path, outside / "record.json", sound),
        "3 GB": _sparse,
        "nobody may read it": _closed,
        "empty": lambda path, _: path.touch(),
    }


def put(values: Values, path: str, value: Any) -> None:
    """Set what is at a path of keys and indices joined by "/"; nothing where there is no place."""
    *above, last = path.split("/")
    at: Any = values
    for key in above:
        at = _inside(at, key)
    if isinstance(at, list) and at:
        at[int(last)] = value
    elif isinstance(at, dict) and value is _GONE:
        at.pop(last, None)
    elif isinstance(at, dict):
        at[last] = value


def places(value: Any, path: str = "") -> Iterator[str]:
    """Every place in plain values; of a list the first."""
    inner: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list) and value:
        inner = [("0", value[0])]
    for key, one in inner:
        if key != "digest":
            yield path + key
            yield from places(one, f"{path}{key}/")


def _others(sound: bytes, values: Values) -> Iterator[tuple[str, bytes]]:
    for word in ("NaN", "Infinity", "-Infinity"):
        for path in ("metrics/last", "curves/train_loss/0", "timing/seconds", "extra/more"):
            changed = copy.deepcopy(values)
            put(changed, path, float(word))
            yield f"{path} is {word}", signed(changed)
    mark = {**values, "environment": {**values["environment"], "more": "MARK"}}
    digits = _text({k: v for k, v in mark.items() if k != "digest"})
    for name, inside in (
        ("1e999", b"1e999"),
        ("nested without end", b"[" * DEEP + b"]" * DEEP),
        ("objects without end", b'{"a":' * DEEP + b"1" + b"}" * DEEP),
    ):
        yield f"environment holds {name}", _signed_text(digits.replace(b'"MARK"', inside))
    yield "cut", sound[: len(sound) // 2]
    yield "one byte changed", sound.replace(b'"status":"ok"', b'"status":"oK"')
    yield "no object", b"[1, 2, 3]\n"
    yield "a number", b"1"
    yield "null", b"null"
    yield "not UTF-8", b"\xff\xfe" + sound
    yield "zeros", bytes(10_000)
    yield "an endless number", b'{"digest": ' + b"9" * 10_000 + b"}"
    yield "open brackets", b"[" * DEEP
    yield "digest is a number", sound.replace(b'"digest":"', b'"digest":1,"other":"')


def _signed_text(text: bytes) -> bytes:
    """The same of a text that no parser may take: the digest is in its usual place."""
    digest = b'"digest":"' + hashlib.sha256(text).hexdigest().encode() + b'",'
    at = text.index(b'"environment":')
    return text[:at] + digest + text[at:] + b"\n"


def _text(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, sort_keys=True, separators=(",", ":")).encode()


def _inside(at: Any, key: str) -> Any:
    if isinstance(at, list):
        return at[int(key)] if at else None
    return at.get(key) if isinstance(at, dict) else None


def _folder(path: Path, sound: bytes) -> None:
    path.mkdir()
    (path / "inside.json").write_bytes(sound)


def _link(path: Path, target: Path, sound: bytes) -> None:
    target.write_bytes(sound)
    path.symlink_to(target)


def _sparse(path: Path, _sound: bytes) -> None:
    with path.open("wb") as file:
        file.truncate(BIG)


def _closed(path: Path, sound: bytes) -> None:
    path.write_bytes(sound[:-20])  # whoever is root reads it all the same
    path.chmod(0)
