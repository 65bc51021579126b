"""The table ``[tune]`` of a suite: every method is tried with as many settings as every other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from nlbench.baselines.search import candidates
from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.suites import typed

RULES = ("noisy_val",)


@dataclass(frozen=True)
class Tune:
    """How the settings of the profile ``tuned`` are found.

    Attributes:
        budget: settings tried for every method, its own as it is among them.
        seeds: on which they are tried; those of the suite are for the chosen ones.
        rule: what chooses: ``noisy_val``, accuracy at the last epoch on held-out noisy labels.
    """

    budget: int
    seeds: tuple[int, ...]
    rule: str = "noisy_val"


def parse(values: Any, where: str) -> Tune:
    """Read the table.

    Raises:
        UserError: no table, an unknown key or rule, or a value that does not fit; named.
    """
    if not isinstance(values, Mapping):
        raise UserError(f"{where}: tune = {typed.short(values)} should be a table")
    known = [field.name for field in fields(Tune)]
    for key in values:
        if key not in known:
            raise unknown("key", key, known, f"{where}, tune")
    budget, seeds, rule = values.get("budget"), values.get("seeds"), values.get("rule", Tune.rule)
    if type(budget) is not int or budget < 2:
        raise UserError(
            f"{where}, tune: budget = {typed.short(budget)} should be a number from 2 on"
        )
    if not isinstance(seeds, list):
        raise UserError(f"{where}, tune: seeds = {typed.short(seeds)} should be a list of numbers")
    if rule not in RULES:
        raise unknown("rule", str(rule), RULES, f"{where}, tune")
    return Tune(budget, tuple(typed.seeds(seeds, f"{where}, tune")), rule)


def tried(
    name: str, params: Mapping[str, Any], recipe: Recipe, budget: int
) -> Iterator[tuple[Mapping[str, Any], Recipe]]:
    """The settings of one method, as they are given first, with their learning rates."""
    for one in candidates(name, params, budget):
        # As it is written: no last bits of a product.
        yield one.params, replace(recipe, lr=float(f"{recipe.lr * one.lr:.6g}"))
