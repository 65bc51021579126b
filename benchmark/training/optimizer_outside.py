"""Optimisers from outside: a class of torch optimisers, or a function that makes one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.spec.recipe import OUTSIDE, SOME_READ, Recipe
from nlbench.outside import one_line


def make(recipe: Recipe, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
    """The recipe's optimiser: ``Class(parameters, lr=..., <the fields it names>)``.

    Raises:
        UserError: it cannot be imported, is no optimiser, or does not read a field that is set.
    """
    name = recipe.optimizer
    found, reads = _read(name)
    recipe.refuse_unread(reads)
    try:
        made = found(parameters, lr=recipe.lr, **{field: getattr(recipe, field) for field in reads})
    except Exception as error:
        raise UserError(f"optimizer {name!r} raised {one_line(error)}") from error
    if not isinstance(made, torch.optim.Optimizer):
        raise OUTSIDE.refusal(name, made, "a torch.optim.Optimizer: what it makes")
    return made


def check(recipe: Recipe) -> None:
    """Refuse an optimiser from outside that could not be trained with (UserError)."""
    if recipe.outside_optimizer:
        make(recipe, [nn.Parameter(torch.zeros(2, 2))])


def _read(name: str) -> tuple[Callable[..., Any], tuple[str, ...]]:
    """The class or function, and which fields of a recipe it takes by their names."""
    found = OUTSIDE.load(name)
    of_torch = isinstance(found, type) and issubclass(found, torch.optim.Optimizer)
    if not callable(found) or (isinstance(found, type) and not of_torch):
        raise OUTSIDE.refusal(name, found, "a class of torch.optim.Optimizer, or a function")
    try:
        taken = inspect.signature(found).parameters
    except (TypeError, ValueError) as error:
        raise UserError(f"optimizer {name!r}: its parameters cannot be read") from error
    if "lr" not in taken:
        raise UserError(f"optimizer {name!r} takes {', '.join(taken)}; it should take lr, too")
    return found, tuple(field for field in SOME_READ if field in taken)
