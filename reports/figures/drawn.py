"""Figures of a report: planned, and on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure


class Planned(NamedTuple):
    """A figure before it is written.

    Attributes:
        name: stem of its files.
        caption: what is to be seen, plain text.
        figure: not saved yet.
        block: index of the block it shows, ``None`` for several.
    """

    name: str
    caption: str
    figure: Figure
    block: int | None = None


@dataclass(frozen=True)
class Drawn:
    """A figure on disk.

    Attributes:
        name: stem of its files.
        block: index of the block it shows, ``None`` for all conditions.
        caption: what is to be seen, plain text.
        files: the PNG and the PDF.
    """

    name: str
    block: int | None
    caption: str
    files: tuple[Path, Path]
