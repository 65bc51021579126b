"""What a method is given about its run, and nothing beyond it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import accumulate
from typing import Any

import torch
from torch import nn

from nlbench.baselines import Facts, MethodError
from nlbench.baselines.state import PRIVILEGES
from nlbench.benchmark.pipeline.batches import batch_sizes
from nlbench.benchmark.streams import Streams
from nlbench.benchmark.training.task import Task


def facts(task: Task) -> Facts:
    """The facts of a task; of clean labels only what the method asks for.

    Raises:
        MethodError: it asks for what does not exist.
    """
    given = torch.tensor(task.labels.noisy, device=task.device)
    trained = torch.tensor(task.split.train, device=task.device)
    classes = task.data.dataset.num_classes
    epochs = [stage.epochs for stage in task.method.stages(task.recipe.epochs)]
    head = getattr(task.network, "head", None)
    return Facts(
        num_classes=classes,
        samples=len(given),
        trained=trained,
        given=given,
        class_counts=torch.bincount(given[trained], minlength=classes),
        epochs=sum(epochs),
        starts=tuple(accumulate(epochs[:-1], initial=0)),
        steps=len(batch_sizes(len(trained), task.recipe.batch_size)),
        batch_size=task.recipe.batch_size,
        device=task.device,
        dtype=task.dtype,
        generator=partial(Streams(task.seed).generator, "method"),
        told=told(task),
        width=head.in_features if isinstance(head, nn.Linear) else 0,
    )


class Told(dict[str, Any]):
    """What a method is told; what it did not ask for is one line.

    Args:
        method: its name.
        values: by name.
    """

    def __init__(self, method: str, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self._method = method

    def __missing__(self, name: str) -> Any:
        there = f"there is no such thing, only {', '.join(PRIVILEGES)}"
        why = "a method that uses it declares it in `privileged`" if name in PRIVILEGES else there
        raise MethodError(f"method {self._method!r} is not told {name!r}: {why}")


def told(task: Task) -> Told:
    """What the method asks for, by name; that there is such a thing here was checked before.

    Raises:
        MethodError: no method is given such a thing.
    """
    asked = sorted(task.method.asks())
    for name in asked:
        if name not in PRIVILEGES:
            there = ", ".join(PRIVILEGES)
            raise MethodError(
                f"method {task.method.name!r}: privileged {name!r} is none of {there}"
            )
    return Told(task.method.name, {name: _TELL[name](task) for name in asked})


def _noise_rate(task: Task) -> float:
    flipped = task.labels.corrupted[task.split.train]
    return int(flipped.sum()) / len(flipped)


def _transition(task: Task) -> torch.Tensor:
    """As the labels came out; a class without samples keeps its own label."""
    counts = torch.tensor(task.labels.transition_counts, dtype=task.dtype, device=task.device)
    empty = counts.sum(dim=1) == 0
    counts = counts + torch.diag(empty.to(counts.dtype))
    return counts / counts.sum(dim=1, keepdim=True)


def _clean_labels(task: Task) -> torch.Tensor:
    return torch.tensor(task.labels.clean, device=task.device)


def _noisy_val(task: Task) -> torch.Tensor:
    return torch.tensor(task.split.validation, device=task.device)


_TELL: dict[str, Callable[[Task], Any]] = {
    "noise_rate": _noise_rate,
    "transition": _transition,
    "clean_labels": _clean_labels,
    "noisy_val": _noisy_val,
}
