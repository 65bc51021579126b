"""Which files a report wrote, so that the next one in the same folder removes what is stale."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nlbench.reports.errors import ReportError
from nlbench.reports.render.files import write_text

FILE = "nlbench-files.txt"
_HEADS = {False: "# whole study", True: "# part of a study"}


@dataclass(frozen=True)
class Manifest:
    """What nlbench wrote into a folder.

    Attributes:
        files: relative to the folder, with ``/``; the list itself is not among them.
        part: whether the report is of a part of a study; ``None`` where there is no list.
    """

    files: frozenset[str] = frozenset()
    part: bool | None = None


def read(folder: Path) -> Manifest:
    """What earlier reports wrote here; empty where there is no list.

    Raises:
        ReportError: the list cannot be read.
    """
    path = folder / FILE
    try:
        lines = path.read_text("utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return Manifest()
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"{path}: cannot be read ({error})") from error
    part = _HEADS[True] in lines[:1]
    return Manifest(frozenset(line for line in lines[1:] if _inside(line)), part)


def write(folder: Path, found: Manifest) -> None:
    """Write the list of a folder's files."""
    lines = [_HEADS[bool(found.part)], *sorted(found.files)]
    write_text("".join(f"{line}\n" for line in lines), folder / FILE)


def settle(
    folder: Path, files: Iterable[Path], part: bool, concerned: Callable[[str], bool]
) -> list[str]:
    """Remove what an earlier report wrote and this one did not, and keep the list up to date.

    Only files on the list are ever removed: the others in the folder are not ours.

    Args:
        folder: of the report.
        files: what this report wrote.
        part: whether this report is of a part of a study.
        concerned: which files this report was asked for; others stay as they are.

    Returns:
        The removed files.

    Raises:
        ReportError: a file cannot be removed or written.
    """
    old = read(folder).files
    new = {file.relative_to(folder).as_posix() for file in files}
    stale = {name for name in old - new if concerned(name)}
    try:
        for name in stale:
            (folder / name).unlink(missing_ok=True)
        write(folder, Manifest(frozenset((old | new) - stale), part))
    except OSError as error:
        raise ReportError(f"report folder {folder}: {error.strerror or error}") from error
    return sorted(stale)


def _inside(name: str) -> bool:
    """Whether a line of the list names a file below the folder."""
    path = PurePosixPath(name)
    return path.parts != () and not path.is_absolute() and ".." not in path.parts
