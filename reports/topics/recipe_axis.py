"""Where every method is trained with several values of a recipe: the same cells beside each other.

A table of its own holds the methods at one value (profile ``matched``). Here are the differences
that it cannot show: a method from itself at another value, and two methods at unequal ones, as a
release has them that gives one method a larger penalty than its rivals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from nlbench.reports.compare.comparison import Comparison
from nlbench.reports.compare.engine import Pair, paired_comparisons
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block, Cell
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.caption import completeness, provenance
from nlbench.reports.render.markdown import escape, table
from nlbench.reports.text import NONE, interval, listing, number, plural
from nlbench.reports.topics import parts
from nlbench.reports.topics.columns import COMPARISON, comparison, csv
from nlbench.reports.topics.topic import Topic

FILE = "recipe-axis"
# With more methods there are only the pairs with the baseline.
MOST = 4
COLUMNS = (
    "data_label", "model", "profile", "noise_drawn", "question", "method_a", "recipe_a", "method_b",
    "recipe_b", *COMPARISON,
)  # fmt: skip
SAME, VALUE, BOTH = "methods at one value", "values of one method", "methods at two values"


@dataclass(frozen=True, eq=False)
class Difference:
    """One difference.

    Attributes:
        question: SAME, VALUE or BOTH.
        a: method and value of what is judged.
        b: method and value of what it is judged against.
        found: the comparison.
    """

    question: str
    a: tuple[str, str]
    b: tuple[str, str]
    found: Comparison


@dataclass(frozen=True, eq=False)
class Axis:
    """Blocks that differ only in the values of their recipe, in one condition.

    Attributes:
        blocks: a block per value, in the declared order.
        line: the condition.
        methods: those with a cell at every value.
        differences: all of them, one family.
    """

    blocks: tuple[Block, ...]
    line: str
    methods: tuple[str, ...]
    differences: tuple[Difference, ...]

    @property
    def values(self) -> list[str]:
        """The values in words."""
        return [block.key.recipe for block in self.blocks]

    def cell(self, method: str, value: str) -> Cell:
        """A method at a value."""
        return next(b for b in self.blocks if b.key.recipe == value).cells[method, self.line]


def find(results: Results) -> list[Axis]:
    """Every condition that all methods met with two values of the recipe or more."""
    groups: dict[tuple[object, ...], list[Block]] = {}
    for block in results.blocks:
        if block.key.recipe:
            groups.setdefault(tuple(block.key._replace(recipe="")), []).append(block)
    return [
        axis
        for blocks in groups.values()
        if len(blocks) > 1
        for line in dict.fromkeys(c.line for block in blocks for c in block.conditions)
        if (axis := _axis(results, blocks, line)) is not None
    ]


def _axis(results: Results, blocks: Sequence[Block], line: str) -> Axis | None:
    there = tuple(block for block in blocks if any((m, line) in block.cells for m in block.methods))
    if len(there) < 2:
        return None
    methods = tuple(m for m in there[0].methods if all((m, line) in b.cells for b in there))
    axis = Axis(there, line, methods, ())
    asked = list(_questions(axis, results.baseline))
    found = paired_comparisons(
        [Pair(_named(axis, a), _named(axis, b)) for _, a, b in asked],
        family=f"{there[0].data_label}, {pretty_condition(line)}, over the values of the recipe",
    )
    differences = tuple(Difference(*q, c) for q, c in zip(asked, found, strict=True))
    return replace(axis, differences=differences) if differences else None


Place = tuple[str, str]


def _questions(axis: Axis, baseline: frozenset[str]) -> Iterator[tuple[str, Place, Place]]:
    """What is compared: (question, a, b)."""
    order = sorted(axis.methods, key=lambda m: m not in baseline)
    pairs = [(later, earlier) for earlier, later in combinations(order, 2)]
    if len(order) > MOST:
        pairs = [(a, b) for a, b in pairs if b in baseline]
    for a, b in pairs:
        for at_a in axis.values:
            for at_b in axis.values:
                yield SAME if at_a == at_b else BOTH, (a, at_a), (b, at_b)
    for method in order:
        for first, later in combinations(axis.values, 2):
            yield VALUE, (method, later), (method, first)


def _named(axis: Axis, place: Place) -> Cell:
    method, value = place
    return replace(axis.cell(method, value), method=f"{method} ({value})")


def tables(results: Results, found: Sequence[Axis]) -> dict[str, str]:
    """A row per difference."""
    del results
    rows = [
        {
            "data_label": axis.blocks[0].data_label,
            "model": axis.blocks[0].key.model,
            "profile": axis.blocks[0].key.profile,
            "noise_drawn": next(c.drawn for c in axis.blocks[0].conditions if c.line == axis.line),
            "question": one.question,
            "method_a": one.a[0],
            "recipe_a": axis.cell(*one.a).recipe,
            "method_b": one.b[0],
            "recipe_b": axis.cell(*one.b).recipe,
            **comparison(one.found),
        }
        for axis in found
        for one in axis.differences
    ]
    return {f"{FILE}.csv": csv(rows, COLUMNS)}


def pages(results: Results, found: Sequence[Axis]) -> dict[str, str]:
    """Accuracy by value, and every difference with its interval."""
    text = [f"# {escape(results.study.title)}: values of the recipe"]
    for axis in found:
        text += [f"## {escape(_title(axis))}", _accuracies(axis), escape(_caption(results, axis))]
        for a, b in dict.fromkeys((d.a[0], d.b[0]) for d in axis.differences):
            text += [f"### {escape(f'{a} − {b}' if a != b else a)}", _matrix(axis, a, b)]
    return {f"{FILE}.md": "\n\n".join(text) + "\n"}


def _title(axis: Axis) -> str:
    first = axis.blocks[0]
    return f"{first.data_label}, {first.key.model}, {pretty_condition(axis.line)}"


def _accuracies(axis: Axis) -> str:
    rows = [[escape(m), *(parts.value(axis.cell(m, v)) for v in axis.values)] for m in axis.methods]
    return table(["method", *map(escape, axis.values)], rows)


def _caption(results: Results, axis: Axis) -> str:
    """What the tables of one condition show."""
    cells = [axis.cell(m, v) for m in axis.methods for v in axis.values]
    epochs, rule, seeds = parts.about(results, cells)
    size = len(axis.differences)
    whole = dict.fromkeys(s for block in axis.blocks for s in completeness(block))
    origin = dict.fromkeys(provenance(results, block) for block in axis.blocks)
    return (
        f"Test accuracy (%), {epochs}, {rule}: mean ± standard deviation (n − 1) over {seeds})."
        " Below: mean difference over the same seeds with its 95 % Student interval, first method"
        " by rows and second by columns, each at one value of the recipe; of one method, the later"
        " value less the earlier. Bold: p below 0.05 after Holm over the"
        f" {plural(size, 'difference')} of this condition. {' '.join([*whole, *origin])}"
    )


def _matrix(axis: Axis, a: str, b: str) -> str:
    """Differences a - b, a row per value of a and a column per value of b."""
    cells = {(d.a, d.b): d.found for d in axis.differences}
    body = []
    for at_a in axis.values:
        shown = [cells.get(((a, at_a), (b, at_b))) for at_b in axis.values]
        if any(shown):
            body.append([escape(f"{a}, {at_a}"), *map(_difference, shown)])
    return table(["", *(escape(f"{b}, {value}") for value in axis.values)], body)


def _difference(found: Comparison | None) -> str:
    if found is None:
        return ""
    if found.estimate is None:
        return NONE
    text = f"{number(found.estimate, sign=True)} {interval(found.ci_low, found.ci_high)}".strip()
    return f"**{text}**" if found.decided else text


def section(results: Results, found: Sequence[Axis], block: Block | None) -> Sequence[str]:
    """Part of the index page: who differs from whom at which value."""
    del results
    if block is not None:
        return ()
    lines = []
    for axis in found:
        for a, b in dict.fromkeys((d.a[0], d.b[0]) for d in axis.differences if d.a[0] != d.b[0]):
            same = [d for d in axis.differences if (d.a[0], d.b[0]) == (a, b) and d.a[1] == d.b[1]]
            words = [f"{_difference(d.found).replace('*', '')} at {d.a[1]}" for d in same]
            lines.append(f"{pretty_condition(axis.line)}: {a} − {b} is {listing(words)}")
    return parts.section("Values of the recipe", f"{FILE}.md", [f"{x}." for x in lines], level=2)


TOPIC = Topic(
    name="recipe_axis",
    find=find,
    tables=tables,
    pages=pages,
    files=((f"{FILE}.csv", f"differences over values of the recipe, [as a table]({FILE}.md)"),),
    section=section,
)
