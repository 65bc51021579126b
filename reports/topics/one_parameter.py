"""Where one hyper-parameter of a method varies: what noisy validation would have chosen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block, Condition
from nlbench.reports.render.caption import completeness, provenance
from nlbench.reports.render.markdown import bullets, escape, table
from nlbench.reports.stats import Interval, mean_interval
from nlbench.reports.text import NONE, interval, rounded
from nlbench.reports.topics import parts
from nlbench.reports.topics.columns import PLACE, csv, place
from nlbench.reports.topics.sweep.axes import Axis, axes_of, rest_of
from nlbench.reports.topics.sweep.find import Setting, setting_of
from nlbench.reports.topics.sweep.selection import Choices, choose
from nlbench.reports.topics.sweep.sentences import choice_sentences
from nlbench.reports.topics.topic import Topic

FILE = "one-parameter"
CHOSEN, BEST = "chosen by noisy validation", "best on test, nobody can know"
COLUMNS = (
    *PLACE, "condition", "method", "parameter", "role", "value", "fixed", "n", "expected_n", "mean",
    "sd", "ci_low", "ci_high", "noisy_validation_mean", "noisy_validation_sd",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Line:
    """Settings of one method in one condition that differ in one number.

    Attributes:
        block: that it is in.
        condition: its noise.
        title: the method as tables call it.
        axis: what varies.
        fixed: what else varies in the study and has one value here, in words.
        settings: in the declared order; the first declared is the default.
    """

    block: Block
    condition: Condition
    title: str
    axis: Axis
    fixed: str
    settings: tuple[Setting, ...]

    @property
    def default(self) -> Setting:
        """The setting that was declared first."""
        return self.settings[0]

    @property
    def validated(self) -> bool:
        """Whether noisily labelled samples were held out."""
        return any(np.isfinite(s.last["val_noisy"]).any() for s in self.settings)

    def level(self, setting: Setting) -> float:
        """The value of what varies."""
        return self.axis.level(setting.params)

    def name(self, setting: Setting) -> str:
        """A setting in words: ``alpha = 1``."""
        return f"{self.axis.label} = {self.level(setting):g}"

    def best(self) -> Interval:
        """Test accuracy of the setting best on it, seed by seed; seeds with every setting count."""
        values = np.array([s.cell.values for s in self.settings])
        return mean_interval(values.max(axis=0)[np.isfinite(values).all(axis=0)])


Found = list[tuple[Line, Choices | None]]


def find(results: Results) -> Found:
    """Every method and condition in which settings differ in exactly one number."""
    index = results.frame.runs["block"].tolist()
    labels = results.frame.runs["method"].tolist()
    groups: dict[tuple[int, str, str], dict[str, RunSpec]] = defaultdict(dict)
    for spec, block, label in zip(results.study.specs, index, labels, strict=True):
        groups[block, spec.noise, spec.method.name].setdefault(label, spec)
    epochs = {spec.run_id: spec.recipe.epochs for spec in results.study.specs}
    lines: list[Line] = []
    for block in results.blocks:
        for condition in block.conditions:
            for (at, noise, name), members in groups.items():
                if (at, noise) == (block.index, condition.line) and len(members) > 1:
                    lines += _lines(results, block, condition, name, members, epochs)
    return [(line, choose(line)) for line in lines]


def _lines(
    results: Results,
    block: Block,
    condition: Condition,
    name: str,
    members: Mapping[str, RunSpec],
    epochs: Mapping[str, int],
) -> Iterator[Line]:
    params = {label: _params(spec) for label, spec in members.items()}
    axes, rest = axes_of(name, [*params.values()]), rest_of(name, [*params.values()])
    if len(axes) != 1:
        return
    (axis,) = axes
    slices: dict[str, list[str]] = defaultdict(list)
    for label, values in params.items():
        slices[", ".join(f"{key} = {values.get(key)}" for key in rest)].append(label)
    for fixed, inside in slices.items():
        levels = {axis.level(params[label]) for label in inside}
        if len(inside) < 2 or len(levels) < len(inside):
            continue
        settings = tuple(
            setting_of(results, block.cells[label, condition.line], params[label], None, epochs)
            for label in inside
        )
        title = results.study.titles.get(name, name)
        yield Line(block, condition, title, axis, fixed, settings)


def _params(spec: RunSpec) -> dict[str, Any]:
    """Hyper-parameters, and the fields of the recipe as ``recipe.lr``."""
    recipe = {f"recipe.{f.name}": getattr(spec.recipe, f.name) for f in fields(spec.recipe)}
    return {**spec.method.values, **recipe}


def tables(results: Results, found: Found) -> dict[str, str]:
    """one-parameter.csv: a row per setting, and the two rows of choices."""
    del results
    rows = [row for line, choices in found for row in _records(line, choices)]
    return {f"{FILE}.csv": csv(rows, COLUMNS)}


def pages(results: Results, found: Found) -> dict[str, str]:
    """one-parameter.md."""
    texts = [f"# {escape(results.study.title)}: one hyper-parameter"]
    for line, choices in found:
        fixed = f" ({line.fixed})" if line.fixed else ""
        texts += [
            f"## {escape(f'{line.title}{fixed}: {line.axis.label}')}",
            escape(_caption(results, line)),
            _table(line, choices),
            bullets(_sentences(line, choices)),
        ]
    return {f"{FILE}.md": "\n\n".join(texts) + "\n"}


def section(results: Results, found: Found, block: Block | None) -> Sequence[str]:
    """What would have been chosen."""
    del results
    lines = [words for line, choices in found for words in _sentences(line, choices)[:3]]
    return [] if block else parts.section("One hyper-parameter", f"{FILE}.md", lines, level=2)


def _caption(results: Results, line: Line) -> str:
    epochs, rule, seeds = parts.about(results, [s.cell for s in line.settings])
    return " ".join(
        (
            f"{line.block.title}, noise {line.condition.line}, {epochs}; {rule}; mean ± standard"
            f" deviation (n − 1) over {seeds}).",
            f"Default: the setting declared first ({line.name(line.default)}).",
            *completeness(line.block),
            provenance(results, line.block),
        )
    )


def _table(line: Line, choices: Choices | None) -> str:
    headers = [line.axis.label, "test accuracy (%)", "95 % interval", "noisy validation (%)"]
    rows = []
    for setting in sorted(line.settings, key=line.level):
        mark = " (default)" if setting is line.default else ""
        held = parts.spread_of(100 * setting.last["val_noisy"])
        span = parts.percent_interval(setting.cell)
        rows.append([f"{line.level(setting):g}{mark}", parts.value(setting.cell), span, held])
    if choices is not None:
        rows.append([CHOSEN, *_texts(_chosen(choices)), parts.spread_of(_held(choices))])
    rows.append([BEST, *_texts(line.best()), NONE])
    return table([escape(header) for header in headers], rows)


def _sentences(line: Line, choices: Choices | None) -> list[str]:
    if choices is not None:
        return choice_sentences(line, choices)
    where = f"{line.title} on {line.condition.line}"
    why = "no seed has every setting yet" if line.validated else "no labels were held out"
    return [f"{where}: nothing can be chosen without the test set ({why})."]


def _chosen(choices: Choices) -> Interval:
    return mean_interval(np.array([c.accuracy for c in choices.seeds]))


def _held(choices: Choices) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([c.validation for c in choices.seeds])


def _texts(found: Interval) -> list[str]:
    return [parts.spread(found.mean, found.sd), interval(found.low, found.high) or NONE]


def _records(line: Line, choices: Choices | None) -> Iterator[dict[str, Any]]:
    where = {
        **place(line.block),
        "condition": line.condition.line,
        "method": line.title,
        "parameter": line.axis.label,
        "fixed": line.fixed,
        "expected_n": line.default.cell.expected,
    }
    for setting in line.settings:
        held = 100 * setting.last["val_noisy"]
        role = "default" if setting is line.default else "setting"
        numbers = _numbers(setting.cell.summary, mean_interval(held[np.isfinite(held)]))
        yield {**where, "role": role, "value": line.level(setting), **numbers}
    if choices is not None:
        yield {**where, "role": CHOSEN, **_numbers(_chosen(choices), mean_interval(_held(choices)))}
    yield {**where, "role": BEST, **_numbers(line.best(), mean_interval(np.array([])))}


def _numbers(found: Interval, held: Interval) -> dict[str, Any]:
    return {
        "n": found.n,
        "mean": rounded(found.mean),
        "sd": rounded(found.sd),
        "ci_low": rounded(found.low),
        "ci_high": rounded(found.high),
        "noisy_validation_mean": rounded(held.mean),
        "noisy_validation_sd": rounded(held.sd),
    }


TOPIC = Topic(
    name="one_parameter",
    find=find,
    tables=tables,
    pages=pages,
    files=((f"{FILE}.md", "one hyper-parameter: each value, chosen by validation, best on test"),),
    section=section,
)
