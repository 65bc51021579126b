"""cost.md, cost.csv, cost.tex, first-network.csv, and the index page's part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render import latex
from nlbench.reports.render.caption import of_part
from nlbench.reports.render.markdown import bullets, escape, table
from nlbench.reports.stats import Interval
from nlbench.reports.text import NONE, interval, listing, number, plural, rounded
from nlbench.reports.topics import parts
from nlbench.reports.topics.columns import PLACE, csv, place
from nlbench.reports.topics.cost.find import COUNTED, QUANTITIES, Alone, BlockCosts, Cost, Found

FILE, NETWORKS = "cost", "first-network"
FILES = (
    (f"{FILE}.md", "what methods cost and were told"),
    (f"{FILE}.tex", "the same for a paper"),
)
COLUMNS = (
    *PLACE, "method", "reference", "told", "n",
    *(f"{name}{end}" for name in QUANTITIES for end in ("", "_ratio")),
)  # fmt: skip
NETWORK_COLUMNS = (
    *PLACE, "condition", "method", "n", "expected_n", "first_mean", "first_sd", "both_mean",
    "both_sd", "gain", "gain_ci_low", "gain_ci_high",
)  # fmt: skip
NOTE = (
    "Passes over the training set and images through networks are counted, tests not among them;"
    " a method's own evaluations of the training set are. Seconds are wall time of a whole run on"
    " a machine that may have been shared; memory is the most that was held during the run, on a"
    " CPU by the whole process, libraries and images included, on a GPU by tensors."
)
ALONE_HEADS = ["noise", "method", "n", "first network", "all networks", "gain", "95 % interval"]


def tables(results: Results, found: Found) -> dict[str, str]:
    """A row per method, and one per condition of a method with several networks."""
    del results
    rows = [_row(part, cost) for part in found for cost in part.costs]
    texts = {f"{FILE}.csv": csv(rows, COLUMNS)}
    if alone := [_alone_row(part.block, one) for part in found for one in part.alone]:
        texts[f"{NETWORKS}.csv"] = csv(alone, NETWORK_COLUMNS)
    return texts


def pages(results: Results, found: Found) -> dict[str, str]:
    """The same as pages."""
    title = f"# {escape(results.study.title)}: what methods cost"
    sections = [title]
    for part in found:
        sections += [f"## {escape(part.block.title)}", *_markdown(part)]
    return {
        f"{FILE}.md": "\n\n".join(sections) + "\n",
        f"{FILE}.tex": "\n".join([latex.HEAD, *(_latex(results, part) for part in found)]),
    }


def section(results: Results, found: Found, block: Block | None) -> Sequence[str]:
    """Who costs more than cross-entropy, who was told what, and one network of two."""
    del results
    here = [part for part in found if block is not None and part.block.index == block.index]
    return [
        line
        for part in here
        for line in parts.section("Cost", f"{FILE}.md", sentences(part), level=3)
    ]


def of_methods(results: Results, found: Found) -> dict[str, str]:
    """Registered name -> what its runs cost and were told, over all settings and blocks."""
    held: dict[str, list[tuple[str | None, Cost]]] = {}
    for part in found:
        for cost in part.costs:
            held.setdefault(results.method_names[cost.method], []).append((part.reference, cost))
    return {name: _in_short(costs) for name, costs in held.items()}


def _in_short(costs: Sequence[tuple[str | None, Cost]]) -> str:
    reference = next((name for name, _ in costs if name is not None), None)
    if reference is None or any(cost.method == name for name, cost in costs):
        head, numbers = "Cost of a run", [cost.medians for _, cost in costs]
        words = [
            f"{_span(numbers, 'passes', 0)} passes",
            f"{_span(numbers, 'images_forward', 0)} images forward",
            f"{_span(numbers, 'seconds', 1)} seconds",
        ]
    else:
        head, numbers = f"Cost, {reference} = 1", [cost.ratios for _, cost in costs]
        words = [f"{QUANTITIES[name]} {_span(numbers, name)}" for name in (*COUNTED, "seconds")]
    told = sorted({word for _, cost in costs for word in cost.told.split(", ") if word})
    given = f" Told: {_words(', '.join(told))}." if told else ""
    return f"{head}: {listing(words)}.{given}"


def _span(costs: Sequence[Mapping[str, float]], name: str, digits: int = 2) -> str:
    """``1.00``, or ``1.00 to 2.00``; what no run has is ``–``."""
    values = [cost[name] for cost in costs if cost[name] == cost[name]]
    if not values:
        return NONE
    return " to ".join(dict.fromkeys(f"{v:,.{digits}f}" for v in (min(values), max(values))))


def sentences(part: BlockCosts) -> list[str]:
    """The page in short."""
    return [*_more(part), *_told(part), *map(_gain, part.alone)]


def caption(part: BlockCosts) -> str:
    """What the table's numbers are, with those that the ratios are of."""
    if part.reference is None:
        return f"Neither CE nor the baseline recorded its cost: no ratios. {NOTE}"
    (cost,) = (cost for cost in part.costs if cost.method == part.reference)
    seconds, memory = (cost.medians[name] for name in ("seconds", "peak_memory"))
    return (
        f"Relative to {part.reference}: medians over runs of equal labels and seed, of seconds and"
        f" memory on equal machines. A run of {part.reference}: {cost.medians['passes']:g} passes,"
        f" {cost.medians['images_forward']:,.0f} images forward, {number(seconds, 1)} s,"
        f" {number(memory, 0)} MiB (medians of {plural(cost.runs, 'run')}). {NOTE}"
    )


