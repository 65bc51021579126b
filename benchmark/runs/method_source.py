"""The source of a method: what a record carries to show which code made it.

A built-in method has a version that its author raises (``Method.version``). Of a method from
outside its files are hashed: the module that defines the class and, over any number of steps, what
that imports of its own top-level package, or from the folder in which that package or module lies
(unless packages are installed there). Imports are read from the text, so they are the same in every
process: all ``import`` statements, also in functions; not what is imported by a computed name, nor
data files. Line endings and places on the disk do not count; comments do.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import sys
from collections.abc import Iterator
from importlib.machinery import SOURCE_SUFFIXES, ModuleSpec, PathFinder
from importlib.util import spec_from_file_location
from pathlib import Path

from nlbench import baselines
from nlbench.baselines import Method
from nlbench.benchmark.errors import UserError

# Changes of our own code are told by versions and by the commit in each record.
OURS = frozenset({"nlbench"})
INSTALLED = frozenset({"site-packages", "dist-packages"})


def method_source(name: str) -> str:
    """Which code the method of this name is.

    Returns:
        Empty for version 1 of a built-in method, ``version N`` for a later one; ``sha256:`` and 64
        hex digits for a method from outside. It is what this process has imported, even if the
        files have changed since.

    Raises:
        MethodError: no such method.
        UserError: a module whose file cannot be read.
    """
    return _source(baselines.get(name))


def described(name: str, source: str) -> str:
    """A source of the method in a few characters, for messages."""
    if source:
        return source[: len("sha256:") + 8]
    return "version 1" if _top(baselines.get(name)) in OURS else "not recorded"


@functools.cache
def _source(cls: type[Method]) -> str:
    """Cached by class: a class in memory stays what it was when its files change."""
    if _top(cls) in OURS:
        return "" if cls.version == 1 else f"version {cls.version}"
    lines: set[str] = set()
    for base in cls.__mro__:
        if not issubclass(base, Method) or base is Method:
            continue
        if _top(base) in OURS:
            lines.add(f"{base.name} version {base.version}")
        else:
            files = _Package(base.__module__, cls.name).files()
            lines |= {f"{module} {_digest(content)}" for module, content in files.items()}
    return "sha256:" + _digest("\n".join(sorted(lines)).encode())


class _Package:
    """The files of one class: its module and what that imports from the same place."""

    def __init__(self, module: str, method: str) -> None:
        self.module, self.method = module, method
        self.top = module.partition(".")[0]
        self.spec = _spec_of(self.top)

    def files(self) -> dict[str, bytes]:
        """Content by module name.

        Raises:
            UserError: one cannot be read, or the class's own module has none.
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
            f"method {self.method!r}: {reason}, so a record could not state which source made it;"
            " define the class in a file that can be imported"
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


def _top(cls: type) -> str:
    return cls.__module__.partition(".")[0]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
