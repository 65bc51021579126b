"""Place: where a run belongs in a suite, whatever its method; Setting: of a method there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, TypeVar

from nlbench.benchmark.spec.run_spec import DatasetSpec, MethodSpec, RunSpec
from nlbench.benchmark.suites.suite import Suite

# What methods share where each has a recipe of its own (profiles official and tuned): all that
# their batches and their cost depend on.
SHARED = ("epochs", "batch_size", "augment", "precision", "eval_every")
LISTED = 8  # values of a suite that a message names
Fields = tuple[tuple[str, Any], ...]
Group = tuple[str, str, str, Fields]
K = TypeVar("K")


@dataclass(frozen=True)
class Place:
    """What methods that are compared with each other have in common.

    Attributes:
        dataset: images and held-out share.
        model: network.
        profile: matched, official or tuned.
        recipe: the whole of it under profile matched, else the fields of SHARED.
        noise: its line.
        seed: of everything that is drawn.
    """

    dataset: DatasetSpec
    model: str
    profile: str
    recipe: Fields
    noise: str
    seed: int

    @classmethod
    def of(cls, spec: RunSpec) -> Place:
        """That of a run."""
        recipe = _fields(spec, shared=True)
        return cls(spec.dataset, spec.model, spec.profile, recipe, spec.noise, spec.seed)

    @property
    def group(self) -> Group:
        """Where a method has one setting, whatever the noise and the seed."""
        return (self.dataset.group, self.model, self.profile, self.recipe)

    def __str__(self) -> str:
        return f"{self.dataset.group}, {self.noise}, seed {self.seed}"


@dataclass(frozen=True)
class Setting:
    """A method with its hyper-parameters and its own part of the recipe, in one group of places.

    Under profile tuned each condition has its own, so there it is the method's name alone.
    """

    method: MethodSpec
    own: Fields
    group: Group

    @classmethod
    def of(cls, spec: RunSpec) -> Setting:
        """That of a run."""
        group = Place.of(spec).group
        if spec.profile == "tuned":
            return cls(MethodSpec(spec.method.name), (), group)
        return cls(spec.method, _fields(spec, shared=False), group)

    def __str__(self) -> str:
        params = ", ".join(f"{name}={value}" for name, value in self.method.params)
        return f"{self.method.name} ({params})" if params else self.method.name


@dataclass(frozen=True)
class Places:
    """Where a suite has runs, and where runs of other methods may belong."""

    suite: Suite

    @cached_property
    def ids(self) -> frozenset[str]:
        """Of the suite's runs."""
        return frozenset(spec.run_id for spec in self.suite.specs)

    @cached_property
    def by_method(self) -> Mapping[str, frozenset[Place]]:
        """Where the suite has each of its methods."""
        return grouped(self.suite.specs, lambda spec: spec.method.name)

    @cached_property
    def by_setting(self) -> Mapping[Setting, frozenset[Place]]:
        """Where the suite has each setting of its methods."""
        return grouped(self.suite.specs, Setting.of)

    @property
    def open(self) -> frozenset[Place]:
        """Where methods of one's own belong: wherever the suite has its baseline."""
        return self.by_method[self.suite.baseline]

    def needed(self, method: str) -> frozenset[Place]:
        """Where a method must have a run."""
        return self.by_method.get(method, self.open)

    def needed_with(self, setting: Setting) -> frozenset[Place]:
        """Where a setting must have a run: in its group, nowhere else."""
        if setting in self.by_setting:
            return self.by_setting[setting]
        return frozenset(place for place in self.open if place.group == setting.group)

    def admits(self, spec: RunSpec) -> bool:
        """Whether a run is the suite's, or one of a method of one's own at a place of it."""
        return spec.run_id in self.ids or Place.of(spec) in self.open

    def stray(self, spec: RunSpec) -> str:
        """What of a run without a place is not the suite's, in words."""
        mine, name = Place.of(spec), self.suite.name
        for word, read in _PARTS:
            have = {read(place) for place in self.open}
            if read(mine) not in have:
                return f"{word} {read(mine)} is not in suite {name}{_listed(have)}"
        recipes = [dict(place.recipe) for place in self.open]
        for key, value in mine.recipe:
            have = {recipe[key] for recipe in recipes}
            if value not in have:
                return f"recipe: {key} = {value} is not in suite {name}{_listed(have)}"
        return f"suite {name} does not have this combination of data, noise, seed and recipe"


def grouped(specs: Iterable[RunSpec], key: Callable[[RunSpec], K]) -> Mapping[K, frozenset[Place]]:
    """The places of runs, by something of each."""
    found: dict[K, set[Place]] = {}
    for spec in specs:
        found.setdefault(key(spec), set()).add(Place.of(spec))
    return {name: frozenset(places) for name, places in found.items()}


_PARTS: tuple[tuple[str, Callable[[Place], object]], ...] = (
    ("data set", lambda place: place.dataset.group),
    ("held-out share", lambda place: place.dataset.holdout),
    ("training images of each class", lambda place: place.dataset.train_per_class or "all"),
    ("network", lambda place: place.model),
    ("profile", lambda place: place.profile),
    ("noise", lambda place: place.noise),
    ("seed", lambda place: place.seed),
)


def _fields(spec: RunSpec, shared: bool) -> Fields:
    """The fields of the recipe that all methods of a place share, or the others."""
    if spec.profile == "matched" and not shared:
        return ()
    names = [field.name for field in fields(spec.recipe)]
    if spec.profile != "matched":
        names = [name for name in names if (name in SHARED) == shared]
    return tuple((name, getattr(spec.recipe, name)) for name in names)


def _listed(values: Iterable[object]) -> str:
    """The suite's own values in brackets, where they are few."""
    words = sorted(map(str, values))
    return f" (it has {', '.join(words)})" if len(words) <= LISTED else ""
