"""The idx format of MNIST and its relatives, plain or gzipped."""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nlbench.benchmark.errors import UserError

_UNSIGNED_BYTE = 0x08


def find(folder: Path, stem: str) -> Path | None:
    """The file ``stem`` or ``stem.gz`` in ``folder``, the plain one first; None if neither is."""
    candidates = (folder / stem, folder / f"{stem}.gz")
    return next((path for path in candidates if path.is_file()), None)


def read(path: Path, ndim: int, md5: str | None = None) -> npt.NDArray[np.uint8]:
    """Read an idx file of unsigned bytes.

    The header is two zero bytes, the type, the number of dimensions, then each dimension as a
    big-endian 32-bit integer; the data must fill the rest exactly.

    Args:
        path: the file; a name ending in ".gz" is decompressed.
        ndim: how many dimensions are expected.
        md5: of the uncompressed file; not checked if None.

    Raises:
        UserError: the file cannot be read, is damaged, or is not such a file.
    """
    raw = _read_bytes(path)
    if md5 is not None:
        found = hashlib.md5(raw, usedforsecurity=False).hexdigest()
        if found != md5:
            raise UserError(
                f"{path}: damaged or another file: its uncompressed md5 is {found}, "
                f"the official one is {md5}; remove the file or replace it"
            )
    return parse(raw, ndim, str(path))


def parse(raw: bytes, ndim: int, where: str) -> npt.NDArray[np.uint8]:
    """Decode the bytes of an uncompressed idx file; ``where`` names it in errors."""
    if len(raw) < 4 or raw[:2] != b"\0\0":
        raise UserError(f"{where}: not an idx file (it must begin with two zero bytes)")
    if raw[2] != _UNSIGNED_BYTE:
        raise UserError(f"{where}: idx type 0x{raw[2]:02x}; unsigned bytes (0x08) are needed")
    if raw[3] != ndim:
        raise UserError(f"{where}: {raw[3]} dimensions; {ndim} are needed")
    start = 4 + 4 * ndim
    if len(raw) < start:
        raise UserError(f"{where}: the idx header is cut off after {len(raw)} bytes")
    shape = tuple(int(n) for n in np.frombuffer(raw, dtype=">u4", count=ndim, offset=4))
    if len(raw) - start != math.prod(shape):
        raise UserError(
            f"{where}: {len(raw) - start} bytes of data; shape {shape} needs {math.prod(shape)}"
        )
    return np.frombuffer(raw, dtype=np.uint8, offset=start).reshape(shape)


def _read_bytes(path: Path) -> bytes:
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rb") as stream:
                return stream.read()
        return path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
