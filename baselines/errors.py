"""The one error of this package, and the "did you mean" every message ends with."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MethodError(ValueError):
    """A method, hyper-parameter, setting or tensor that does not fit; one line, ready to show."""


def suggestion(word: object, options: Iterable[str]) -> str:
    """Return "; did you mean 'X'?" or "; there is: A, B" for a word that is not among options.

    Args:
        word: what was asked for.
        options: the right names, any order.
    """
    known = sorted(options)
    close = difflib.get_close_matches(str(word).lower(), known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there is: {', '.join(known)}" if known else "; there is none"
