"""openset.md, openset.csv, openset-comparisons.csv and openset.tex."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block, Cell, Condition
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render import latex
from nlbench.reports.render.markdown import escape, table
from nlbench.reports.topics.columns import (
    COMPARISON,
    PLACE,
    SUMMARY,
    Row,
    comparison,
    csv,
    place,
)
from nlbench.reports.topics.open_set.compare import (
    METRIC,
    Found,
    Verdicts,
    noise_sentence,
    whose_sentence,
)
from nlbench.reports.topics.open_set.find import METRICS, REJECTED, RULE, SCORES, Protocol
from nlbench.reports.topics.open_set.sentences import (
    after_the_fact,
    below_chance,
    caption,
    where_it_loses,
)
from nlbench.reports.topics.parts import (
    first_bullets,
    latex_tables,
    openings,
    percent_interval,
    section,
    value,
)

FILE = "openset"
COMPARISONS = f"{FILE}-comparisons.csv"
FILES = (
    (f"{FILE}.csv", f"AUROC, AUPR, FPR, OSCR of every score, [as a table]({FILE}.md)"),
    (COMPARISONS, "every comparison of open-set scores"),
    (f"{FILE}.tex", "the open-set table for a paper"),
)
FAMILIES = ("baseline", "energy", "pairs", "noise", "whose")
COLUMNS = (
    *PLACE, "unknowns", "condition", "nominal_rate", "method", "score", "declared", "metric",
    *SUMMARY, "in_best_set",
)  # fmt: skip
MOST = 12  # sentences of a kind on the index page
DIGITS = 1  # the spread over class splits is of the order of points
HEADS = (
    "method", "score", "AUROC", "95 % interval", "AUPR unknown", "AUPR known", "FPR95", "OSCR",
    "accuracy", "known rejected", "unknown rejected",
)  # fmt: skip
LATEX_HEADS = (
    "labels", "method", "score", "AUROC", "interval", "AUPR unk.", "AUPR kn.", "FPR95", "OSCR",
    "accuracy", "kn. rej.", "unk. rej.",
)  # fmt: skip
ENERGY = (
    "p_d is the logistic function of the extra logit minus the log-sum-exp of the class logits,"
    " and the energy is that log-sum-exp with its sign turned, which any network has. What the"
    " output adds is therefore seen better against the energy than against MSP."
)
NO_RUN = "No run yet."
ONE_METHOD = "One method: there is nothing to compare."


def tables(results: Results, found: Found) -> dict[str, str]:
    """A row per condition, method, score and metric in percent, and a row per comparison."""
    del results
    scores = [
        {
            **_place(protocol),
            "condition": condition.line,
            "nominal_rate": condition.nominal,
            **columns,
        }
        for protocol, verdicts in found
        for condition in protocol.conditions
        for row in rows(protocol, verdicts, condition)
        for columns in row.columns("score", METRIC)
    ]
    comparisons = [
        {**_place(protocol), "question": question, **comparison(one)}
        for protocol, verdicts in found
        for question in FAMILIES
        for one in getattr(verdicts, question)
    ]
    return {
        f"{FILE}.csv": csv(scores, COLUMNS),
        COMPARISONS: csv(comparisons, (*PLACE, "unknowns", "question", *COMPARISON)),
    }


def pages(results: Results, found: Found) -> dict[str, str]:
    """The page, and its tables for a paper."""
    return {f"{FILE}.md": _markdown(results, found), f"{FILE}.tex": _latex(results, found)}


def index_section(results: Results, found: Found, block: Block | None) -> Sequence[str]:
    """The conclusions of one block for the index page."""
    del results
    parts: list[str] = []
    for protocol, verdicts in found:
        if protocol.block is block:
            lines = [
                *[c.sentence() for c in verdicts.baseline][:MOST],
                *[noise_sentence(c) for c in verdicts.noise][:MOST],
                *where_it_loses(protocol, verdicts),
            ]
            parts += section("Open-set recognition", f"{FILE}.md", lines, level=3)
    return parts


def rows(protocol: Protocol, found: Verdicts, condition: Condition) -> tuple[Row, ...]:
    """The rows of one condition, methods as declared; none where it has no run yet."""
    if not any(
        cell.summary.n for place, cell in protocol.cells.items() if place[1] == condition.line
    ):
        return ()
    best = found.best(protocol, condition.line).members
    return tuple(
        Row(
            method=method,
            score=score,
            title=SCORES.get(score, score),
            declared=score == protocol.declared(method),
            best=score == protocol.declared(method) and protocol.label(method) in best,
            cells=cells,
        )
        for method in protocol.methods
        for score in protocol.scores[method]
        if (cells := _cells(protocol, method, condition.line, score))
    )


def _cells(protocol: Protocol, method: str, line: str, score: str) -> dict[str, Cell]:
    metrics = REJECTED if score == RULE else METRICS
    found = {metric: protocol.cell(method, line, score, metric) for metric in metrics}
    return {metric: cell for metric, cell in found.items() if cell is not None}


def _place(protocol: Protocol) -> dict[str, str]:
    return {**place(protocol.block), "unknowns": protocol.unknowns}


def _markdown(results: Results, found: Found) -> str:
    parts = [f"# {escape(results.study.title)}: open-set recognition"]
    for protocol, verdicts in found:
        parts.append(f"## {escape(protocol.block.title)}: {escape(protocol.unknowns)}")
        for condition in protocol.conditions:
            parts.append(f"### Training labels: {escape(pretty_condition(condition.line))}")
            parts.append(_table(protocol, verdicts, condition) or NO_RUN)
        parts.append(f"*{escape(' '.join(caption(results, protocol, verdicts)))}*")
        parts += conclusions(protocol, verdicts)
    return "\n\n".join(parts) + "\n"


def conclusions(protocol: Protocol, found: Verdicts) -> list[str]:
    """The comparisons in words, question by question."""
    size = len(found.baseline)
    parts = [f"### Declared scores against the baseline's (family of {size})"]
    parts += _bullets([c.sentence() for c in found.baseline]) or [ONE_METHOD]
    if found.energy:
        size = len(found.energy)
        parts.append(f"### The extra output against the baseline's energy (family of {size})")
        parts.append(ENERGY)
        parts += _bullets([c.sentence() for c in found.energy])
    parts.append("### Does label noise hurt rejection, and whose?")
    if found.noise:
        parts += _bullets([noise_sentence(c) for c in found.noise])
        parts += _bullets([whose_sentence(c) for c in found.whose])
    else:
        parts.append("This needs runs on clean and on noisy labels.")
    lost = where_it_loses(protocol, found)
    if lost:
        parts += ["### Where the extra output loses", *_bullets(lost)]
    beside = [*below_chance(protocol), *after_the_fact(protocol)]
    return [*parts, "### Beside the tests", *_bullets(beside)]


def _bullets(lines: Sequence[str]) -> list[str]:
    return first_bullets(lines, COMPARISONS)


def _table(protocol: Protocol, found: Verdicts, condition: Condition) -> str:
    there = rows(protocol, found, condition)
    body = []
    for row, first in zip(there, openings(row.method for row in there), strict=True):
        text = [escape(row.method) if first else "", escape(_title(row))]
        text += [_bold(words, row.best) for words in _auroc(row)]
        text += [_value(row, metric, first) for metric in list(METRICS)[1:]]
        body.append(text)
    return table(HEADS, body, left=2) if body else ""


def _title(row: Row) -> str:
    return f"{row.title} ●" if row.declared else row.title


def _bold(text: str, bold: bool) -> str:
    return f"**{text}**" if bold and text else text


def _auroc(row: Row) -> tuple[str, str]:
    if row.score == RULE:
        return "", ""
    return _value(row, METRIC), percent_interval(row.cells[METRIC], DIGITS)


def _value(row: Row, metric: str, first: bool = True) -> str:
    """Empty where there is none; a network's accuracy is shown once."""
    cell = row.cells.get(metric)
    return "" if cell is None or (metric == "accuracy" and not first) else value(cell, DIGITS)


def _latex(results: Results, found: Found) -> str:
    parts = (
        (
            protocol.block,
            [sentence.replace("●", "*") for sentence in caption(results, protocol, verdicts)],
            [list(_tex_rows(protocol, verdicts, c)) for c in protocol.conditions],
        )
        for protocol, verdicts in found
    )
    return latex_tables(results, FILE, LATEX_HEADS, parts, size="tiny")


def _tex_rows(protocol: Protocol, found: Verdicts, condition: Condition) -> Iterator[list[str]]:
    there = rows(protocol, found, condition)
    where = pretty_condition(condition.line)
    for row, first in zip(there, openings(row.method for row in there), strict=True):
        names = (where, row.method if first else "", _title(row).replace("●", "*"))
        line = [latex.escape(name) for name in names]
        line += [latex.cell(words, row.best) for words in _auroc(row)]
        line += [latex.cell(_value(row, metric, first)) for metric in list(METRICS)[1:]]
        where = ""
        yield line
