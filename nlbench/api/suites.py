"""Suites as Python names them: by name, by path or as a dictionary, whole or in part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nlbench.benchmark import selection
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.suites import suite as suites
from nlbench.benchmark.suites.suite import Suite

Named = str | Path | Mapping[str, Any]
Words = str | Iterable[str]
Seeds = int | Iterable[int]


def suite_of(given: Named, profile: str | None = None) -> Suite:
    """The suite that is given by name, as the path of a TOML file or as what such a file holds.

    Raises:
        UserError: see :func:`nlbench.benchmark.suites.suite.load`.
    """
    if isinstance(given, Mapping):
        return suites.of_mapping(given, profile)
    if isinstance(given, str | Path):
        return suites.load(path_like(given), profile)
    raise UserError(
        f"suite of type {type(given).__name__}: should be a name, the path of a TOML file or a"
        " dictionary with what such a file holds"
    )


def path_like(given: str | Path) -> str:
    """A name as it is, a Path as text that is no name."""
    text = str(given)
    return f"./{text}" if isinstance(given, Path) and "/" not in text else text


def part_of(suite: Suite, methods: Words = (), noise: Words = (), seeds: Seeds = ()) -> Suite:
    """The part of a suite with these methods, noise lines and seeds; empty is all.

    Raises:
        UserError: a value that the suite does not have.
    """
    chosen = selection.split(methods) if isinstance(methods, str) else methods
    lines = [noise] if isinstance(noise, str) else map(str, noise)
    return suite.select(list(chosen), list(lines), _numbers(seeds))


def _numbers(seeds: Any) -> list[int]:
    found = [seeds] if isinstance(seeds, int) else list(seeds)
    for seed in found:
        if isinstance(seed, bool) or not hasattr(seed, "__index__"):
            raise UserError(f"seeds: {seed!r} is not a whole number")
    return [int(seed) for seed in found]
