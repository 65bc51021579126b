"""The one error of this package."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ReportError(ValueError):
    """A report that cannot be made as requested; one line, ready to show."""


def unknown(kind: str, name: object, choices: Iterable[str]) -> ReportError:
    """Return (not raise) the error for a word that is not among the choices."""
    known = list(choices)
    near = difflib.get_close_matches(str(name).lower(), known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return ReportError(f"unknown {kind} {str(name)!r}{hint} (known: {', '.join(known)})")
