"""Arrays in files: .npy and .npz, refused by their size before memory or time is spent.

NumPy makes room for what a header declares, and unpacks whatever an archive holds: a file of a few
hundred bytes can ask for terabytes. Here both are looked at first.
"""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

# Bytes of all arrays of one file together; a label file is a few megabytes.
LARGEST = 2**30
MOST_ARRAYS = 10_000
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_ZIP = b"PK\x03\x04"
_PART = 2**22


def load(path: Path, largest: int = LARGEST) -> NDArray[Any] | dict[str, NDArray[Any]]:
    """The array of a .npy file, or those of a .npz file by name; nothing in it is run.

    Args:
        path: of the file; its content decides which of both it is.
        largest: bytes that all arrays together may take up.

    Raises:
        OSError: it cannot be read.
        ValueError: no such file of plain arrays, damaged, or larger than allowed; also as
            zipfile.BadZipFile, zlib.error or EOFError.
    """
    if not path.is_file():
        raise FileNotFoundError(2, "no such file", str(path))
    with path.open("rb") as file:
        zipped = file.read(len(_ZIP)) == _ZIP
        file.seek(0)
        if not zipped:
            return _array(file, path.stat().st_size, largest)
    try:
        with zipfile.ZipFile(path) as archive:
            return _unpacked(archive, largest)
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or packed in a way of its own
        raise ValueError(str(error)) from None


def _unpacked(archive: zipfile.ZipFile, largest: int) -> dict[str, NDArray[Any]]:
    members = archive.infolist()
    if len(members) > MOST_ARRAYS:
        raise ValueError(f"{len(members):,} arrays in it; at most {MOST_ARRAYS:,} are read")
    # An archive that lies about this is cut off there, and its check sum does not fit.
    _check_size(sum(member.file_size for member in members), largest)
    found = {}
    for member in members:
        with archive.open(member) as packed:
            name = member.filename.removesuffix(".npy")
            found[name] = _array(packed, member.file_size, largest)
    return found


def _array(file: IO[bytes], size: int, largest: int) -> NDArray[Any]:
    """One array of a stream that has so many bytes."""
    try:
        version = npy.read_magic(file)
        if version not in _HEADERS:
            raise ValueError(f"version {version} of the format")
        shape, in_columns, dtype = _HEADERS[version](file)
    except Exception as error:  # noqa: BLE001  what a damaged header raises depends on its bytes
        raise ValueError(f"not an array of NumPy ({type(error).__name__}: {error})") from None
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are never read")
    if not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError(f"shape {shape} is none")
    declared = math.prod(shape) * dtype.itemsize
    _check_size(declared, largest)
    if declared > size:
        raise ValueError(f"its header declares {declared:,} bytes, there are {size:,}")
    content = np.empty(declared, dtype=np.uint8)
    _fill(content.data, file)
    values = content.view(dtype) if declared else np.empty(0, dtype)
    return values.reshape(shape, order="F" if in_columns else "C")


def _fill(content: memoryview, file: IO[bytes]) -> None:
    """Read all that is there, which must be just as much."""
    at = 0
    while at < len(content):
        part = file.read(min(_PART, len(content) - at))
        if not part:
            raise ValueError(f"its header declares {len(content):,} bytes, there are {at:,}")
        content[at : at + len(part)] = part
        at += len(part)
    if file.read(1):  # of an archive, this compares the check sum too
        raise ValueError(f"there is more than the {len(content):,} bytes its header declares")


def _check_size(size: int, largest: int) -> None:
    if size > largest:
        raise ValueError(f"{size:,} bytes of arrays; at most {largest:,} are read here")
