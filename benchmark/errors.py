"""The one error a user can cause, and the sentence for a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(ValueError):
    """Bad input; the message is one line naming the value, where it came from and what is right."""


def unknown(kind: str, name: object, choices: Iterable[str], where: str = "") -> UserError:
    """Return (not raise) the error for a name that is not registered.

    Args:
        kind: what was looked up, in the singular: "data set", "model", "suite key".
        name: what was given.
        choices: the names that exist; the nearest one by ``difflib`` is offered.
        where: where the name was found, e.g. "quick.toml, key 'model'"; left out if empty.
    """
    known = sorted(choices)
    text = f"unknown {kind} {str(name)!r}" + (f" in {where}" if where else "")
    small = {word.lower(): word for word in known}
    near = difflib.get_close_matches(str(name).lower(), small, n=1, cutoff=0.5)
    if near:
        text += f"; did you mean {small[near[0]]!r}?"
    return UserError(f"{text} (known: {', '.join(known) or 'none'})".replace("\n", " "))
