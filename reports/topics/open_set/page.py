"""openset.md, openset.csv, openset-comparisons.csv and openset.tex."""

from __future__ import annotations

from collections.abc import Sequence

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Cell, Condition
from nlbench.reports.read.measured import bounded, counted
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render import measured_latex as latex
from nlbench.reports.render.latex import escape as tex
from nlbench.reports.render.latex import label
from nlbench.reports.render.markdown import escape, table
from nlbench.reports.text import NONE, number
from nlbench.reports.topics.open_set.compare import Verdicts, noise_sentence, whose_sentence
from nlbench.reports.topics.open_set.find import METRICS, RULE, Protocol
from nlbench.reports.topics.open_set.sentences import (
    after_the_fact,
    below_chance,
    caption,
    where_drainage_loses,
)
from nlbench.reports.topics.open_set.table import Row, comparisons_csv, openset_csv, rows

FILE = "openset"
DIGITS = 1  # the spread over class splits is of the order of points
SENTENCES = 60
HEADS = (
    "method", "score", "AUROC", "95 % interval", "AUPR unknown", "AUPR known", "FPR95", "OSCR",
    "accuracy", "known rejected", "unknown rejected",
)  # fmt: skip
SHORT = ("AUPR unk.", "AUPR kn.", "FPR95", "OSCR", "accuracy", "kn. rej.", "unk. rej.")
ENERGY = (
    "p_d is the logistic function of the drainage logit minus the log-sum-exp of the class logits,"
    " and the energy is that log-sum-exp with its sign turned, which any network has. What the node"
    " adds is therefore seen better against the energy than against MSP."
)
NO_RUN = "No run yet."
ONE_METHOD = "One method: there is nothing to compare."


def openset_texts(results: Results, only: str | None = None) -> dict[str, str]:
    """File name -> content; empty where no record holds open-set scores.

    Args:
        results: of the study.
        only: part of the report that was asked for, one of ``reports.PARTS`` or ``None`` for all.
    """
    if not results.open_sets:
        return {}
    found = results.open_set_verdicts
    texts = {}
    if only in (None, "leaderboard"):
        texts[f"{FILE}.csv"] = openset_csv(results, found)
        texts[f"{FILE}-comparisons.csv"] = comparisons_csv(results, found)
    if only in (None, "tables"):
        texts[f"{FILE}.md"] = _markdown(results, found)
        texts[f"{FILE}.tex"] = _latex(results, found)
    return texts


def _markdown(results: Results, found: Sequence[Verdicts]) -> str:
    parts = [f"# {escape(results.study.title)}: open-set recognition"]
    for protocol, verdict in zip(results.open_sets, found, strict=True):
        parts.append(f"## {escape(protocol.block.title)}: {escape(protocol.unknowns)}")
        for condition in protocol.conditions:
            parts.append(f"### Training labels: {escape(pretty_condition(condition.line))}")
            parts.append(_table(protocol, verdict, condition) or NO_RUN)
        parts.append(f"*{escape(' '.join(caption(results, protocol, verdict)))}*")
        parts += conclusions(protocol, verdict)
    return "\n\n".join(parts) + "\n"


def conclusions(protocol: Protocol, found: Verdicts) -> list[str]:
    """The comparisons in words, question by question."""
    size = len(found.baseline)
    parts = [f"### Declared scores against the baseline's (family of {size})"]
    parts += _bullets([c.sentence() for c in found.baseline]) or [ONE_METHOD]
    if found.energy:
        size = len(found.energy)
        parts.append(f"### The node against the baseline's energy (family of {size})")
        parts.append(ENERGY)
        parts += _bullets([c.sentence() for c in found.energy])
    parts.append("### Does label noise hurt rejection, and whose?")
    if found.noise:
        parts += _bullets([noise_sentence(c) for c in found.noise])
        parts += _bullets([whose_sentence(c) for c in found.whose])
    else:
        parts.append("It takes runs on clean and on noisy labels to tell.")
    lost = where_drainage_loses(protocol, found)
    if lost:
        parts += ["### Where drainage loses", *_bullets(lost)]
    return [*parts, "### Beside the tests", *_bullets(_beside(protocol))]


def _beside(protocol: Protocol) -> list[str]:
    return [*below_chance(protocol), *after_the_fact(protocol)]


def _bullets(lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    text = "\n".join(f"- {escape(line)}" for line in lines[:SENTENCES])
    rest = len(lines) - SENTENCES
    return [text, f"{rest} more: {FILE}-comparisons.csv."] if rest > 0 else [text]


def _table(protocol: Protocol, found: Verdicts, condition: Condition) -> str:
    body = []
    before = ""
    for row in rows(protocol, found, condition):
        first = row.method != before
        before = row.method
        text = [escape(row.method) if first else "", escape(_title(row))]
        text += [_bold(value, row.bold) for value in _auroc(row)]
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
    ends = bounded(row.cells["auroc"].summary)
    span = NONE if ends is None else f"[{number(ends[0], DIGITS)}, {number(ends[1], DIGITS)}]"
    return _value(row, "auroc"), span


def _value(row: Row, metric: str, first: bool = True) -> str:
    """``93.1 ± 0.2``, with ``(3/5)`` where runs are missing; a network's accuracy stands once."""
    cell: Cell | None = row.cells.get(metric)
    if cell is None or (metric == "accuracy" and not first):
        return ""
    there = counted(cell)
    text = f"{number(cell.summary.mean, DIGITS)} ± {number(cell.summary.sd, DIGITS)}"
    if cell.summary.mean is None:
        text = NONE
    return f"{text} ({there})" if there else text


def _latex(results: Results, found: Sequence[Verdicts]) -> str:
    floats = ["% Made by nlbench report; needs \\usepackage{booktabs,textcomp} and T1 fonts."]
    for protocol, verdict in zip(results.open_sets, found, strict=True):
        body: list[list[str]] = []
        for condition in protocol.conditions:
            lines = _tex_rows(protocol, verdict, condition)
            body += [[], *lines] if body and lines else lines
        words = " ".join(caption(results, protocol, verdict)).replace("●", "*")
        heads = ["labels", "method", "score", "AUROC", "interval", *SHORT]
        name = label(results, FILE, protocol.block)
        floats.append(latex.pages(words, name, heads, 3, body, size="tiny"))
    return "\n".join(floats)


def _tex_rows(protocol: Protocol, found: Verdicts, condition: Condition) -> list[list[str]]:
    lines: list[list[str]] = []
    before = ""
    for row in rows(protocol, found, condition):
        first = row.method != before
        before = row.method
        where = "" if lines else pretty_condition(condition.line)
        line = [tex(where), tex(row.method) if first else "", _title(row).replace("●", "*")]
        line[2] = tex(line[2])
        line += [latex.cell(value, row.bold) for value in _auroc(row)]
        line += [latex.cell(_value(row, metric, first)) for metric in list(METRICS)[1:]]
        lines.append(line)
    return lines
