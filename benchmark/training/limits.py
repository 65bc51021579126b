"""Limits: what a backend does not train, and what a run cannot give its method, in words."""

from __future__ import annotations

from nlbench import noise
from nlbench.baselines import Method, MethodError
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.pipeline import augment_kinds
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.noise import NoiseSpec

# What cannot be given where true labels are not known.
_TRUTH = frozenset({"noise_rate", "transition", "clean_labels"})


def refusal(backend: str, method: Method, recipe: Recipe) -> str:
    """Why a backend does not train a method by a recipe; empty if it does."""
    kind, needs = type(method), [] if backend == "loop" else _from_outside(recipe)
    if len(method.stages(recipe.epochs)) > 1 and backend != "loop":
        needs.append("it trains in stages")
    if kind.own_batches and backend != "loop":
        needs.append("it draws batches of its own")
    if backend == "stack":
        if recipe.sam_rho > 0:
            needs.append("the recipe has a sam_rho")
        if method.members > 1:
            needs.append(f"it has {method.members} networks")
        if method.views > 1:
            needs.append(f"it has {method.views} views of each image")
        if kind.wants_sweep is not Method.wants_sweep:
            needs.append("it uses the whole training set between epochs")
        if kind.after_step is not Method.after_step:
            needs.append("it uses the networks after each step")
    if not needs:
        return ""
    why = " and ".join(needs)
    return f"backend {backend!r} does not train method {method.name!r} ({why}): --backend loop does"


def _from_outside(recipe: Recipe) -> list[str]:
    """What of a recipe is code that may do in a step what cannot be recorded."""
    parts = {
        "optimizer": recipe.outside_optimizer,
        "augment": augment_kinds.is_outside(recipe.augment),
    }
    return [f"the recipe's {name} is from outside" for name, outside in parts.items() if outside]


def check_backend(backend: str, method: Method, recipe: Recipe) -> None:
    """Refuse a method or a recipe that a backend does not train (UserError)."""
    if reason := refusal(backend, method, recipe):
        raise UserError(reason)


def check_pixels(method: Method, dataset: str, pixels: str) -> None:
    """Refuse a strong view of images that are not 8-bit (UserError); ``pixels`` is their type."""
    if method.strong_views and pixels != "uint8":
        raise UserError(
            f"method {method.name!r} has a strongly augmented view: that is for images of 8 bits,"
            f" and those of {dataset!r} are {pixels}"
        )


def check_method(method: Method, dataset: str, in_files: bool, line: str, holdout: float) -> None:
    """Refuse a method what it needs and a run does not have, before anything is trained.

    Args:
        method: of the run.
        dataset: its name.
        in_files: whether its images are read from files.
        line: the noise.
        holdout: share of the training set that is held out.

    Raises:
        UserError, MethodError: with the method's name, and what would be right.
    """
    if method.views > 1 and in_files:
        raise UserError(
            f"method {method.name!r} has {method.views} views of each image: that is for images in"
            f" memory, and those of {dataset!r} are read from files"
        )
    if method.own_batches and in_files:
        raise UserError(
            f"method {method.name!r} draws batches of its own: that is for images in memory, and"
            f" those of {dataset!r} are read from files"
        )
    if method.sweep_views and in_files:
        raise UserError(
            f"method {method.name!r} looks at {method.sweep_views} augmented views of all images:"
            f" that is for images in memory, and those of {dataset!r} are read from files"
        )
    asked = method.asks()
    if asked & _TRUTH and not noise.get(NoiseSpec.parse(line).kind).truth:
        what = ", ".join(sorted(asked & _TRUTH)).replace("_", " ")
        raise MethodError(
            f"method {method.name!r} needs the {what}, which is not known for {dataset!r}:"
            " its labels are noisy as they were published"
        )
    stages = method.stages(1000)
    chooses = any("best" in (stage.start, stage.look) for stage in stages)
    if ("noisy_val" in asked or chooses) and holdout == 0:
        raise MethodError(
            f"method {method.name!r} needs held-out samples with noisy labels: set holdout of data"
            f" set {dataset!r} above 0"
        )
