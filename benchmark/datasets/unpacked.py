"""Data sets unpacked once per machine: arrays in files that all processes map, in memory once.

An .npz file, gzipped idx files or JPEG images take seconds to unpack, and each process would hold
the whole of it. The arrays are written once, and mapped from then on. They are used only where the
files they come from have the sizes and times that are noted beside them, and where their
fingerprint is the one that is noted, too.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from nlbench.benchmark.datasets.base import Dataset, Pixels
from nlbench.benchmark.errors import UserError
from nlbench.noise import whole

if sys.platform != "win32":
    import fcntl

VERSION = 1
FACTS = "facts.json"
IN_DATA = "nlbench-unpacked"
# Bytes of the files below which each process reads the data set itself.
LEAST = 2**20
_PART = 256  # images
_PIXELS, _LABELS = ("x_train", "x_test"), ("y_train", "y_test")
_WORDS = ("family", "label", "class_names", "mean", "std", "given_labels")
Stamps = list[list[Any]]


class _DamagedError(Exception):
    """Arrays that are not what was written; the message gives the reason."""


def cache_dir() -> Path:
    """Where derived files are kept: NLBENCH_CACHE, else ``~/.cache/nlbench``."""
    named = os.environ.get("NLBENCH_CACHE")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "nlbench"


def places(root: Path) -> tuple[Path, ...]:
    """Where unpacked data sets of a data folder may be, the first that can be written to first.

    NLBENCH_CACHE where it is set; else the data folder, for whoever shares that, then the user's
    own cache.
    """
    own = cache_dir() / "unpacked"
    shared = not os.environ.get("NLBENCH_CACHE") and root.is_dir()
    return (root / IN_DATA, own) if shared else (own,)


def mapped(name: str, root: Path, files: Sequence[Path], make: Callable[[], Dataset]) -> Dataset:
    """The data set with its images mapped from the cache, where it is large; made if need be.

    Args:
        name: of the data set.
        root: the data folder.
        files: what it is read from.
        make: reads it.

    Raises:
        UserError: whatever ``make`` raises.
    """
    stamps = _stamps(files)
    if sum(size for _, size, _ in stamps) < LEAST:
        return make()
    folders = [place / _key(name, root) for place in places(root)]
    for folder in folders:
        if (found := _opened(name, folder, stamps)) is not None:
            return found
    made: list[Dataset] = []  # once, whatever cannot be written
    reasons = []
    for folder in folders:
        try:
            with _alone(folder):
                found = _opened(name, folder, stamps)  # another process was faster
                if found is not None:
                    return found
                made = made or [make()]
                _write(made[0], folder, stamps)
            return _opened(name, folder, stamps) or made[0]
        except OSError as error:
            reasons.append(f"{folder}: {error.strerror or error}")
    warnings.warn(
        f"data set {name!r} is not kept unpacked, so each process holds it: {'; '.join(reasons)}",
        stacklevel=2,
    )
    return made[0] if made else make()


def _key(name: str, root: Path) -> str:
    words = re.sub(r"[^A-Za-z0-9_.-]+", "-", name)[-60:]
    digest = hashlib.sha256(f"{name}\n{root.expanduser().resolve()}".encode()).hexdigest()
    return f"{words}-{digest[:16]}"


def _stamps(files: Sequence[Path]) -> Stamps:
    """Name, size and time of change of each file."""
    return [[path.name, (seen := path.stat()).st_size, seen.st_mtime_ns] for path in files]


def _opened(name: str, folder: Path, stamps: Stamps) -> Dataset | None:
    """What was unpacked from these very files, if it is there and whole."""
    try:
        return _read(name, folder, stamps)
    except _DamagedError as error:
        warnings.warn(f"{folder}: damaged ({error}); unpacked again", stacklevel=3)
        return None


def _read(name: str, folder: Path, stamps: Stamps) -> Dataset | None:
    try:
        facts = json.loads((folder / FACTS).read_bytes())
    except OSError:
        return None
    except ValueError as error:
        raise _DamagedError(f"{FACTS}: {error}") from error
    try:
        if (facts["version"], facts["files"]) != (VERSION, stamps):
            return None
        # Written to by nobody; "c" and not "r", for torch has no tensors that cannot be.
        images = {x: np.load(folder / f"{x}.npy", mmap_mode="c") for x in _PIXELS}
        labels = {y: np.load(folder / f"{y}.npy", allow_pickle=False) for y in _LABELS}
        words = {word: _tuple(facts[word]) for word in _WORDS}
        arrays = {x: image.transpose(0, 3, 1, 2) for x, image in images.items()}
        found = Dataset(name=name, **arrays, **labels, **words)
        sound = found.fingerprint == facts["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError, EOFError, UserError) as error:
        raise _DamagedError(f"{type(error).__name__}: {error}") from error
    if not sound:
        raise _DamagedError("another fingerprint than was written")
    return found


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _write(made: Dataset, folder: Path, stamps: Stamps) -> None:
    """Write the arrays, what is said of them last (OSError: they cannot be written)."""
    for x in _PIXELS:
        _write_images(getattr(made, x), folder / f"{x}.npy")
    for y in _LABELS:
        with whole.writing(folder / f"{y}.npy") as file:
            np.save(file, getattr(made, y))
    facts = {word: getattr(made, word) for word in _WORDS}
    facts |= {"version": VERSION, "files": stamps, "fingerprint": made.fingerprint}
    whole.write_text(folder / FACTS, json.dumps(facts))


def _write_images(images: Pixels, path: Path) -> None:
    """As (N, H, W, C), the order in which networks on a CPU read them, a part at a time."""
    last = images.transpose(0, 2, 3, 1)
    header = {"shape": last.shape, "fortran_order": False, "descr": npy.dtype_to_descr(last.dtype)}
    with whole.writing(path) as file:
        npy.write_array_header_1_0(file, header)
        for start in range(0, len(last), _PART):
            file.write(np.ascontiguousarray(last[start : start + _PART]).data)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Within, no other process unpacks the same, where files can be locked; the folder is there."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if sys.platform != "win32":
            with contextlib.suppress(OSError):  # a file system without locks: both unpack
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
