"""Archives of many records: the same bytes as from memory, and little memory."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.spec.canonical_json import canonical_json, sha256_of
from nlbench.benchmark.store import archive, manifest
from nlbench.noise import generator


def all_at_once(texts: dict[str, bytes]) -> bytes:
    """What an archive is to be, made the plain way."""
    digests = {run_id: hashlib.sha256(text).hexdigest() for run_id, text in texts.items()}
    body = {"kind": "nlbench-records", "schema": 1, "records": digests}
    manifest = canonical_json({**body, "digest": sha256_of(body)}).encode()
    members = {"manifest.json": manifest} | {f"{r}.json": texts[r] for r in sorted(texts)}
    held = io.BytesIO()
    with (
        gzip.GzipFile(filename="", fileobj=held, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return held.getvalue()


def texts(count: int, size: int) -> Iterator[tuple[str, bytes]]:
    draws = generator("test-spool", count)
    for run in draws.permutation(count).tolist():
        yield hashlib.sha256(str(run).encode()).hexdigest()[:16], draws.bytes(size)


@pytest.mark.parametrize("count", [0, 1, 40])
@pytest.mark.parametrize("memory", [0, archive.MEMORY])
def test_the_bytes_are_those_of_the_plain_way(
    count: int, memory: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MEMORY", memory)
    found = list(texts(count, 3000))
    assert archive.pack_each(tmp_path / "a.tar.gz", iter(found)) == count
    assert (tmp_path / "a.tar.gz").read_bytes() == all_at_once(dict(found))
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]


def test_the_last_text_of_a_run_counts(tmp_path: Path) -> None:
    found = [*texts(5, 100), *((run_id, b"later") for run_id, _ in texts(2, 1))]
    assert archive.pack_each(tmp_path / "a.tar.gz", found) == 5
    assert (tmp_path / "a.tar.gz").read_bytes() == all_at_once(dict(found))


def test_memory_does_not_grow_with_the_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MEMORY", 2**16)
    peaks = []
    for count in (1, 400, 1600):  # of one: what Python buffers by itself, 3 MB in 3.14
        tracemalloc.start()
        archive.pack_each(tmp_path / "a.tar.gz", texts(count, 20_000))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] - peaks[0] < 2**20  # of 32 million bytes of records
    assert peaks[2] - peaks[1] < 1200 * 600  # bytes a record, of 20,000


def texts_of(count: int) -> dict[str, bytes]:
    return dict(texts(count, 10))


def listed_text(count: int) -> bytes:
    """The manifest of an archive, as the plain way packs it."""
    with tarfile.open(fileobj=io.BytesIO(all_at_once(texts_of(count)))) as tar:
        member = tar.extractfile("manifest.json")
        assert member is not None
        return member.read()


@pytest.mark.parametrize("count", [1, 7, 30])
def test_a_large_manifest_is_read_like_a_small_one(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "_BATCH", 7)
    text, found = listed_text(count), texts_of(count)
    small = manifest.read(io.BytesIO(text), len(text))
    monkeypatch.setattr(manifest, "LARGE", 0)
    large = manifest.read(io.BytesIO(text + b"more"), len(text))
    for run_id, content in found.items():
        wanted = hashlib.sha256(content).digest()
        assert small.expected(run_id) == large.expected(run_id) == wanted
    assert large.expected("0" * 16) is large.expected("") is large.expected("é\udc80") is None
    assert list(large.missing()) == list(small.missing()) == []
    again = manifest.read(io.BytesIO(text), len(text))
    assert list(again.missing()) == sorted(found)


TEXT = listed_text(12)


@settings(max_examples=60)
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.booleans())
def test_a_large_manifest_that_is_not_to_the_byte_what_was_written_is_refused(
    at: int, byte: int, cut: bool
) -> None:
    text = bytearray(TEXT)
    at %= len(text)
    if cut:
        text = text[:at]
    elif text[at] == byte:
        return
    else:
        text[at] = byte
    with pytest.raises((manifest.ForeignError, manifest.UnsoundError, EOFError)):
        manifest._large(io.BytesIO(bytes(text)), len(TEXT))


def test_what_cannot_be_written_is_an_error_of_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        archive.pack_each(tmp_path / "no folder" / "a.tar.gz", texts(3, 10))
