"""Parts from outside the project: by ``module:name``, or by a name that a package announces.

One resolver for methods, noise models, networks, optimisers, augmentations, measures, data sets and
executors.
It imports nothing of ours: every package may use it.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.util
import re
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import FunctionType

_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


@dataclass(frozen=True)
class Kind:
    """A kind of part.

    Attributes:
        word: what messages call one of it.
        group: the entry points by which installed packages announce theirs.
        error: what is raised for one that cannot be had, with a message of one line.
    """

    word: str
    group: str
    error: type[ValueError]

    def names(self) -> tuple[str, ...]:
        """The names that installed packages announce, sorted."""
        return tuple(sorted({point.name for point in _points(self.group, tuple(sys.path))}))

    def claims(self, name: str) -> tuple[EntryPoint, ...]:
        """Where a name leads: ``module:name`` to itself, another to whoever announces it."""
        if ":" in name:
            return (EntryPoint(name, name, self.group),)
        return tuple(p for p in _points(self.group, tuple(sys.path)) if p.name == name)

    def is_outside(self, name: str) -> bool:
        """Whether a name is ``module:name`` or announced; nothing is imported."""
        return bool(self.claims(name))

    def module(self, name: str) -> str:
        """The module in which a part from outside is; empty for any other name."""
        return next((point.value.partition(":")[0] for point in self.claims(name)), "")

    def load(self, name: str) -> object:
        """The one part that a name from outside leads to.

        Raises:
            error: it cannot be imported, or two packages claim the name.
        """
        points = self.claims(name)
        found = {id(part): part for part in (self.imported(name, point) for point in points)}
        if len(found) != 1:
            claims = " and by ".join(sorted(point.value for point in points))
            raise self.error(f"{self.word} {name!r} is claimed by {claims or 'nobody'}")
        return found.popitem()[1]

    def imported(self, name: str, point: EntryPoint) -> object:
        """What is there; whatever its import raises becomes one line."""
        try:
            return _loaded(point.value)
        except Exception as error:
            reason = one_line(error)
            raise self.error(
                f"{self.word} {name!r} ({point.value}) cannot be loaded: {reason}"
            ) from error

    def refusal(self, name: str, found: object, wanted: str) -> ValueError:
        """Return (not raise) the error for a part that is of another type than it must be."""
        # The repr of a function has an address in memory.
        what = found.__name__ if isinstance(found, type | FunctionType) else repr(found)
        of = "class" if isinstance(found, type) else type(found).__name__
        return self.error(f"{self.word} {name!r}: {what:.80} ({of}) should be {wanted}")


def one_line(error: BaseException) -> str:
    """The type and the message of an exception on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def importable(module: str) -> bool:
    """Whether there is a top-level module of this name; nothing is imported."""
    top = module.partition(".")[0]
    try:
        return top in sys.modules or importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False


def _loaded(value: str) -> object:
    if not _PATH.fullmatch(value):
        raise ValueError(f"{value!r} is not of the form module:name")
    path, _, names = value.partition(":")
    found: object = importlib.import_module(path)
    for name in names.split("."):
        if not hasattr(found, name):
            raise AttributeError(f"{path} has no {name!r}{_near(name, vars(found))}")
        found = getattr(found, name)
    return found


def _near(name: str, known: dict[str, object]) -> str:
    small = {word.lower(): word for word in known if not word.startswith("_")}
    close = difflib.get_close_matches(name.lower(), small, n=1)
    return f"; did you mean {small[close[0]]!r}?" if close else ""


@functools.cache
def _points(group: str, path: tuple[str, ...]) -> tuple[EntryPoint, ...]:  # noqa: ARG001
    """Look through the installed packages: milliseconds, so once per import path."""
    return tuple(entry_points(group=group))
