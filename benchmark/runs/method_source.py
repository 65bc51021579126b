"""The source of a method: what a record carries to show which code made it.

A built-in method has a version that its author raises (``Method.version``). Of a method from
outside its files are hashed, see source_files.py.
"""

from __future__ import annotations

import functools

from nlbench import baselines
from nlbench.baselines import Method
from nlbench.benchmark.runs.source_files import OURS, digest_of, source_lines


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
            lines |= source_lines(base.__module__, f"method {cls.name!r}")
    return digest_of(lines)


def _top(cls: type) -> str:
    return cls.__module__.partition(".")[0]
