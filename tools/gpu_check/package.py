"""The archive: summary, logs, tables and records in one file of bounded size."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nlbench.benchmark.store import archive
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.store import Store
from tools.gpu_check.conduct import Done
from tools.gpu_check.steps import Place

NAME = "gpu-check"
# What comes back: files of at most 16 MiB. Texts shrink in the archive, records are
# packed already, noise does not shrink: the parts together stay below that.
TEXT_LIMIT, TEXTS_LIMIT, RECORDS_LIMIT = 2**20, 6 * 2**20, 8 * 2**20


def write(place: Place, done: Sequence[Done], facts: Mapping[str, Any], out: Path) -> Path:
    """``out/gpu-check.tar.gz``, and the summary beside it; whole or not at all.

    Args:
        place: where the steps work.
        done: what became of them so far.
        facts: what else the summary holds.
        out: folder.
    """
    out.mkdir(parents=True, exist_ok=True)
    records, notes = _records(place)
    texts, left_out = _texts(place)
    summary = {**facts, "steps": [asdict(step) for step in done], "notes": [*notes, *left_out]}
    said = (json.dumps(summary, indent=1) + "\n").encode()
    path, temporary = out / f"{NAME}.tar.gz", out / f".{NAME}.tar.gz"
    with tarfile.open(temporary, "w:gz") as tar:
        for name, content in {"summary.json": said, **texts, **records}.items():
            info = tarfile.TarInfo(f"{NAME}/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    temporary.replace(path)
    (out / "summary.json").write_bytes(said)
    return path


def _records(place: Place) -> tuple[dict[str, bytes], list[str]]:
    """The export of the store, of as many records as fit, and a line for each that is not in it."""
    runs = place.results / "runs"
    if not runs.is_dir():
        return {}, []
    found = list(archive.stored(Store.open(runs)))
    notes = [item for item in found if isinstance(item, str)]
    records = [item for item in found if isinstance(item, RunRecord)]
    packed = place.work / "records.tar.gz"
    kept = records
    while kept:
        archive.write(packed, kept)
        if packed.stat().st_size <= RECORDS_LIMIT:
            break
        kept = kept[: len(kept) // 2]
    if len(kept) < len(records):
        notes.append(f"{len(records) - len(kept)} of {len(records)} records do not fit")
    return ({packed.name: packed.read_bytes()} if kept else {}), notes


def _texts(place: Place) -> tuple[dict[str, bytes], list[str]]:
    """Tables first, whole; then junit files and logs, of a long one its beginning and its end."""
    texts: dict[str, bytes] = {}
    notes: list[str] = []
    for path in _files(place):
        # Part of a table could not be read.
        content = path.read_bytes() if _is_table(path) else bounded(path, TEXT_LIMIT)
        name = f"{path.parent.name}/{path.name}"
        if sum(map(len, texts.values())) + len(content) > TEXTS_LIMIT:
            notes.append(f"{name} does not fit")
            continue
        texts[name] = content
    return texts, notes


def _files(place: Place) -> Iterator[Path]:
    for folder in (place.tables, place.logs):
        if folder.is_dir():
            # Hidden: half of a table, of a step that was killed while it wrote.
            found = [p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")]
            yield from sorted(found, key=lambda path: (not _is_table(path), path.name))


def _is_table(path: Path) -> bool:
    return path.suffix == ".json"


def bounded(path: Path, limit: int) -> bytes:
    """The content of a file, or its beginning and its end with a line on what is left out."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= limit:
            return file.read(limit)
        head = file.read(limit // 2)
        file.seek(size - limit // 2)
        tail = file.read(limit // 2)
    return head + f"\n... {size - len(head) - len(tail)} bytes left out ...\n".encode() + tail
