"""Published studies: folders that hold a suite's file, its records and the report made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.store import archive
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.results import RECORDS, check_unpublished
from nlbench.benchmark.suites import suite as suites
from nlbench.benchmark.suites.suite import Suite


@dataclass(frozen=True)
class Published:
    """One published study.

    Attributes:
        folder: where it is.
        suite: what was run, whatever the suite of this name declares by now.
    """

    folder: Path
    suite: Suite

    @property
    def command(self) -> str:
        """The suite file as a command names it at the root of the project."""
        return f"results/published/{self.suite.name}/{self.suite.name}.toml"

    def records(self) -> Iterator[RunRecord | str]:
        """Its records, and a line for each that is damaged; see :func:`archive.read`."""
        return archive.read(self.folder / RECORDS)


def folder_of(results: Path, name: str) -> Path:
    """Where the published study of this name is, or would be."""
    return results / "published" / name


def is_study(folder: Path) -> bool:
    """Whether this is the folder of a published study."""
    return (folder / RECORDS).is_file()


def find(asked: str, results: Path) -> Path | None:
    """The folder of the published study that is asked for by name or folder, if there is one."""
    places = (Path(asked), folder_of(results, asked))
    return next((place for place in places if is_study(place)), None)


def check_outside(results: Path, out: Path) -> None:
    """Refuse to write into a published study (UserError)."""
    if out.resolve().is_relative_to((results / "published").resolve()):
        raise UserError(f"report folder {out}: only `nlbench publish SUITE` changes what is there")
    check_unpublished(out)


def read(folder: Path) -> Published:
    """The published study in a folder.

    Raises:
        UserError: no records, no suite file of the folder's name, or one that cannot be read.
    """
    name = folder.resolve().name
    for file in (RECORDS, f"{name}.toml"):
        if not (folder / file).is_file():
            raise UserError(f"{folder}: no published study (no {file} in it)")
    return Published(folder, suites.load(str(folder / f"{name}.toml")))


def studies(results: Path) -> list[Path]:
    """The folders of all published studies, by name."""
    return sorted(path.parent for path in (results / "published").glob(f"[!.]*/{RECORDS}"))
