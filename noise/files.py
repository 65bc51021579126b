"""Reading what users and papers bring as files: flip maps, transition matrices, label columns."""

from __future__ import annotations

import csv
import hashlib
import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nlbench.noise import arrays
from nlbench.noise.errors import NoiseError, nearest
from nlbench.noise.registry import Scalar
from nlbench.noise.safe_pickle import read_pt

# Bytes; text takes up several times as much once it is read.
LARGEST = 2**28
MOST_COLUMNS = 1000
MATRIX_SUFFIXES = (".json", ".csv", ".npy")
Columns = Mapping[str, Any]


def find_file(name: str, folder: Path | None) -> Path:
    """Return the path of a named file: as given, or inside ``folder``."""
    places = [Path(name)] if folder is None else [folder / name, Path(name)]
    for path in places:
        if path.is_file():
            return path
    where = "" if folder is None else f" (neither here nor in {folder})"
    raise NoiseError(f"{name}: no such file{where}")


def file_facts(path: Path) -> dict[str, Scalar]:
    """Return what identifies a file in an artefact: its name and the SHA-256 of its bytes."""
    return {"file": path.name, "file_sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def read_targets(path: Path, num_classes: int) -> NDArray[np.int64]:
    """Read a flip map: K targets (class i flips to the i-th number), or source -> target pairs.

    .json: a list of K targets or an object {"source": target}. .npy: K targets. .csv: K lines with
    one target each, or lines "source,target" (a header line is skipped).
    """
    content = _load(path)
    if isinstance(content, Mapping):
        flips = {_integer(path, s): _integer(path, t) for s, t in content.items()}
    else:
        array = _integers(path, content)
        if array.ndim == 2 and array.shape[1] == 2:
            flips = dict(array.tolist())
        elif array.ndim == 1 and len(array) == num_classes:
            flips = dict(enumerate(array.tolist()))
        else:
            raise NoiseError(
                f"{path}: shape {array.shape} is neither {num_classes} targets nor pairs"
            )
    result = np.arange(num_classes, dtype=np.int64)
    for source, target in flips.items():
        if not (0 <= source < num_classes and 0 <= target < num_classes):
            raise NoiseError(f"{path}: {source}->{target} is outside 0..{num_classes - 1}")
        result[source] = target
    return result


def read_matrix(path: Path, num_classes: int) -> NDArray[np.float64]:
    """Read a K x K transition matrix with T[i][j] = P(noisy j | clean i); rows sum to 1.

    .npy, .json (a list of rows) or .csv (no header). NoiseError names what does not fit; a matrix
    whose columns sum to 1 instead is refused as transposed.
    """
    try:
        matrix = np.asarray(_load(path), dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise NoiseError(f"{path}: does not hold a matrix of numbers") from None
    if matrix.shape != (num_classes, num_classes):
        raise NoiseError(f"{path}: shape {matrix.shape}, expected {num_classes} x {num_classes}")
    if not np.isfinite(matrix).all() or matrix.min() < 0:
        raise NoiseError(f"{path}: entries must be finite and not negative")
    rows, columns = matrix.sum(axis=1), matrix.sum(axis=0)
    wrong = int(np.argmax(np.abs(rows - 1)))
    if abs(rows[wrong] - 1) > 1e-6:
        hint = "; its columns do: transpose it" if np.abs(columns - 1).max() <= 1e-6 else ""
        raise NoiseError(f"{path}: row {wrong} sums to {rows[wrong]:.6g}, not to 1{hint}")
    return matrix


def read_columns(path: Path) -> Columns:
    """Read the label columns of a published file, by name; an unnamed single one is called "".

    .csv, .npy, .npz, .json (a list, or an object of lists), .pt (read without running any code).
    """
    content = read_pt(path) if path.suffix == ".pt" else _load(path, header=True)
    if isinstance(content, Mapping):
        return content
    return {"": content}


def as_labels(path: Path, name: str, column: ArrayLike) -> NDArray[np.int64]:
    """Return a column as int64; NoiseError unless it is a flat list of whole numbers."""
    array = _integers(path, column)
    if array.ndim != 1:
        raise NoiseError(f"{path}: column '{name}' has shape {array.shape}, expected a flat list")
    return array


def pick(path: Path, columns: Columns, name: str) -> Any:
    """Return the column called ``name``; NoiseError with the nearest name if there is none."""
    if name not in columns:
        raise NoiseError(f"{path}: no column '{name}'; {nearest(name, map(str, columns))}")
    return columns[name]


def _load(path: Path, header: bool = False) -> Any:
    readers: dict[str, Callable[[Path], Any]] = {
        ".npy": arrays.load,
        ".npz": arrays.load,
        ".json": lambda path: json.loads(path.read_text(encoding="utf-8")),
        ".csv": _load_table if header else _load_numbers,
    }
    if path.suffix not in readers:
        raise NoiseError(f"{path}: unknown type '{path.suffix}'; {nearest(path.suffix, readers)}")
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise NoiseError(f"{path}: {size:,} bytes; a label file has at most {LARGEST:,}")
        return readers[path.suffix](path)
    except NoiseError:
        raise
    except Exception as error:  # noqa: BLE001  whatever a damaged file raises, the file is at fault
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NoiseError(f"{path}: cannot be read: {reason}") from None


def _load_rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = [[cell.strip() for cell in row] for row in csv.reader(file) if row]
    if not rows:
        raise NoiseError(f"{path}: is empty")
    width = len(rows[0])
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise NoiseError(f"{path}: row {number} has {len(row)} cells, the first has {width}")
    return rows


def _load_numbers(path: Path) -> NDArray[np.float64]:
    rows = _load_rows(path)
    rows = rows if _is_number(rows[0][0]) else rows[1:]
    array = np.array(rows, dtype=np.float64)
    return array[:, 0] if array.shape[1] == 1 else array


def _load_table(path: Path) -> dict[str, Any]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        first = [cell.strip() for cell in next(csv.reader(file), [])]
    bare = any(_is_number(cell) for cell in first)
    names = _names(path, first, bare)
    table = _load_integers(path, 0 if bare else 1)
    if table is not None and table.shape[1] == len(first):
        return dict(zip(names, table.T, strict=True))
    rows = _load_rows(path)
    bare = any(_is_number(cell) for cell in rows[0])
    names, rows = _names(path, rows[0], bare), rows if bare else rows[1:]
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def _names(path: Path, first: list[str], bare: bool) -> list[str]:
    if len(first) > MOST_COLUMNS:
        raise NoiseError(f"{path}: {len(first):,} columns; at most {MOST_COLUMNS:,} are read")
    if not bare:
        twice = next((name for name in first if first.count(name) > 1), None)
        if twice is not None:
            raise NoiseError(f"{path}: two columns are called {twice[:80]!r}")
        return first
    return [""] if len(first) == 1 else [str(number) for number in range(len(first))]


def _load_integers(path: Path, header: int) -> NDArray[np.int64] | None:
    """Return a table of nothing but integers, read by NumPy; None if it is not one."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of an empty table
        try:
            return np.loadtxt(
                path, np.int64, comments=None, delimiter=",", skiprows=header, ndmin=2,
                encoding="utf-8-sig",
            )  # fmt: skip
        except (ValueError, Warning):
            return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _integers(path: Path, values: ArrayLike) -> NDArray[np.int64]:
    try:
        numbers = np.asarray(values)
        if numbers.dtype.kind not in "iu":
            numbers = numbers.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        raise NoiseError(f"{path}: holds something that is not a number") from None
    if numbers.size and not abs(numbers).max() < 2**63:  # NaN is not below either
        raise NoiseError(f"{path}: holds numbers that are not finite, or beyond 64 bits")
    whole = numbers.astype(np.int64)
    if not np.array_equal(whole, numbers):
        raise NoiseError(f"{path}: holds numbers that are not whole")
    return whole


def _integer(path: Path, value: Any) -> int:
    return int(_integers(path, [value])[0])
