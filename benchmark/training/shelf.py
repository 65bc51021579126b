"""Shelf: weights that a later stage of a run may need again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from nlbench.benchmark.training.course import Turn
from nlbench.benchmark.training.trainer import Trainer

# Of each member its weights and buffers.
Weights = list[dict[str, Tensor]]


class Shelf:
    """The first weights of a run, and those of its stage best on noisy validation, if needed."""

    def __init__(self, turns: Sequence[Turn], trainer: Trainer) -> None:
        named = {name for turn in turns for name in (turn.setting.start, turn.setting.look)}
        self._keeps_best = "best" in named
        self._kept: dict[str, Weights] = {}
        self._score = -1.0
        if "first" in named:
            self._kept["first"] = _copied(trainer)

    def note(self, accuracy: float | None, trainer: Trainer) -> None:
        """Keep the weights of an epoch if it is better than those of its stage before it."""
        if self._keeps_best and accuracy is not None and accuracy > self._score:
            self._score = accuracy
            self._kept["best"] = _copied(trainer)

    def weights(self, name: str, last: Weights) -> Weights:
        """The weights that a stage names, ``last`` being those there are."""
        return last if name == "last" else self._kept[name]

    def forget_best(self) -> None:
        """A new stage has an own best epoch."""
        self._kept.pop("best", None)
        self._score = -1.0

    def saved(self) -> dict[str, Any]:
        """What a checkpoint holds of it."""
        return {"kept": self._kept, "score": self._score}

    def restore(self, content: Mapping[str, Any]) -> None:
        """Take over what :meth:`saved` gave."""
        self._kept, self._score = dict(content["kept"]), content["score"]


def _copied(trainer: Trainer) -> Weights:
    return [member.copied() for member in trainer.members]
