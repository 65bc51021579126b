"""Steps of a method on given logits, without an engine: what reference values are compared with."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nlbench.baselines import Batch, Facts, Method, Mixed, State, Step

FILE = Path(__file__).resolve().parents[1] / "data" / "reference_stateful.npz"


@cache
def reference() -> dict[str, NDArray[Any]]:
    """Every array of the file by its key."""
    with np.load(FILE) as stored:
        return {key: stored[key] for key in stored.files}


def value(key: str) -> Tensor:
    """An array of the file as a tensor."""
    return torch.from_numpy(reference()[key])


def settings(function: str) -> list[tuple[str, dict[str, float]]]:
    """The settings of a released function: as in the keys, and as numbers."""
    found = sorted({key.split("/")[1] for key in reference() if key.startswith(function + "/")})
    return [(setting, _numbers(setting)) for setting in found]


def _numbers(setting: str) -> dict[str, float]:
    pairs = (part.split("=") for part in setting.split(",") if "=" in part)
    return {name: float(number) for name, number in pairs if number.replace(".", "").isdigit()}


def facts_of(given: Tensor, classes: int, **changes: Any) -> Facts:
    """Facts of a run on these labels, all of them trained on in one batch, in float64."""
    count = len(given)
    facts: dict[str, Any] = {
        "num_classes": classes,
        "samples": count,
        "trained": torch.arange(count),
        "given": given,
        "class_counts": torch.bincount(given, minlength=classes),
        "epochs": 10,
        "steps": 1,
        "batch_size": count,
        "device": torch.device("cpu"),
        "dtype": torch.float64,
        "generator": lambda *words: np.random.default_rng(len(words)),
    }
    return Facts(**{**facts, **changes})


@dataclass
class Bench:
    """A method and its state; a step on logits of every member and view, as the engine does it.

    Attributes:
        method: what is tried.
        facts: what it is told.
    """

    method: Method
    facts: Facts
    state: State = field(init=False)

    def __post_init__(self) -> None:
        self.state = self.method.begin(self.facts)

    def step(
        self, logits: list[list[Tensor]], ids: Tensor, mixed: Mixed | None = None
    ) -> tuple[Step, list[list[Tensor]]]:
        """One step; returns what it gave and the gradient of each logits."""
        leaves = [[one.detach().clone().requires_grad_() for one in views] for views in logits]
        slices = {name: rows[ids] for name, rows in self.state.rows.items()}
        for name in self.state.rates:
            slices[name].requires_grad_()
        step = self.method.step(
            Batch(
                logits=tuple(map(tuple, leaves)),
                targets=self.facts.given[ids],
                rows=slices,
                globals=self.state.globals,
                parameters=self.state.parameters,
                mixed=mixed,
            )
        )
        flat = [leaf for views in leaves for leaf in views]
        trained = {name: slices[name] for name in self.state.rates}
        found = torch.autograd.grad(
            step.objective(), [*flat, *trained.values()], allow_unused=True, retain_graph=True
        )
        slopes = [
            torch.zeros_like(leaf) if slope is None else slope
            for leaf, slope in zip(flat, found, strict=False)
        ]
        with torch.no_grad():
            for name, slope in zip(trained, found[len(flat) :], strict=True):
                if slope is not None:
                    self.state.rows[name][ids] = slices[name] - self.state.rates[name] * slope
            for name, new in step.rows.items():
                self.state.rows[name][ids] = new.detach()
        for name, new in step.globals.items():
            self.state.put(name, new)
        views = len(leaves[0])
        return step, [slopes[at : at + views] for at in range(0, len(slopes), views)]
