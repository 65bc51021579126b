"""The tables ``[[hypothesis]]`` of a suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.spec.hypothesis import Hypothesis
from nlbench.benchmark.spec.run_spec import RunSpec


def parse(entries: Any, specs: Sequence[RunSpec], where: str) -> tuple[Hypothesis, ...]:
    """Read the hypotheses of a suite with these runs.

    Raises:
        UserError: no table, an unknown key, method or noise, a method against itself, or two that
            are equal; named.
    """
    if not isinstance(entries, list) or not all(isinstance(e, Mapping) for e in entries):
        raise UserError(f"{where}: hypothesis should be tables, written [[hypothesis]]")
    found: dict[tuple[frozenset[str], str], Hypothesis] = {}
    for number, entry in enumerate(entries, 1):
        at = f"{where}, hypothesis {number}"
        one = _one(entry, at)
        _check(one, specs, at)
        if found.setdefault((frozenset((one.a, one.b)), one.where), one) is not one:
            raise UserError(f"{at}: {one.a} and {one.b} have been declared already")
    return tuple(found.values())


def _one(entry: Mapping[str, Any], at: str) -> Hypothesis:
    known = [field.name for field in fields(Hypothesis)]
    for key, value in entry.items():
        if key not in known:
            raise unknown("key", key, known, at)
        if not isinstance(value, str):
            raise UserError(f"{at}: {key} = {value!r} should be a text")
    for key in ("a", "b"):
        if not entry.get(key):
            raise UserError(f'{at}: {key} is missing, the name of a method such as "gce"')
    return Hypothesis(**entry)


def _check(one: Hypothesis, specs: Sequence[RunSpec], at: str) -> None:
    methods = tuple(dict.fromkeys(spec.method.name for spec in specs))
    for name in (one.a, one.b):
        if name not in methods:
            raise unknown("method", name, methods, at)
    if one.a == one.b:
        raise UserError(f"{at}: a and b are both {one.a!r}")
    lines = tuple(dict.fromkeys(spec.noise for spec in specs))
    if not any(one.covers(line) for line in lines):
        raise unknown("noise", one.where, lines, at)
