"""RunSpec: everything that gives one training run its meaning, and its identity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import Any

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.spec.canonical_json import canonical_json, sha256_of_text
from nlbench.benchmark.spec.open_set import Unknown
from nlbench.benchmark.spec.recipe import Recipe

SCHEMA = 1
PROFILES = ("matched", "official", "tuned")
# Pixels; three poolings of 2 leave one. As many as a side of a large photograph.
MIN_SIZE, MAX_SIZE = 8, 4096
# Readers of JSON in other languages keep whole numbers up to here.
LARGEST_SEED = 2**53 - 1
Value = float | int | str | bool | None


@dataclass(frozen=True)
class DatasetSpec:
    """Which images: the data set, how much of it, and what is held out for validation.

    Attributes:
        name: a registered data set, or ``npz:NAME``.
        train_per_class: the first so many training images of each class; ``None`` = all.
        holdout: share of the (already noisy) training set kept for validation, in [0, 1).
        unknown: what open-set recognition is tested on (see spec/open_set.py);
            ``None`` = nothing, and then it is not written: older run ids stay what they are.
        size: pixels that images read from files are cut to; ``None`` = the data set's own (224),
            and then it is not written.
    """

    name: str
    train_per_class: int | None = None
    holdout: float = 0.0
    unknown: str | None = None
    size: int | None = None

    def __post_init__(self) -> None:
        """Refuse values of another type, and sizes and shares out of range (UserError)."""
        _check_types(self)
        if self.train_per_class is not None and self.train_per_class < 1:
            raise UserError(f"dataset: train_per_class = {self.train_per_class} must be at least 1")
        if not 0 <= self.holdout < 1:
            raise UserError(f"dataset: holdout = {self.holdout} must be in [0, 1)")
        if self.size is not None and not MIN_SIZE <= self.size <= MAX_SIZE:
            raise UserError(
                f"dataset: size = {self.size} must be from {MIN_SIZE} to {MAX_SIZE} pixels"
            )
        if self.unknown is not None:
            object.__setattr__(self, "unknown", str(Unknown.parse(self.unknown)))

    def settled(self, seed: int) -> DatasetSpec:
        """With the class split that belongs to a seed, where classes are unknown."""
        if self.unknown is None:
            return self
        return replace(self, unknown=str(Unknown.parse(self.unknown).settled(seed)))

    @cached_property
    def group(self) -> str:
        """Name of the data set and its unknowns, whatever the class split: what is averaged."""
        if self.unknown is None:
            return self.name
        return f"{self.name}, unknown {replace(Unknown.parse(self.unknown), split=None)}"

    @property
    def names(self) -> tuple[str, ...]:
        """The data sets it needs: its own, and a foreign one."""
        unknown = Unknown() if self.unknown is None else Unknown.parse(self.unknown)
        named = unknown.foreign and not unknown.folder
        return (self.name, unknown.foreign) if named else (self.name,)

    @property
    def images(self) -> DatasetSpec:
        """The same images without the validation split."""
        return replace(self, holdout=0.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dict(self._plain)

    @cached_property
    def canonical(self) -> str:
        """Canonical JSON of :meth:`to_dict`."""
        return canonical_json(self._plain)

    @cached_property
    def _plain(self) -> dict[str, Any]:
        late = ("unknown", "size")
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {k: v for k, v in values.items() if k not in late or v is not None}


def _check_types(spec: DatasetSpec) -> None:
    """Whole numbers are not True, and 0.5 is none."""
    for key, kinds, want in _TYPES:
        value = getattr(spec, key)
        if type(value) not in kinds:
            raise UserError(f"dataset: {key} = {value!r:.100} should be {want}")


_NONE = type(None)
_TYPES: tuple[tuple[str, tuple[type, ...], str], ...] = (
    ("name", (str,), "a text"),
    ("train_per_class", (int, _NONE), "a whole number"),
    ("holdout", (float, int), "a number"),
    ("unknown", (str, _NONE), "a text"),
    ("size", (int, _NONE), "a whole number"),
)


@dataclass(frozen=True)
class MethodSpec:
    """A method with every hyper-parameter spelt out (defaults included)."""

    name: str
    params: tuple[tuple[str, Value], ...] = ()

    @classmethod
    def of(cls, name: str, params: Mapping[str, Value]) -> MethodSpec:
        """From a mapping; the order of its keys does not matter."""
        return cls(name, tuple(sorted(params.items())))

    @property
    def values(self) -> dict[str, Value]:
        """The hyper-parameters as a dict."""
        return dict(self.params)

    @cached_property
    def canonical(self) -> str:
        """Canonical JSON of its name and hyper-parameters, as a run writes them."""
        return canonical_json({"name": self.name, "params": self.values})


@dataclass(frozen=True)
class RunSpec:
    """One run. ``run_id`` is the first 16 hex digits of the SHA-256 of its canonical JSON.

    What changes a result's meaning is in it. What must not change it (device, number of workers,
    packing, training backend) is not: that belongs to the record's environment.

    Attributes:
        dataset: which images.
        model: name of a registered network.
        method: loss and prediction rule with hyper-parameters.
        noise: canonical line of a NoiseSpec, e.g. ``symmetric:0.4``.
        seed: draws noise, split, initial weights, batch order and augmentation; the same seed
            means the same of each for every method.
        recipe: optimisation settings.
        profile: ``official`` (each method with its authors' regularisation), ``matched`` (one
            recipe for all) or ``tuned`` (settings chosen by suites/settle.py).
        metrics: measures from outside that are taken at the end, sorted; not written where there
            are none: older run ids stay what they are.
    """

    dataset: DatasetSpec
    model: str
    method: MethodSpec
    noise: str
    seed: int
    recipe: Recipe
    profile: str = "matched"
    metrics: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, with the schema version."""
        return {
            "schema": SCHEMA,
            "dataset": self.dataset.to_dict(),
            "model": self.model,
            "method": {"name": self.method.name, "params": self.method.values},
            "profile": self.profile,
            "noise": self.noise,
            "seed": self.seed,
            "recipe": self.recipe.to_dict(),
            **({"metrics": list(self.metrics)} if self.metrics else {}),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunSpec:
        """The inverse of :meth:`to_dict`.

        Raises:
            UserError: another schema version, or a part that is missing or malformed.
        """
        if values.get("schema") != SCHEMA:
            raise UserError(
                f"run spec: schema {values.get('schema')!r} is not {SCHEMA}, the one this version"
                " of nlbench reads"
            )
        try:
            method = values["method"]
            return cls(
                dataset=DatasetSpec(**values["dataset"]),
                model=values["model"],
                method=MethodSpec.of(method["name"], method["params"]),
                noise=values["noise"],
                seed=values["seed"],
                recipe=Recipe.from_dict(values["recipe"]),
                profile=values["profile"],
                metrics=tuple(values.get("metrics", ())),
            )
        except (KeyError, TypeError) as error:
            raise UserError(f"run spec: malformed ({error})") from error

    @cached_property
    def run_id(self) -> str:
        """The run's identity, 16 hex digits."""
        return sha256_of_text(self._canonical())[:16]

    def _canonical(self) -> str:
        """Canonical JSON of :meth:`to_dict`, put together from what thousands of runs share."""
        metrics = f'"metrics":{canonical_json(list(self.metrics))},' if self.metrics else ""
        return (
            f'{{"dataset":{self.dataset.canonical},"method":{self.method.canonical},{metrics}'
            f'"model":{_json(self.model)},"noise":{_json(self.noise)},'
            f'"profile":{_json(self.profile)},"recipe":{self.recipe.canonical},'
            f'"schema":{SCHEMA},"seed":{_json(self.seed)}}}'
        )

    @property
    def pack_key(self) -> tuple[DatasetSpec, str, Recipe]:
        """Runs with the same key share device-resident data and network shape."""
        return (self.dataset, self.model, self.recipe)

    def __str__(self) -> str:
        """For progress lines: ``fashion_mnist cnn_small gce symmetric:0.4 seed 3``."""
        return f"{self.dataset.group} {self.model} {self.method.name} {self.noise} seed {self.seed}"


def _json(value: object) -> str:
    """Canonical JSON of one value, quickly for what nearly all are."""
    if type(value) is int:
        return str(value)
    return _text(value) if type(value) is str else canonical_json(value)


@lru_cache(maxsize=10_000)
def _text(value: str) -> str:
    return canonical_json(value)
