"""Files for the benchmark of models that read one, in the layouts in which papers publish them."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlbench.noise.make import make

Labels = NDArray[np.int64]


def write(name: str, folder: Path, labels: Labels, num_classes: int) -> Path:
    """Write the file called ``name`` for these clean labels; KeyError if none is known by it.

    labels.*: a share of 0.2 of the labels is wrong. matrix.*: keeps 0.6 of every class.
    CIFAR-*_human.pt: the keys of the published files, pickled as torch.save pickles arrays.
    """
    path = folder / name
    path.write_bytes(_WRITERS[name](labels, num_classes))
    return path


def _noisy(labels: Labels, num_classes: int) -> Labels:
    return make("pair:0.2", labels, num_classes=num_classes, seed=0).noisy


def _npy_bytes(array: NDArray[np.int64] | NDArray[np.float64]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _csv(labels: Labels, num_classes: int) -> bytes:
    pairs = zip(labels.tolist(), _noisy(labels, num_classes).tolist(), strict=True)
    return ("label,label_noisy\n" + "".join(f"{a},{b}\n" for a, b in pairs)).encode()


def _matrix(num_classes: int) -> NDArray[np.float64]:
    eye = np.eye(num_classes)
    near: NDArray[np.float64] = 0.3 * np.roll(eye, 2, axis=1) + 0.1 * np.roll(eye, -1, axis=1)
    return 0.6 * eye + near


def _matrix_csv(_labels: Labels, num_classes: int) -> bytes:
    return "".join(",".join(map(repr, r)) + "\n" for r in _matrix(num_classes).tolist()).encode()


def _human10(labels: Labels, num_classes: int) -> bytes:
    names = ["aggre_label", "worse_label", *(f"random_label{i}" for i in (1, 2, 3))]
    noisy = _noisy(labels, num_classes)
    return _pt({"clean_label": labels, **dict.fromkeys(names, noisy)})


def _human100(labels: Labels, num_classes: int) -> bytes:
    noisy = _noisy(labels, num_classes)
    coarse = {"clean_coarse_label": (labels // 5).tolist()}
    coarse["noisy_coarse_label"] = (noisy // 5).tolist()
    return _pt({"clean_label": labels, "noisy_label": noisy, **coarse})


def _pt(columns: dict[str, object]) -> bytes:
    copies = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in columns.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(copies, protocol=2))
    return buffer.getvalue()


_WRITERS: dict[str, Callable[[Labels, int], bytes]] = {
    "labels.npy": lambda labels, k: _npy_bytes(_noisy(labels, k)),
    "labels.csv": _csv,
    "labels.json": lambda labels, k: json.dumps(_noisy(labels, k).tolist()).encode(),
    "matrix.npy": lambda _labels, k: _npy_bytes(_matrix(k)),
    "matrix.csv": _matrix_csv,
    "CIFAR-10_human.pt": _human10,
    "CIFAR-100_human.pt": _human100,
}
