"""The one error of the noise package, and the hint that ends most of its messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NoiseError(ValueError):
    """Bad input to the noise package; the message is one line that names what would be right."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint such as ``did you mean 'pair'?`` or the list of all known names."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known: {', '.join(names)}" if names else "there are none"
