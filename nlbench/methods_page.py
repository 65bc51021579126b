"""The page of all methods, docs/methods.md: a line for each, grouped by family."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from nlbench import baselines
from nlbench.baselines import Method, MethodError
from nlbench.baselines.families import FAMILIES
from nlbench.baselines.price import cost, told
from nlbench.methods_numbers import Numbers, read

PREFACE = """\
# Methods

Every method trains under one contract: the same labels, first weights, batches and images as
cross-entropy. `nlbench list methods` prints the same on a terminal.

- **formula**: of one sample. z are the logits, p their softmax, y the given label, e its one-hot
  vector, K the number of classes. A subscript i is what is remembered of a sample.
- **cost**: images through networks, forward and backward, for one through cross-entropy's: networks
  x views of an image x passes over the training set. "sweeps": the training set also goes forward
  through the network from time to time. Measured costs are in each report (cost.md).
- **told**: what the method must know beyond the given labels. Outside an experiment nobody knows
  the noise rate or T.
- **published for**: data sets with the authors' own setting, or that of a later comparison: the
  file of the method names it. Profile `official` trains with it, `matched` takes its
  hyper-parameters alone and elsewhere the defaults.
- **tried**: the values from which settings are drawn where a method is tuned, as many settings for
  every method; beside them factors of the learning rate from 0.1 to 10.
"""
NUMBERS = """\
Below each family are accuracies of our study [{name}](../{folder}/index.md), in percent, on the
clean test set at the last epoch, mean over {seeds} seeds: every method with the same labels, first
weights, batches and recipe, and its published hyper-parameters.
+ and −: declared better and worse than `{baseline}` there; without a sign: undecided.
It shows what a method does there, not what it can do with more images, epochs or tuning.
"""
MADE_BY = "This page is made by `nlbench list methods --markdown > docs/methods.md`.\n"
HEADS = ("method", "formula", "source", "cost", "told", "published for", "defaults", "tried")


def shipped() -> list[type[Method]]:
    """The methods of this project, without those of other packages that are installed."""
    found = [baselines.get(name) for name in baselines.names()]
    return [method for method in found if method.__module__.startswith("nlbench.baselines.")]


def page_here(root: Path) -> str:
    """The page of this project's methods, with the accuracies of study `field` under ``root``."""
    return page(shipped(), read(root, "field"))


def page(methods: Iterable[type[Method]], numbers: Numbers | None = None) -> str:
    """The page as Markdown.

    Args:
        methods: of which families.
        numbers: what a study found of them, for a table below each family.

    Raises:
        MethodError: a method without formula, or of no family that there is.
    """
    groups: dict[str, list[type[Method]]] = {name: [] for name in FAMILIES}
    for method in methods:
        if method.family not in groups or not method.formula:
            raise MethodError(
                f"method {method.name!r}: no place on the page of methods for family"
                f" {method.family!r} and formula {method.formula!r}; families are"
                f" {', '.join(FAMILIES)}"
            )
        groups[method.family].append(method)
    parts = [PREFACE, *([_about(numbers)] if numbers else []), MADE_BY]
    for name, members in groups.items():
        if members:
            family = FAMILIES[name]
            parts.append(
                f"## {family.title}\n\n{family.text}\n\n{_table(HEADS, map(_row, members))}\n"
            )
            names = [method.name for method in members]
            if numbers and not numbers.cells.keys().isdisjoint(names):
                parts.append(_table(("measured", *numbers.conditions), numbers.rows(names)) + "\n")
    return "\n".join(parts)


def _about(numbers: Numbers) -> str:
    return NUMBERS.format(name=Path(numbers.folder).name, **vars(numbers))


def _row(cls: type[Method]) -> tuple[str, ...]:
    method = baselines.create(cls.name)
    defaults = ", ".join(
        f"{p.name} {'none' if p.default is None else p.default}" for p in cls.hyperparameters()
    )
    return (
        f"**{cls.title}** `{cls.name}`",
        f"`{cls.formula}`",
        cls.source,
        cost(method),
        told(method) or "–",
        ", ".join(cls.published) or "–",
        defaults or "–",
        "; ".join(f"{p.name} {_values(p.search)}" for p in cls.hyperparameters() if p.search)
        or "–",
    )


def _values(tried: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in tried)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown; a stroke within a cell would end it."""
    lines = (heads, ("---",) * len(heads), *rows)
    return "\n".join(f"| {' | '.join(map(_escaped, line))} |" for line in lines)


def _escaped(cell: str) -> str:
    return cell.replace("|", r"\|")
