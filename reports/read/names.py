"""Names of what a table shows: methods, conditions, blocks of comparable runs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

from nlbench.benchmark.spec.matched import WORDS, Equal, unequal, varying
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.reports.text import listing

MATCHED = "matched"


class BlockKey(NamedTuple):
    """What runs must have in common to share a table: data, network, profile and recipe.

    Attributes:
        dataset: with its unknown classes.
        train_per_class: first so many training images of each class; ``None``: all.
        holdout: share of the training set held out.
        model: network.
        profile: of the runs. Runs that call themselves ``matched`` although learning rate, L1, L2,
            precision or epochs differ between methods are called ``not matched (learning rate)``.
        recipe: under ``matched``, which of several values of these all methods were trained with
            here, as in ``L1 0.0018, L2 0``; empty where there is one.
    """

    dataset: str
    train_per_class: int | None
    holdout: float
    model: str
    profile: str
    recipe: str = ""

    @property
    def regime(self) -> str:
        """Profile and, where a study has several, the values of its recipe."""
        return f"{self.profile}, {self.recipe}" if self.recipe else self.profile


class NoiseName(NamedTuple):
    """A noise line taken apart.

    Attributes:
        type: the line without its rate: ``symmetric``, ``asymmetric:map=block5``, ``human:worse``.
        rate: the nominal rate the line states, ``None`` where it states none; the sum for a
            mixture.
    """

    type: str
    rate: float | None


def block_keys(specs: Sequence[RunSpec]) -> list[BlockKey]:
    """The block of each run of a study; the class splits of one declaration are one block."""
    keys = [_declared(spec) for spec in specs]
    # By identity: many specs share a recipe, and comparing its fields takes long.
    values = {id(spec.recipe): Equal.of(spec.recipe) for spec in specs}
    used: dict[BlockKey, dict[str, set[Equal]]] = defaultdict(lambda: defaultdict(set))
    for key, spec in zip(keys, specs, strict=True):
        if key.profile == MATCHED:
            used[key][spec.method.name].add(values[id(spec.recipe)])
    settled: dict[tuple[BlockKey, Equal], BlockKey] = {}
    for key, by_method in used.items():
        every = {value for found in by_method.values() for value in found}
        # Of one method alone they are settings like others, which its labels name.
        wrong, several = unequal(by_method), varying(every) if len(by_method) > 1 else ()
        profile = f"not {MATCHED} ({listing([WORDS[n] for n in wrong])})" if wrong else MATCHED
        for value in every:
            recipe = "" if wrong else value.words(several)
            settled[key, value] = key._replace(profile=profile, recipe=recipe)
    return [
        settled.get((key, values[id(spec.recipe)]), key)
        for key, spec in zip(keys, specs, strict=True)
    ]


def _declared(spec: RunSpec) -> BlockKey:
    data = spec.dataset
    return BlockKey(data.group, data.train_per_class, data.holdout, spec.model, spec.profile)


def noise_name(line: str) -> NoiseName:
    """Split a canonical noise line into its type and its nominal rate (clean: rate 0).

    >>> noise_name("asymmetric:0.4:map=block5")
    NoiseName(type='asymmetric:map=block5', rate=0.4)
    """
    if line == "clean":
        return NoiseName("clean", 0.0)
    types: list[str] = []
    rates: list[float] = []
    for part in line.split("+"):
        words = part.split(":")
        numbers = [w for w in words[1:] if _is_number(w)]
        rates += [float(w) for w in numbers[:1]]
        types.append(":".join(w for w in words if w not in numbers[:1]))
    return NoiseName("+".join(types), round(sum(rates), 12) if rates else None)


def pretty_condition(line: str) -> str:
    """A noise line for readers: ``asymmetric 0.4 (map=block5)``."""
    return " + ".join(_pretty(part) for part in line.split("+"))


def method_labels(
    specs: Sequence[RunSpec],
    titles: Mapping[str, str] | None = None,
    keys: Sequence[BlockKey] | None = None,
) -> list[str]:
    """One label per spec: the method's title, with what varies where that is not enough.

    Only where, within one block and condition, one name has several settings does the
    label add the settings that differ there: ``drainage(alpha=0.1)``. Settings published per data
    set or per profile therefore stay plain ``drainage``.
    """
    groups: dict[tuple[BlockKey, str], list[int]] = defaultdict(list)
    for index, (key, spec) in enumerate(zip(keys or block_keys(specs), specs, strict=True)):
        groups[key, spec.method.name].append(index)
    titles = titles or {}
    labels = [titles.get(spec.method.name, spec.method.name) for spec in specs]
    for members in groups.values():
        varying = _varying(specs[i] for i in members)
        for i in members if varying else ():
            settings = _settings(specs[i])
            words = ", ".join(f"{key}={_plain(settings.get(key))}" for key in varying)
            labels[i] = f"{labels[i]}({words})"
    return labels


def _varying(specs: Iterable[RunSpec]) -> list[str]:
    """The settings that differ between runs of equal condition and seed, in a fixed order."""
    cells: dict[tuple[str, int], list[RunSpec]] = defaultdict(list)
    for spec in specs:
        cells[spec.noise, spec.seed].append(spec)
    keys: dict[str, None] = {}
    seen: set[tuple[str, ...]] = set()
    for together in cells.values():
        if len(together) < 2 or (ids := _variant_ids(together)) in seen:
            continue
        seen.add(ids)
        settings = [_settings(spec) for spec in together]
        for key in dict.fromkeys(k for s in settings for k in s):
            if len({json.dumps(s.get(key)) for s in settings}) > 1:
                keys[key] = None
    return sorted(keys)


def _variant_ids(specs: Sequence[RunSpec]) -> tuple[str, ...]:
    return tuple(repr((s.method.params, s.recipe)) for s in specs)


def _settings(spec: RunSpec) -> dict[str, Any]:
    # Every field: to_dict leaves some out at their default, which a label must name.
    recipe = {f"recipe.{f.name}": getattr(spec.recipe, f.name) for f in fields(spec.recipe)}
    return {**spec.method.values, **recipe}


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _pretty(part: str) -> str:
    words = part.split(":")
    options = [w for w in words[1:] if "=" in w]
    text = " ".join(w for w in words if w not in options)
    return f"{text} ({', '.join(options)})" if options else text


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
