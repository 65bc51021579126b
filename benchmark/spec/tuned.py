"""Tuned: how the settings of profile ``tuned`` were chosen, as their suite states it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from nlbench.benchmark.errors import UserError, unknown


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What was chosen for one method in one condition; the setting itself is that of its runs.

    Attributes:
        noise: line.
        method: name.
        untuned: hyper-parameters without tuning, and ``lr``, the recipe's rate.
        tried: how many settings.
        score: of the chosen one by the rule, mean over seeds, percent.
        untuned_score: of the one without tuning.
    """

    noise: str
    method: str
    untuned: Mapping[str, Any]
    tried: int
    score: float
    untuned_score: float


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """From which records settings were chosen, by what, and each choice.

    Attributes:
        suite: name of the suite that tried them.
        sha256: identity of what it declares.
        rule: what chose, see suites/tune.py.
        budget: settings tried of every method.
        seeds: on which they were tried.
        records: how many runs were read.
        digest: SHA-256 over the sorted digests of their records.
        commits: that made them.
        choices: one for each method and condition.
    """

    suite: str
    sha256: str
    rule: str
    budget: int
    seeds: tuple[int, ...]
    records: int
    digest: str
    commits: tuple[str, ...] = ()
    choices: tuple[Choice, ...]

    def of(self, noise: str, method: str) -> Choice | None:
        """The choice of a method in a condition."""
        found = (c for c in self.choices if (c.noise, c.method) == (noise, method))
        return next(found, None)


def parse(values: Any, where: str) -> Tuned:
    """Read a suite's table ``[tuned]``, which `nlbench tune` writes.

    Raises:
        UserError: an unknown or missing key, or a value of another type; named.
    """
    table = _checked(values, Tuned, {"commits"}, where, "tuned")
    rows = [_checked(row, Choice, set(), where, "tuned, choices") for row in table["choices"]]
    choices = tuple(Choice(**row) for row in rows)
    lists = {"seeds": tuple(table["seeds"]), "commits": tuple(table.get("commits", ()))}
    return Tuned(**{**table, **lists, "choices": choices})


_TYPES: dict[str, type | tuple[type, ...]] = {
    "noise": str, "method": str, "untuned": Mapping, "tried": int, "score": (int, float),
    "untuned_score": (int, float), "suite": str, "sha256": str, "rule": str, "budget": int,
    "seeds": list, "records": int, "digest": str, "commits": list, "choices": list,
}  # fmt: skip


def _checked(
    values: Any, cls: type[Tuned] | type[Choice], optional: set[str], where: str, name: str
) -> dict[str, Any]:
    """The table with every key of the class that must be there and no other."""
    if not isinstance(values, Mapping):
        raise UserError(f"{where}: {name} = {values!r} should be a table")
    known = [field.name for field in fields(cls)]
    for key in values:
        if key not in known:
            raise unknown("key", key, known, f"{where}, {name}")
    for key in known:
        if key not in values and key not in optional:
            raise UserError(f"{where}, {name}: {key} is missing; `nlbench tune` writes this table")
        if key in values and not _fits(key, values[key]):
            raise UserError(f"{where}, {name}: {key} = {values[key]!r} is of the wrong type")
    return dict(values)


def _fits(key: str, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, _TYPES[key]):
        return False
    if isinstance(value, list):
        kind = {"seeds": int, "commits": str}.get(key, object)
        return all(isinstance(each, kind) for each in value)
    return not isinstance(value, float) or math.isfinite(value)
