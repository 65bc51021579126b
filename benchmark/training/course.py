"""Course: the epochs of a run one by one, over all stages of its method."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nlbench.baselines import Method, MethodError, Stage
from nlbench.benchmark.spec.recipe import Recipe

# What a stage may train differently: nothing that the plan of batches is drawn from.
CHANGES = frozenset({"l1", "clip_norm", "schedule", "milestones", "gamma"}) | {
    *("lr", "momentum", "nesterov", "weight_decay"),
    *("optimizer", "betas", "eps"),
}


@dataclass(frozen=True)
class Turn:
    """One epoch of a run.

    Attributes:
        number: counted from 0 over the whole run.
        plan: whose order and augmentation it has; the same as ``number`` until a stage starts from
            the first weights, and with the first batches.
        stage: counted from 0.
        at: its number within the stage.
        setting: of the stage.
        recipe: of the stage, whose schedule goes over its epochs.
    """

    number: int
    plan: int
    stage: int
    at: int
    setting: Stage
    recipe: Recipe

    @property
    def changes(self) -> bool:
        """Whether a later stage than the first begins with it."""
        return self.stage > 0 and self.at == 0


def course(method: Method, recipe: Recipe) -> Iterator[Turn]:
    """Every epoch of a run.

    Raises:
        MethodError: a stage changes what it may not.
    """
    number = plan = 0
    for index, stage in enumerate(method.stages(recipe.epochs)):
        if strange := sorted(set(stage.recipe) - CHANGES):
            raise MethodError(
                f"method {method.name!r}: a stage cannot change {', '.join(strange)} of the recipe"
            )
        whole = index == 0 and stage.epochs == recipe.epochs and not stage.recipe
        changes = {**stage.recipe, "epochs": stage.epochs}
        own = recipe if whole else recipe.override(changes, f"method {method.name!r}, a stage")
        plan = 0 if stage.start == "first" else plan
        for at in range(stage.epochs):
            yield Turn(number, plan, index, at, stage, own)
            number, plan = number + 1, plan + 1
