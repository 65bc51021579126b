"""Records at a URL: an object a record, named by its run and by SHA-256 of its content.

So what is there is known from names and sizes alone, a record never takes another's place, several
machines may push at once, and whatever was interrupted goes on where it stopped. Filesystems are
those of fsspec: ``file``, ``memory``, ``s3`` where s3fs is installed, and so on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.store.files import LIMIT
from nlbench.benchmark.store.record import DamagedRecord, RunRecord
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.store.verified import verified

# Objects that are sent or fetched at a time, side by side where the filesystem can.
BATCH = 64
_NAME = re.compile(r"(?P<run>[0-9a-f]{16})-(?P<digest>[0-9a-f]{64})\.json")
T = TypeVar("T")


@dataclass(frozen=True)
class Pushed:
    """What a push did.

    Attributes:
        sent: records that were written.
        same: records that were there.
    """

    sent: int
    same: int


@dataclass(frozen=True)
class Remote:
    """A place for records.

    Attributes:
        url: as the user gave it.
        path: what the filesystem calls it.
        files: a filesystem of fsspec.
    """

    url: str
    path: str
    files: Any

    @classmethod
    def open(cls, url: str) -> Remote:
        """The place of a URL; nothing is asked of it yet.

        Raises:
            UserError: no URL, or what it needs is not installed.
        """
        if "://" not in url:
            raise UserError(
                f"{url!r:.200} is no URL such as s3://bucket/study or file:///folder; `nlbench"
                " store merge` takes in a folder"
            )
        try:
            import fsspec
        except ImportError as error:
            raise UserError("URLs need fsspec: pip install 'nlbench[remote]'") from error
        files, path = _asked(url, lambda: fsspec.core.url_to_fs(url))
        return cls(url, path.rstrip("/"), files)

    def push(self, records: Iterable[RunRecord]) -> Pushed:
        """Write the records that are not there yet, and read each again.

        Raises:
            UserError: the place cannot be written, or holds something else after that.
        """
        there, sent, same = self._objects(), 0, 0
        for batch in _batches(records):
            texts = {self._place(text, r.run_id): text for r, text in _with_texts(batch)}
            # What an interrupted write left is shorter.
            new = {p: text for p, text in texts.items() if there.get(p) != len(text)}
            self._write(new)
            sent, same = sent + len(new), same + len(texts) - len(new)
        return Pushed(sent, same)

    def pull(self, store: Store) -> Iterator[RunRecord | str]:
        """The records that a store does not have, and a line for each object that is damaged.

        Raises:
            UserError: it cannot be read, or holds no records.
        """
        objects = self._objects()
        if not objects:
            raise UserError(f"{self.url}: holds no records of `nlbench store push`")
        wanted: list[str] = []
        for place, size in sorted(objects.items()):
            if size > LIMIT:
                yield f"{place}: has {size:,} bytes, a record at most {LIMIT:,}"
            elif not _has(store, place):
                wanted.append(place)
        for batch in _batches(wanted):
            contents = self._read(batch)
            yield from (_checked(place, contents.get(place, b"")) for place in batch)

    def _place(self, text: bytes, run_id: str) -> str:
        return f"{self.path}/{run_id}-{_sha256(text)}.json"

    def _objects(self) -> dict[str, int]:
        """Size of every record there, by place."""
        self.files.invalidate_cache()
        found = _asked(self.url, lambda: self.files.find(self.path, detail=True))
        return {
            place: int(info["size"])
            for place, info in found.items()
            if _NAME.fullmatch(place.rpartition("/")[2])
        }

    def _write(self, texts: Mapping[str, bytes]) -> None:
        if not texts:
            return
        _asked(self.url, lambda: self.files.makedirs(self.path, exist_ok=True))
        _asked(self.url, lambda: self.files.pipe(dict(texts)))
        read = self._read(list(texts))
        for place, text in texts.items():
            if read.get(place) != text:
                raise UserError(f"{place}: what was written is not what is read; push again")

    def _read(self, places: Sequence[str]) -> Mapping[str, bytes | Exception]:
        found: Mapping[str, bytes | Exception] = _asked(
            self.url, lambda: self.files.cat(list(places), on_error="return")
        )
        return found


def _asked(url: str, ask: Callable[[], T]) -> T:
    """What a filesystem answers; each has errors of its own (UserError)."""
    try:
        return ask()
    except Exception as error:
        line = " ".join(str(error).split()) or "no details"
        raise UserError(f"{url}: {type(error).__name__}: {line:.300}") from error


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _with_texts(records: Iterable[RunRecord]) -> Iterator[tuple[RunRecord, bytes]]:
    return ((record, record.to_json().encode()) for record in records)


def _has(store: Store, place: str) -> bool:
    """Whether a store has this very record."""
    name = _NAME.fullmatch(place.rpartition("/")[2])
    try:
        return name is not None and _sha256(store.content(name["run"])) == name["digest"]
    except (FileNotFoundError, DamagedRecord, UserError):
        return False


def _checked(place: str, content: bytes | Exception) -> RunRecord | str:
    """The record in an object, or why it is none."""
    if isinstance(content, Exception):
        return f"{place}: cannot be read ({type(content).__name__}: {content})"
    name = _NAME.fullmatch(place.rpartition("/")[2])
    if name is None or _sha256(content) != name["digest"]:
        return f"{place}: its content does not have the digest in its name"
    try:
        record = verified(content)
    except (DamagedRecord, UserError) as error:
        return f"{place}: {error}"
    return record if record.run_id == name["run"] else f"{place}: holds run {record.run_id}"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
