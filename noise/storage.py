"""One file per label set: an .npz without pickles whose JSON header is checked on reading."""

from __future__ import annotations

import hashlib
import json
import math
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlbench.noise import arrays as files
from nlbench.noise import whole
from nlbench.noise.errors import NoiseError
from nlbench.noise.labels import NoisyLabels
from nlbench.noise.spec import NoiseSpec

FORMAT = "nlbench-noisy-labels"
SCHEMA = 1

_UNREADABLE = (
    OSError, ValueError, KeyError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def save(labels: NoisyLabels, path: str | Path) -> Path:
    """Write ``labels`` to exactly ``path`` (whole or not at all)."""
    target = Path(path)
    arrays: dict[str, NDArray[Any]] = {"clean": labels.clean, "noisy": labels.noisy}
    if labels.replaced is not None and labels.source is not None:
        arrays |= {"replaced": labels.replaced, "source": labels.source}
    header: dict[str, Any] = {"format": FORMAT, "schema": SCHEMA, **labels.describe()}
    header["digest"] = _digest(header)
    text = json.dumps(header, sort_keys=True, ensure_ascii=True, allow_nan=False)
    arrays["header"] = np.frombuffer(text.encode(), dtype=np.uint8)
    try:
        with whole.writing(target) as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
    except OSError as error:
        raise NoiseError(f"{target}: cannot be written ({error.strerror or error})") from None
    return target


def load(path: str | Path) -> NoisyLabels:
    """Read and verify a saved label set: header digest, fingerprint, rates, transition counts."""
    source = Path(path)
    arrays, header = _read(source)
    if header.get("format") != FORMAT:
        raise NoiseError(f"{source}: is not a file of noisy labels")
    if header.get("schema") != SCHEMA:
        raise NoiseError(f"{source}: schema {header.get('schema')!r}, this version reads {SCHEMA}")
    if header.get("digest") != _digest(header):
        raise NoiseError(f"{source}: the header does not match its own digest")
    try:
        labels = NoisyLabels(
            noisy=arrays["noisy"],
            clean=arrays["clean"],
            num_classes=header["num_classes"],
            spec=NoiseSpec.parse(header["spec"]),
            seed=header["seed"],
            dataset=header["dataset"],
            replaced=arrays.get("replaced"),
            source=arrays.get("source"),
            details=header["details"],
            generator=header["generator"],
        )
    except (KeyError, NoiseError) as error:
        raise NoiseError(f"{source}: {error}") from None
    for name, value in labels.describe().items():
        if not _same(header.get(name), value):
            raise NoiseError(
                f"{source}: {name} in the header disagrees with the labels "
                f"({_short(header.get(name))} and {_short(value)})"
            )
    return labels


def _read(source: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    try:
        arrays = files.load(source)
        if not isinstance(arrays, dict):
            raise ValueError("a single array")
        header = json.loads(arrays.pop("header").tobytes().decode())
    except FileNotFoundError:
        raise NoiseError(f"{source}: no such file") from None
    except _UNREADABLE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NoiseError(f"{source}: is not a file of noisy labels ({reason})") from None
    if not isinstance(header, dict):
        raise NoiseError(f"{source}: is not a file of noisy labels (no header)")
    return arrays, header


def _digest(header: dict[str, Any]) -> str:
    rest = {name: value for name, value in header.items() if name != "digest"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=0.0, abs_tol=1e-15)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
