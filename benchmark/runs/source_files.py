"""The source of a part from outside: the files that define it, and what these import.

Hashed are the module that defines the part and, over any number of steps, what that imports of its
own top-level package, or from the folder in which that package or module lies (unless packages are
installed there). Imports are read from the text, so they are the same in every process: all
``import`` statements, also in functions; not what is imported by a computed name, nor data files.
Line endings and places on the disk do not count; comments do.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import sys
from collections.abc import Iterable, Iterator
from importlib.machinery import SOURCE_SUFFIXES, ModuleSpec, PathFinder
from importlib.util import spec_from_file_location
from pathlib import Path

from nlbench.benchmark.errors import UserError

# Changes of our own code are told by versions and by the commit in each record.
OURS = frozenset({"nlbench"})
INSTALLED = frozenset({"site-packages", "dist-packages"})


def source_lines(module: str, part: str) -> set[str]:
    """A line for each file of a part: its module and its digest.

    Args:
        module: that defines the part; it has been imported.
        part: what messages call it.

    Raises:
        UserError: a file cannot be read, or the module has none.
    """
    files = _Package(module, part).files()
    return {f"{name} {_digest(content)}" for name, content in files.items()}


def digest_of(lines: Iterable[str]) -> str:
    """One source of several lines, in whatever order: ``sha256:`` and 64 hex digits."""
    return "sha256:" + _digest("\n".join(sorted(lines)).encode())


class _Package:
    """The files of one part: its module and what that imports from the same place."""

    def __init__(self, module: str, part: str) -> None:
        self.module, self.part = module, part
        self.top = module.partition(".")[0]
        self.spec = _spec_of(self.top)

    def files(self) -> dict[str, bytes]:
        """Content by module name.

        Raises:
            UserError: one cannot be read, or the part's own module has none.
        """
        found: dict[str, bytes] = {}
        seen: set[str] = set()
        waiting = [self.module]
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            spec = self._find(name)
            if spec is not None and spec.has_location and spec.origin is not None:
                found[name] = content = self._read(Path(spec.origin))
                waiting += _parents(name)
                if spec.origin.endswith(tuple(SOURCE_SUFFIXES)):
                    inside = spec.submodule_search_locations is not None
                    waiting += _imports(content, name if inside else name.rpartition(".")[0])
        if self.module not in found:
            raise self._error(f"module {self.module} has no file")
        return found

    def _find(self, name: str) -> ModuleSpec | None:
        """Where a module is, found without importing anything; ``None`` if it is none of these."""
        parts = name.split(".")
        if parts[0] in OURS:
            return None
        spec = self.spec
        if parts[0] != self.top:
            spec = PathFinder.find_spec(parts[0], self._beside)
        for at in range(2, len(parts) + 1):
            if spec is None or spec.submodule_search_locations is None:
                return None
            folders = list(spec.submodule_search_locations)
            spec = PathFinder.find_spec(".".join(parts[:at]), folders)
        return spec

    @functools.cached_property
    def _beside(self) -> list[str]:
        """The folders that hold the top-level package or module, but no installed packages."""
        if self.spec is None:
            return []
        inside = self.spec.submodule_search_locations
        places = [Path(place).parent for place in inside or (self.spec.origin or "",)]
        return [str(place) for place in places if place.name not in INSTALLED]

    def _read(self, path: Path) -> bytes:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise self._error(f"{path} cannot be read ({error.strerror or error})") from error
        if path.suffix not in SOURCE_SUFFIXES:
            return content
        return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _error(self, reason: str) -> UserError:
        return UserError(
            f"{self.part}: {reason}, so a record could not state which source made it; define it in"
            " a file that can be imported"
        )


def _spec_of(imported: str) -> ModuleSpec | None:
    """Where a module of this process comes from; a script that is run has no spec, but a file."""
    module = sys.modules.get(imported)
    path = getattr(module, "__file__", None)
    spec: ModuleSpec | None = getattr(module, "__spec__", None)
    return spec_from_file_location(imported, path) if spec is None and path else spec


def _imports(content: bytes, package: str) -> Iterator[str]:
    """Every name that import statements may mean; those that are no modules are found nowhere."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return  # it cannot be imported either
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level]
            parts = (above if node.level else []) + ([node.module] if node.module else [])
            base = ".".join(parts)
            if base:
                yield from (base, *(f"{base}.{alias.name}" for alias in node.names))


def _parents(name: str) -> Iterator[str]:
    """The packages whose ``__init__`` runs before a module does."""
    while name := name.rpartition(".")[0]:
        yield name


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
