"""The pages of all methods: docs/methods.md with a line for each, and a page of each family."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from nlbench import baselines
from nlbench.baselines import Method, MethodError, Published
from nlbench.baselines.families import FAMILIES
from nlbench.baselines.price import cost, told
from nlbench.methods_numbers import Numbers, read
from nlbench.noise import whole

MADE_BY = "`nlbench list methods --pages docs` makes this page and those of the families.\n"
PREFACE = f"""\
# Methods

Every method trains under one contract: the same labels, first weights, batches and images as
cross-entropy. `nlbench list methods` prints the same on a terminal. Each family has a page: what it
assumes about wrong labels, where it fails, our numbers, and of each method what it does, whose code
it follows, where it differs from it, and its published settings.

- **formula**: of one sample. z are the logits, p their softmax, y the given label, e its one-hot
  vector, K the number of classes. A subscript i is what is remembered of a sample.
- **cost**: images through networks, forward and backward, for one through cross-entropy's: networks
  x views of an image x passes over the training set. "sweeps": the training set also goes forward
  through the network from time to time. Measured costs are in each report (cost.md).
- **told**: what the method must know beyond the given labels. Outside an experiment nobody knows
  the noise rate or T.
- **published for**: data sets with the authors' own setting, or that of a later comparison: the
  page of the family names it. Profile `official` trains with it, `matched` takes its
  hyper-parameters alone and elsewhere the defaults.
- **tried**: the values from which settings are drawn where a method is tuned, as many settings for
  every method; beside them factors of the learning rate from 0.1 to 10.

{MADE_BY}"""
NUMBERS = """\
Accuracies of our study [{name}](../../{folder}/index.md), in percent, on the clean test set at the
last epoch, mean over {seeds} seeds: every method with the same labels, first weights, batches and
recipe, and its published hyper-parameters. + and −: declared better and worse than `{baseline}`
there; without a sign: undecided. It shows what a method does there, not what it can do with more
images, epochs or tuning.
"""
# Published studies with numbers of methods, the broadest first.
STUDIES = ("field", "field-views")
HEADS = ("method", "formula", "source", "cost", "told", "published for", "defaults", "tried")
SETTINGS = ("published for", "hyper-parameters", "recipe", "whose")
# What Markdown would take for its own signs, outside of code.
_SIGNS = re.compile(r"([*_<\[\]])")


def shipped() -> list[type[Method]]:
    """The methods of this project, without those of other packages that are installed."""
    found = [baselines.get(name) for name in baselines.names()]
    return [method for method in found if method.__module__.startswith("nlbench.baselines.")]


def write_here(root: Path, folder: Path) -> list[Path]:
    """Write the pages of this project's methods, with the accuracies of our studies under root.

    Returns:
        The files, in a folder that is made if it is not there.
    """
    files = []
    numbers = [found for name in STUDIES if (found := read(root, name))]
    for name, text in pages(shipped(), *numbers).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        whole.write_text(file, text)
        files.append(file)
    return files


def pages(methods: Iterable[type[Method]], *numbers: Numbers) -> dict[str, str]:
    """Name of a file -> Markdown: methods.md, and methods/FAMILY.md of each family.

    Args:
        methods: of which families.
        numbers: what studies found of them, for tables on the page of each family; a method is in
            the first study that has it.

    Raises:
        MethodError: a method without formula, or of no family that there is.
    """
    groups = {name: members for name, members in _grouped(methods).items() if members}
    lines = [
        f"## {FAMILIES[name].title}\n\n"
        f"[What they assume, where they fail, our numbers, sources](methods/{name}.md).\n\n"
        f"{_table(HEADS, map(_row, members))}\n"
        for name, members in groups.items()
    ]
    return {
        "methods.md": "\n".join([PREFACE, *lines]),
        **{f"methods/{name}.md": _page(name, found, numbers) for name, found in groups.items()},
    }


def _grouped(methods: Iterable[type[Method]]) -> Mapping[str, list[type[Method]]]:
    groups: dict[str, list[type[Method]]] = {name: [] for name in FAMILIES}
    for method in methods:
        if method.family not in groups or not method.formula:
            raise MethodError(
                f"method {method.name!r}: no place on the page of methods for family"
                f" {method.family!r} and formula {method.formula!r}; families are"
                f" {', '.join(FAMILIES)}"
            )
        groups[method.family].append(method)
    return groups


def _page(name: str, methods: Sequence[type[Method]], numbers: Sequence[Numbers]) -> str:
    """The page of a family."""
    family = FAMILIES[name]
    measured = list(_measured([method.name for method in methods], numbers))
    parts = [
        f"# {family.title}\n\n[All methods](../methods.md). {MADE_BY}",
        f"## What they assume\n\n{family.assumes}\n",
        f"## Where they fail\n\n{family.fails}\n",
    ]
    if measured:
        parts += ["## Our numbers\n", *measured]
    return "\n".join([*parts, *map(_described, methods)])


def _measured(names: Sequence[str], numbers: Sequence[Numbers]) -> Iterator[str]:
    """A table for each study that has methods which no study before it has."""
    left = list(names)
    for study in numbers:
        found = [name for name in left if name in study.cells]
        left = [name for name in left if name not in found]
        if found:
            rows = _table(("measured", *study.conditions), study.rows(found))
            about = NUMBERS.format(name=Path(study.folder).name, **vars(study))
            yield f"{about}\n{rows}\n"


def _described(cls: type[Method]) -> str:
    """What a method is, in its own words, and its published settings."""
    parts = [f"## {cls.title}", f"`{cls.name}`: `{cls.formula}`", _prose(inspect.getdoc(cls) or "")]
    if cls.published:
        rows = (_setting(data, published) for data, published in cls.published.items())
        parts.append(_table(SETTINGS, rows))
    return "\n\n".join(parts) + "\n"


def _setting(data: str, published: Published) -> tuple[str, ...]:
    values = (published.params, published.recipe)
    return data, *(_listed(one) or "–" for one in values), published.source


def _listed(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _prose(text: str) -> str:
    """A docstring as Markdown: nothing outside of backticks is a sign of it."""
    parts = text.split("`")
    return "`".join(_SIGNS.sub(r"\\\1", p) if n % 2 == 0 else p for n, p in enumerate(parts))


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
