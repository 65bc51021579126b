"""Archive: run records in one file with digests."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import tarfile
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.store import manifest
from nlbench.benchmark.store.files import LIMIT, kind
from nlbench.benchmark.store.manifest import Manifest
from nlbench.benchmark.store.plain_values import printable
from nlbench.benchmark.store.record import DamagedRecord, RunRecord
from nlbench.benchmark.store.spool import Sorted, Spool
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.store.verified import verified
from nlbench.noise import whole

MANIFEST = "manifest.json"
# How often its own size an archive may unpack to. Records shrink to a third or a fifth.
EXPANSION = 100
BLOCK = 512  # of a tar file
# Bytes that wait in memory before anything is written to disk.
MEMORY = 32 * 2**20
# Members that only describe the next one: what other programs add when they pack files again.
_HEADERS = frozenset((tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE))


def write(path: Path, records: Iterable[RunRecord]) -> int:
    """Write records into one gzipped tar, whole or not at all; equal records give equal bytes.

    The first member is the manifest: kind, schema, SHA-256 of every record's file by run id, and
    the digest of all of that. One record is in memory at a time: all wait in a file without a name
    beside the archive, for the digests come first.

    Returns:
        How many records are in it.

    Raises:
        UserError: the file cannot be written.
    """
    return pack_each(path, ((record.run_id, record.to_json().encode()) for record in records))


def pack(path: Path, texts: Mapping[str, bytes]) -> None:
    """Write texts of records, by run id, as they are (UserError: see :func:`write`)."""
    pack_each(path, texts.items())


def pack_each(path: Path, texts: Iterable[tuple[str, bytes]]) -> int:
    """The same of run ids and texts as they come; how many there are."""
    # What is no plain file, such as /dev/stdout, has no room beside it.
    beside = None if path.exists() and not path.is_file() else str(path.absolute().parent)
    try:
        with (
            tempfile.SpooledTemporaryFile(MEMORY, dir=beside) as kept,
            tempfile.SpooledTemporaryFile(MEMORY, dir=beside) as listed,
        ):
            spool = Spool(kept)
            for run_id, text in texts:
                spool.add(run_id, text)
            found = spool.sorted()
            for part in manifest.written(found):
                listed.write(part)
            # Without name and time in its header, so that the bytes depend on the records alone.
            with (
                whole.writing(path) as file,
                gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed,
            ):
                _pack(packed, listed, found)
            return len(found)
    except OSError as error:
        raise UserError(f"archive {path}: cannot be written ({error.strerror or error})") from error


def read(path: Path) -> Iterator[RunRecord | str]:
    """The sound records of an archive, and a line for each that is damaged, foreign or missing.

    The file is read from its beginning and nothing is unpacked to disk, so what precedes a cut or a
    damaged place is still had.

    Raises:
        UserError: no such file, or not an archive of run records (e.g. its manifest is damaged).
    """
    try:
        seen = path.stat()
        if not stat.S_ISREG(seen.st_mode):
            raise UserError(f"archive {path}: is {kind(seen)}")
        with gzip.open(path) as file:
            members = _members(file, manifest.LIMIT + EXPANSION * seen.st_size)
            listed = _manifest(path, file, next(members, None))
            try:
                for info in members:
                    run_id = info.name.removesuffix(".json")
                    where, content = f"{path}, {printable(info.name)}", _content(file, info)
                    yield _checked(where, listed.expected(run_id), content, run_id)
            except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
                yield f"{path}: damaged from here on ({error})"
            for run_id in listed.missing():
                yield f"{path}, {printable(run_id)}.json: is in the manifest but not in the file"
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"archive {path}: cannot be read ({reason})") from error


def stored(store: Store, run_ids: Iterable[str] | None = None) -> Iterator[RunRecord | str]:
    """The records of a store (of these runs, or all), and a line for each that cannot be had."""
    if run_ids is None:
        yield from store.closed()
    for run_id in store.ids() if run_ids is None else run_ids:
        try:
            record = store.read(run_id)
        except (DamagedRecord, UserError) as error:
            yield str(error)
            continue
        if record is not None:
            yield record


def open_folder(folder: Path) -> Store:
    """The store in a folder: a results folder, or the store itself (UserError if neither)."""
    runs = folder / "runs"
    return Store.open(runs if runs.is_dir() else folder)


def _pack(file: gzip.GzipFile, listed: IO[bytes], found: Sorted) -> None:
    with tarfile.open(fileobj=file, mode="w|", format=tarfile.USTAR_FORMAT) as tar:
        info = tarfile.TarInfo(MANIFEST)
        info.size = listed.seek(0, os.SEEK_END)
        listed.seek(0)
        tar.addfile(info, listed)
        for kept in found:
            info, content = tarfile.TarInfo(f"{kept.run_id}.json"), found.text(kept)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def _members(file: gzip.GzipFile, most: int) -> Iterator[tarfile.TarInfo]:
    """What is in a tar file, each before its content, which the caller may read, or a part of it.

    :mod:`tarfile` would read some headers whole whatever their size, so only plain blocks are read.

    Args:
        file: unpacked.
        most: bytes it may have.

    Raises:
        tarfile.TarError, OSError, EOFError: it is damaged, or larger.
    """
    seen, limit = 0, manifest.LIMIT
    while len(block := file.read(BLOCK)) == BLOCK and any(block):
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        seen += BLOCK + info.size
        if not 0 <= info.size <= limit or seen > most:
            raise tarfile.ReadError(f"{info.size:,} bytes in one file, {seen:,} in all so far")
        end = file.tell() + info.size
        if info.type not in _HEADERS:
            limit = LIMIT
            yield info
        while left := end - file.tell():
            if not file.read(min(left, LIMIT)):
                raise EOFError("it ends too early")
        file.read(-info.size % BLOCK)
    if len(block) < BLOCK:
        raise EOFError("it ends too early")


def _content(file: gzip.GzipFile, info: tarfile.TarInfo) -> bytes | str:
    """What a member holds, or why that is not read (EOFError: not all of it is there)."""
    if not info.isreg():
        return "is no plain file"
    content = file.read(info.size)
    if len(content) < info.size:
        raise EOFError("it ends too early")
    return content


def _manifest(path: Path, file: gzip.GzipFile, info: tarfile.TarInfo | None) -> Manifest:
    """The verified manifest, which is the first member (UserError: it is not)."""
    foreign = f"archive {path}: not an archive of `nlbench store export`"
    if info is None or info.name != MANIFEST or not info.isreg():
        raise UserError(foreign)
    try:
        return manifest.read(file, info.size)
    except manifest.ForeignError as error:
        raise UserError(foreign) from error
    except manifest.UnsoundError as error:
        raise UserError(f"archive {path}: {error}") from error


def _checked(
    where: str, expected: bytes | None, content: bytes | str, run_id: str
) -> RunRecord | str:
    if isinstance(content, str):
        return f"{where}: {content}"
    if expected is None:
        return f"{where}: is not in the manifest"
    if hashlib.sha256(content).digest() != expected:
        return f"{where}: does not agree with the manifest"
    try:
        record = verified(content)
    except (DamagedRecord, UserError) as error:
        return f"{where}: {error}"
    if record.run_id != run_id:
        return f"{where}: holds run {record.run_id}"
    return record
