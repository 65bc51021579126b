"""What profile ``matched`` means: the parts of a recipe that are equal for all methods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from nlbench.benchmark.spec.recipe import Recipe

# As tables call them, by the field of Recipe.
WORDS = {
    "lr": "learning rate",
    "l1": "L1",
    "weight_decay": "L2",
    "precision": "precision",
    "epochs": "epochs",
}


class Equal(NamedTuple):
    """The values that methods of one comparison share under profile ``matched``."""

    lr: float
    l1: float
    weight_decay: float
    precision: str
    epochs: int

    @classmethod
    def of(cls, recipe: Recipe) -> Equal:
        """Those of a recipe."""
        return cls(recipe.lr, recipe.l1, recipe.weight_decay, recipe.precision, recipe.epochs)

    def __str__(self) -> str:
        return self.words(self._fields)

    def words(self, names: Iterable[str]) -> str:
        """Some of the values, as in ``learning rate 0.01, L1 0, precision float32``."""
        return ", ".join(f"{WORDS[name]} {_plain(getattr(self, name))}" for name in names)


def varying(values: Iterable[Equal]) -> tuple[str, ...]:
    """Names of the fields in which they differ, in the order of WORDS."""
    columns = zip(*values, strict=True)
    return tuple(
        name for name, found in zip(WORDS, columns, strict=True) if len(dict.fromkeys(found)) > 1
    )


def unequal(by_method: Mapping[str, Iterable[Equal]]) -> tuple[str, ...]:
    """Names of the fields that are not the same for all methods; empty if all are trained alike.

    A study may train every method with each of several values, as one of the size of a penalty
    does: then each method has the same values.

    Args:
        by_method: name of a method -> the values it is trained with, in any order.
    """
    sets = [set(values) for values in by_method.values()]
    if all(found == sets[0] for found in sets):
        return ()
    names = Equal._fields
    return tuple(
        name
        for at, name in enumerate(names)
        if len({frozenset(value[at] for value in found) for found in sets}) > 1
    ) or varying(value for found in sets for value in found)


def _plain(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"
