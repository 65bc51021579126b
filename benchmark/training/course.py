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
        at: its place in the schedule.
        begins: whether a later stage than the first begins with it.
        setting: of the stage.
        recipe: of the stage; its schedule goes over its epochs, or is that of the run.
    """

    number: int
    plan: int
    stage: int
    at: int
    begins: bool
    setting: Stage
    recipe: Recipe


def course(method: Method, recipe: Recipe) -> Iterator[Turn]:
    """Every epoch of a run.

    Raises:
        MethodError: a stage changes what it may not, or goes on after the schedule's end.
    """
    number = plan = 0
    for index, stage in enumerate(method.stages(recipe.epochs)):
        if strange := sorted(set(stage.recipe) - CHANGES):
            raise MethodError(
                f"method {method.name!r}: a stage cannot change {', '.join(strange)} of the recipe"
            )
        at = stage.at or 0
        if stage.at is not None and at + stage.epochs > recipe.epochs:
            raise MethodError(
                f"method {method.name!r}: a stage of {stage.epochs} epochs that begins at {at} goes"
                f" beyond the recipe's {recipe.epochs} epochs"
            )
        epochs = stage.epochs if stage.at is None else recipe.epochs
        whole = index == 0 and epochs == recipe.epochs and not stage.recipe
        changes = {**stage.recipe, "epochs": epochs}
        own = recipe if whole else recipe.override(changes, f"method {method.name!r}, a stage")
        plan = 0 if stage.start == "first" else plan
        for since in range(stage.epochs):
            yield Turn(number, plan, index, at + since, index > 0 and since == 0, stage, own)
            number, plan = number + 1, plan + 1
