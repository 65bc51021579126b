"""A grid of a suite file expanded into runs: data set x noise x seeds x methods."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from nlbench import baselines
from nlbench.benchmark import datasets, models
from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.pipeline import augment_kinds
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.spec.run_spec import PROFILES, DatasetSpec, MethodSpec, RunSpec
from nlbench.benchmark.suites import tune as tuning
from nlbench.benchmark.suites import typed
from nlbench.benchmark.suites.tune import Tune
from nlbench.noise import NoiseError, NoiseSpec

KEYS = ("dataset", "model", "methods", "noise", "seeds", "profile", "recipe")


def merged(base: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    """A part over the suite's own values; the tables ``dataset`` and ``recipe`` key by key."""
    both = [k for k in part if isinstance(part[k], dict) and isinstance(base.get(k), dict)]
    return {**base, **part, **{key: {**base[key], **part[key]} for key in both}}


def expand(
    grid: Mapping[str, Any],
    where: str,
    profile: str | None,
    own: tuple[str, ...],
    tune: Tune | None = None,
) -> Iterator[RunSpec]:
    """All runs of one grid: noise, then seed, then method, so that pairs end close together.

    ``own`` are the metrics from outside that are taken in them.
    """
    for key in ("dataset", "methods", "noise", "seeds", "recipe"):
        if not grid.get(key):
            raise UserError(f"{where}: {key} is missing or empty")
    dataset = _dataset(grid["dataset"], where)
    model = _model(grid.get("model"), dataset, where)
    name = profile or grid.get("profile", "matched")
    if name not in PROFILES:
        raise unknown("profile", name, PROFILES, where)
    recipe = Recipe.from_dict(typed.table(grid["recipe"], "recipe", where), f"{where}, recipe")
    augment_kinds.check_name(recipe.augment)
    lines = [noise_line(line, where) for line in typed.items(grid["noise"], "noise", where)]
    methods = [
        _method(entry, dataset.name, name, recipe, where, tune)
        for entry in typed.items(grid["methods"], "methods", where)
    ]
    seeds = typed.seeds(grid["seeds"], where) if tune is None else tune.seeds
    typed.check_runs(len(lines) * len(seeds) * sum(map(len, methods)), where)
    for line, seed in itertools.product(lines, seeds):
        for method, its_recipe in itertools.chain.from_iterable(methods):
            yield RunSpec(dataset.settled(seed), model, method, line, seed, its_recipe, name, own)


def _dataset(table: Any, where: str) -> DatasetSpec:
    values = typed.table(table, "dataset", where)
    typed.check_keys(values, tuple(f.name for f in fields(DatasetSpec)), f"{where}, dataset")
    if not isinstance(values.get("name"), str):
        raise UserError(f"{where}, dataset: name is missing")
    try:
        spec = DatasetSpec(**values)
        for name in spec.names:
            datasets.check_name(name, where)
        return spec
    except UserError as error:
        raise UserError(f"{where}: {error}") from error


def _model(name: Any, dataset: DatasetSpec, where: str) -> str:
    """The network's name; without one, that which fits the size of the images."""
    if name is not None and not isinstance(name, str):
        raise UserError(f"{where}: model = {typed.short(name)} should be a text")
    if name:
        models.check_name(name, where)
        return name
    shape = datasets.shape(dataset.name)
    if shape is None:
        raise UserError(
            f"{where}: model is missing, and how large the images of {dataset.name!r} are does not"
            f" follow from the name; name one of {', '.join(models.names())}"
        )
    return models.fitting(dataset.size or min(shape[1:]))


def _method(
    entry: Any, dataset: str, profile: str, recipe: Recipe, where: str, tune: Tune | None
) -> list[tuple[MethodSpec, Recipe]]:
    """One entry of ``methods``: a name, or a table with hyper-parameters (a list = each of it).

    The key ``recipe`` changes the recipe for it.
    """
    table = (
        {"name": entry} if isinstance(entry, str) else dict(typed.table(entry, "methods", where))
    )
    method = table.pop("name", None)
    if not isinstance(method, str):
        raise UserError(f"{where}, methods: {typed.short(entry)} has no name")
    setting = baselines.setting(method, datasets.family(dataset), profile)
    own = typed.table(table.pop("recipe", {}), f"recipe of {method}", where)
    choices = [value if isinstance(value, list) else [value] for value in table.values()]
    typed.check_runs(math.prod(map(len, choices)), f"{where}, {method}")
    its_recipe = recipe.override(setting.recipe, f"{method}, profile {profile}")
    its_recipe = its_recipe.override(own, f"{where}, recipe of {method}")
    given: list[tuple[Mapping[str, Any], Recipe]] = [
        ({**setting.params, **dict(zip(table, chosen, strict=True))}, its_recipe)
        for chosen in itertools.product(*choices)
    ]
    if tune is not None:
        given = [p for one in given for p in tuning.tried(method, *one, tune.budget)]
    return [(_method_spec(method, params), changed) for params, changed in given]


def _method_spec(name: str, params: Mapping[str, Any]) -> MethodSpec:
    """The spec with every hyper-parameter explicit, as the method itself reads them."""
    return MethodSpec.of(name, baselines.create(name, params).params())


def noise_line(line: Any, where: str) -> str:
    """A noise line in its canonical form; UserError if it is none."""
    if not isinstance(line, str):
        raise UserError(
            f'{where}: noise {typed.short(line)} should be a text such as "symmetric:0.4"'
        )
    try:
        return str(NoiseSpec.parse(line))
    except NoiseError as error:
        raise UserError(f"{where}: {error}") from error
