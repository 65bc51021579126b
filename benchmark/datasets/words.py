"""What follows the colon of one's own data: a place, and options (``label=COLUMN``)."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from nlbench.benchmark.datasets.registry import Source
from nlbench.benchmark.errors import UserError, unknown


def place_and_options(source: Source, known: Collection[str]) -> tuple[str, dict[str, str]]:
    """``people.csv:label=income`` as ``people.csv`` and ``{"label": "income"}``.

    Raises:
        UserError: an option of another name, or one without a value.
    """
    parts = source.argument.split(":")
    place = ":".join(part for part in parts if "=" not in part)  # C:/ has a colon, too
    options: dict[str, str] = {}
    for part in parts:
        name, equals, value = part.partition("=")
        if not equals:
            continue
        if name not in known:
            raise unknown("option", name, known, f"data set {source.name!r}")
        if not value:
            raise UserError(f"data set {source.name!r}: {name}= needs a value")
        options[name] = value
    return place, options


def path_of(source: Source, place: str) -> Path:
    """A path as it is where it leads somewhere or is absolute, else below the data folder."""
    path = Path(place).expanduser()
    return path if path.is_absolute() or path.exists() else source.root / path
