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

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.spec.canonical_json import canonical_json, sha256_of
from nlbench.benchmark.store import archive
from nlbench.noise import generator


def all_at_once(texts: dict[str, bytes]) -> bytes:
    """What an archive is to be, made the plain way."""
    digests = {run_id: hashlib.sha256(text).hexdigest() for run_id, text in texts.items()}
    body = {"kind": archive.KIND, "schema": archive.SCHEMA, "records": digests}
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
    for count in (200, 800):
        tracemalloc.start()
        archive.pack_each(tmp_path / "a.tar.gz", texts(count, 20_000))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2**20  # of 16 million bytes of records
    assert peaks[1] - peaks[0] < 600 * 600  # bytes a record, of 20,000


def test_what_cannot_be_written_is_an_error_of_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        archive.pack_each(tmp_path / "no folder" / "a.tar.gz", texts(3, 10))