def _more(part: BlockCosts) -> Iterator[str]:
    if part.reference is None:
        return
    ratios = {cost.method: cost.ratios["images_forward"] for cost in part.costs}
    more = [f"{method} {number(ratio)}" for method, ratio in ratios.items() if ratio > 1]
    words = listing(more) or "none"
    yield f"Images forward, methods with more than {part.reference}, times its number: {words}."


def _told(part: BlockCosts) -> Iterator[str]:
    told = [f"{cost.method} ({_words(cost.told)})" for cost in part.costs if cost.told]
    if told:
        yield f"Given what is unknown outside an experiment: {listing(told)}."


def _gain(one: Alone) -> str:
    span = interval(one.gain.low, one.gain.high, before=" ")
    return (
        f"{one.method} on {pretty_condition(one.condition)}: all networks together"
        f" {number(one.gain.mean, sign=True)} points over the first alone{span}, n = {one.gain.n}."
    )


def _markdown(part: BlockCosts) -> list[str]:
    heads = ["method", "told", *QUANTITIES.values()]
    rows = [[escape(cost.method), escape(_words(cost.told)), *_ratios(cost)] for cost in part.costs]
    texts = [table(heads, rows, left=2), f"*{escape(caption(part))}*"]
    if part.alone:
        lines = [
            [*map(escape, names), *numbers] for names, numbers in map(_alone_cells, part.alone)
        ]
        texts += ["### The first network alone", table(ALONE_HEADS, lines, left=2)]
        texts += ["*Test accuracy in percent at the last epoch, mean ± standard deviation.*"]
    if short := sentences(part):
        texts += ["### In short", bullets(short)]
    return texts


def _latex(results: Results, part: BlockCosts) -> str:
    heads = ["method", "told", *QUANTITIES.values()]
    rows = [
        [
            latex.escape(cost.method),
            latex.escape(_words(cost.told)),
            *map(latex.cell, _ratios(cost)),
        ]
        for cost in part.costs
    ]
    words = f"What methods cost. {part.block.title}. {caption(part)}{of_part(results)}"
    text = latex.pages(words, latex.label(results, FILE, part.block), heads, 2, rows)
    if part.alone:
        lines = [
            [*map(latex.escape, names), *map(latex.cell, numbers)]
            for names, numbers in map(_alone_cells, part.alone)
        ]
        words = (
            f"The first network alone and all of them, last epoch. {part.block.title}."
            + of_part(results)
        )
        label = latex.label(results, NETWORKS, part.block)
        text += "\n" + latex.pages(words, label, ALONE_HEADS, 2, lines)
    return text


def _ratios(cost: Cost) -> list[str]:
    return [number(cost.ratios[name]) for name in QUANTITIES]


def _alone_cells(one: Alone) -> tuple[list[str], list[str]]:
    n = f"{one.gain.n}" if one.gain.n == one.expected else f"{one.gain.n}/{one.expected}"
    gain = number(one.gain.mean, sign=True)
    spreads = [parts.spread(found.mean, found.sd) for found in (one.first, one.both)]
    span = interval(one.gain.low, one.gain.high) or NONE
    return [pretty_condition(one.condition), one.method], [n, *spreads, gain, span]


def _row(part: BlockCosts, cost: Cost) -> dict[str, Any]:
    row: dict[str, Any] = {
        **place(part.block),
        "method": cost.method,
        "reference": part.reference,
        "told": cost.told,
        "n": cost.runs,
    }
    for name in QUANTITIES:
        row[name], row[f"{name}_ratio"] = rounded(cost.medians[name]), rounded(cost.ratios[name])
    return row


def _alone_row(block: Block, one: Alone) -> dict[str, Any]:
    return {
        **place(block),
        "condition": one.condition,
        "method": one.method,
        "n": one.gain.n,
        "expected_n": one.expected,
        **_mean_sd("first", one.first),
        **_mean_sd("both", one.both),
        "gain": rounded(one.gain.mean),
        "gain_ci_low": rounded(one.gain.low),
        "gain_ci_high": rounded(one.gain.high),
    }


def _mean_sd(name: str, found: Interval) -> dict[str, float | None]:
    return {f"{name}_mean": rounded(found.mean), f"{name}_sd": rounded(found.sd)}


def _words(told: str) -> str:
    return told.replace("_", " ") or NONE
