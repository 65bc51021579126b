"""Read the dictionaries of arrays that papers publish as .pt files, and execute nothing else."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nlbench.noise.errors import NoiseError

LARGEST = 2**30  # bytes; a label file is a few megabytes


def _latin1(text: str, encoding: str) -> bytes:
    # Protocol 2 writes bytes as a string and this one codec; others could unpack bombs.
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"text encoding {encoding!r} is not allowed")
    return text.encode("latin-1")


def _reconstruct(subtype: type, _shape: tuple[int, ...], _kind: bytes) -> Any:
    if subtype is not np.ndarray:
        raise pickle.UnpicklingError("only plain arrays are allowed")
    return np.empty(0, dtype=np.int8)  # the pickle sets shape, type and content next


_ALLOWED: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _latin1,
}


class _ArrayUnpickler(pickle.Unpickler):
    """An unpickler that accepts plain NumPy arrays and no other global."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"it names {module}.{name}, which label files have no use for"
            ) from None

    def persistent_load(self, _pid: Any) -> Any:
        raise pickle.UnpicklingError("it holds tensors; only NumPy arrays and lists are read")


def read_pt(path: str | Path) -> dict[str, Any]:
    """Return the dictionary of a .pt file (a zip with one pickle, as torch.save writes it).

    NoiseError if it is anything else, holds foreign code or tensors; nothing of it is run.
    """
    source = Path(path)
    try:
        payload = _payload(source)
        content = _ArrayUnpickler(io.BytesIO(payload)).load()
    except FileNotFoundError:
        raise NoiseError(f"{source}: no such file") from None
    except NoiseError:
        raise
    except Exception as error:  # noqa: BLE001  a damaged pickle can raise anything at all
        raise NoiseError(f"{source}: refused: {error or type(error).__name__}") from None
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise NoiseError(f"{source}: holds {type(content).__name__}, not a dictionary of arrays")
    return content


def _payload(source: Path) -> bytes:
    with zipfile.ZipFile(source) as archive:
        inner = [item for item in archive.infolist() if item.filename.endswith("data.pkl")]
        if len(inner) != 1:
            raise NoiseError(f"{source}: holds {len(inner)} pickles, a .pt file of labels has one")
        if inner[0].file_size > LARGEST:
            raise NoiseError(f"{source}: its pickle of {inner[0].file_size} bytes is too large")
        return archive.read(inner[0])
