"""Arrays in files: what NumPy reads is read, and what is too large is refused before it is."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nlbench.noise import NoiseError, NoisyLabels, arrays
from nlbench.noise.files import as_labels, read_columns


def header(shape: str, dtype: str = "<f8") -> bytes:
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def packed(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def test_what_numpy_writes_is_read(tmp_path: Path) -> None:
    some: dict[str, Any] = {
        "rows": np.arange(12.0).reshape(3, 4),
        "columns": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "none": np.zeros((0, 5), np.uint8),
        "one": np.array(7),
        "texts": np.array(["a", "bc"]),
        "pairs": np.array([(1, 2.5)], dtype=[("x", "<i4"), ("y", "<f8")]),
        "flags": np.array([True, False]),
    }
    np.savez_compressed(tmp_path / "some.npz", **some)
    found = arrays.load(tmp_path / "some.npz")
    assert isinstance(found, dict)
    assert found.keys() == some.keys()
    for name, values in some.items():
        assert found[name].dtype == values.dtype
        assert np.array_equal(found[name], values)
        np.save(tmp_path / "one.npy", values)
        again = arrays.load(tmp_path / "one.npy")
        assert isinstance(again, np.ndarray)
        assert np.array_equal(again, values)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (header("(206158430208,)"), "1,649,267,441,664 bytes of arrays; at most 1,073,741,824"),
        (header("(99999999999999999999,)"), "bytes of arrays; at most"),
        (header("(1000,)") + bytes(100), "its header declares 8,000 bytes"),
        (header("(1,)") + bytes(9), "more than the 8 bytes"),
        (header("(-1,)"), "shape"),
        (header("(1,)", "O") + bytes(8), "Python objects"),
        (header("(" * 300), "not an array of NumPy"),
        (b"\x93NUMPY\x07\x00", "not an array of NumPy"),
        (b"", "not an array of NumPy"),
        (b"[1, 2]", "not an array of NumPy"),
    ],
)
def test_headers_that_lie_are_refused(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ValueError, match=says):
        arrays.load(tmp_path / "a.npy")
    with pytest.raises(NoiseError, match=says):
        read_columns(tmp_path / "a.npy")
    with pytest.raises(NoiseError, match="is not a file of noisy labels"):
        NoisyLabels.load(tmp_path / "a.npy")
    with pytest.raises(ValueError, match=says.replace("its header declares", "")):
        arrays.load(packed(tmp_path / "b.npz", a=content))


def test_archives_of_blanks_are_refused_by_what_they_unpack_to(tmp_path: Path) -> None:
    blanks = packed(tmp_path / "a.npz", a=header("(1000000,)") + bytes(8_000_000))
    assert blanks.stat().st_size < 20_000
    with pytest.raises(ValueError, match="at most 1,000,000 are read"):
        arrays.load(blanks, largest=10**6)
    many = tmp_path / "b.npz"
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(arrays.MOST_ARRAYS + 1):
            archive.writestr(f"{number}.npy", b"")
    with pytest.raises(ValueError, match="10,001 arrays in it; at most 10,000"):
        arrays.load(many)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", ",".join(map(str, range(1_000_000))) + "\n", "1,000,000 columns; at most 1,000"),
        ("a.csv", "noisy,noisy\n1,2\n", "two columns are called 'noisy'"),
        ("a.csv", "noisy\n1\n2,3\n", "row 3 has 2 cells"),
        ("a.csv", "", "is empty"),
        ("a.json", "[" * 100_000, "cannot be read"),
        ("a.json", "9" * 5000, "cannot be read"),
    ],
)
def test_tables_have_bounds(name: str, text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(NoiseError, match=says) as caught:
        read_columns(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [1e300, float("nan"), float("inf"), 10**30, 10**400, 2**64])
def test_numbers_beyond_64_bits_are_no_labels(value: float) -> None:
    with pytest.raises(NoiseError):
        as_labels(Path("a"), "noisy", [value])


def test_an_encrypted_archive_is_no_fault(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a.npy", header("(1,)") + bytes(8))
    raw = bytearray(content.getvalue())
    raw[6] |= 1  # in the file's own head
    raw[raw.index(b"PK\x01\x02") + 8] |= 1  # and in the list at the end
    (tmp_path / "a.npz").write_bytes(raw)
    with pytest.raises(ValueError, match="encrypted"):
        arrays.load(tmp_path / "a.npz")
