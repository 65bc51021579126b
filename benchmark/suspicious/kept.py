"""Finished folds in files: the same command goes on from what is done."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from nlbench.benchmark.machine.version import version
from nlbench.benchmark.runs.method_source import method_source
from nlbench.benchmark.runs.part_sources import network_source
from nlbench.benchmark.spec.canonical_json import sha256_of
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.suspicious.judge import Probabilities
from nlbench.noise import whole


def identity(spec: RunSpec, samples: str, folds: int) -> str:
    """SHA-256 of what decides the probabilities: method and network, recipe, data, folds."""
    sources = method_source(spec.method.name), *filter(None, [network_source(spec.model)])
    return sha256_of([version(), spec.to_dict(), *sources, samples, folds])


def save(folder: Path, fold: int, probabilities: Probabilities) -> None:
    """Keep the probabilities of a fold."""
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.save(buffer, probabilities.astype("<f8"), allow_pickle=False)
    whole.write_bytes(_path(folder, fold), buffer.getvalue())


def load(
    folder: Path, fold: int, shape: tuple[int, int], tell: Callable[[str], None]
) -> Probabilities | None:
    """What was kept of a fold, or ``None``; a file that is no such thing is told of."""
    path = _path(folder, fold)
    if not path.is_file():
        return None
    try:
        found: Probabilities = np.load(path, allow_pickle=False)
        sound = (
            found.shape == shape
            and found.dtype == np.float64
            and np.allclose(found.sum(axis=1), 1)
            and float(found.min()) >= 0
        )
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError):
        sound = False
    if sound:
        return found
    tell(f"{path} is damaged: its fold is trained again")
    return None


def _path(folder: Path, fold: int) -> Path:
    return folder / f"fold-{fold}.npy"
