"""Lists of image files: where they are, their format, what is left out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from nlbench.benchmark.errors import UserError

SHOWN = 3
EXCLUDED = "exclude.txt"


def shown(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest:,} more" if rest > 0 else "")


def without_excluded(
    name: str, folder: Path, entries: list[tuple[str, int]]
) -> tuple[list[tuple[str, int]], str]:
    """Leave out the training images that ``exclude.txt`` in the set's folder names, one a line.

    For files that cannot be decoded and cannot be had again. Returns the rest, and the note
    about it for a label ("" where there is no such file).

    Raises:
        UserError: the file names an image that is not in the list.
    """
    path = folder / EXCLUDED
    if not path.is_file():
        return entries, ""
    named = {line.strip() for line in read_lines(path) if line.strip()}
    unknown = sorted(named - {entry for entry, _ in entries})
    if unknown:
        raise UserError(f"data set {name!r}: {path} names {shown(unknown)}, not in the list")
    return [entry for entry in entries if entry[0] not in named], f" ({len(named):,} excluded)"


def first_folder(name: str, places: Sequence[Path], wanted: Sequence[str], hint: str) -> Path:
    """The first folder that has any of the wanted files, and then all of them.

    Raises:
        UserError: none has any, or the one that does lacks some.
    """
    for place in places:
        lacking = [file for file in wanted if not (place / file).exists()]
        if not lacking:
            return place
        if len(lacking) < len(wanted):
            raise UserError(
                f"data set {name!r}: {place} lacks {shown(lacking)} ({len(lacking)} of"
                f" {len(wanted)} needed); {hint}"
            )
    looked = " and ".join(str(place) for place in places)
    raise UserError(
        f"data set {name!r} is not there: looked for {', '.join(wanted)} in {looked}; {hint}"
    )


def read_lines(path: Path) -> list[str]:
    """Lines of a text file. UserError if it cannot be read."""
    try:
        return path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error})") from error


def read_pairs(path: Path) -> list[tuple[str, int]]:
    """Lines "file label". UserError names the first line that is not one."""
    pairs = []
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip():
            continue
        file, _, label = line.strip().rpartition(" ")
        if not file or not label.isdecimal():
            raise UserError(f"{path}, line {number}: {line!r} is not 'file label'")
        pairs.append((file.strip(), int(label)))
    return pairs


def image_names(folder: Path) -> list[str]:
    """Names of the image files of a folder, sorted: the order must not be the file system's.

    Hidden files are none: macOS writes a ``._photo.jpg`` beside a ``photo.jpg``.
    """
    kinds = (".jpg", ".jpeg", ".png")
    try:
        with os.scandir(folder) as found:
            names = [e.name for e in found if e.name.lower().endswith(kinds)]
            return sorted(name for name in names if not name.startswith("."))
    except OSError as error:
        raise UserError(f"{folder}: cannot be read ({error.strerror})") from error


def class_names(place: Path) -> list[str]:
    """Names of the folders of classes, sorted; hidden ones (``.ipynb_checkpoints``) are none."""
    return sorted(p.name for p in place.iterdir() if p.is_dir() and not p.name.startswith("."))
