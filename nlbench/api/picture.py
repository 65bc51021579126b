"""A figure of a report, as a notebook shows it."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure

from nlbench.reports.figures.style import png


@dataclass(frozen=True, eq=False, repr=False)
class Picture:
    """A figure with its caption.

    Attributes:
        name: stem of the files that a report writes of it.
        caption: what is to be seen.
        figure: of Matplotlib.
    """

    name: str
    caption: str
    figure: Figure

    def __repr__(self) -> str:
        return f"<Picture {self.name}: {self.caption.partition(';')[0]}>"

    def _repr_png_(self) -> bytes:
        return png(self.figure)
