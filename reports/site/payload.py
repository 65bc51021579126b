"""Everything on a page, as one object of plain JSON values; templates only lay it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from nlbench.reports.build import Built
from nlbench.reports.compare.across_conditions import Overall
from nlbench.reports.compare.comparison import DECLARED, NOT_COMPARABLE
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block
from nlbench.reports.read.names import BlockKey, pretty_condition
from nlbench.reports.render.across_conditions import MOST_PAIRS
from nlbench.reports.render.answer import answer
from nlbench.reports.render.caption import MARK_WORDS, RULE_WORDS, accuracy_caption, accuracy_notes
from nlbench.reports.render.grid import (
    MOST_COLUMNS,
    GridCell,
    GridRow,
    accuracy_grid,
    marks_used,
    method_rows,
)
from nlbench.reports.render.highlight import Highlight
from nlbench.reports.render.index import setup_table
from nlbench.reports.render.markdown import MARKS
from nlbench.reports.render.told import told
from nlbench.reports.render.verdicts import averages, declaration, exploration
from nlbench.reports.site import embed
from nlbench.reports.site.board import board, overall_rows
from nlbench.reports.site.labels import LabelSets, noise_facts
from nlbench.reports.site.methods import arxiv
from nlbench.reports.site.pairs import matrices, sentences
from nlbench.reports.text import NONE, number, rate

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Commands:
    """What a reader types, and where methods come from; both from the command line.

    Attributes:
        run: method names, noise line, seeds -> the command that makes these runs again.
        labels: block, noise line, seed -> the command that draws that label set again.
        sources: registered method name -> paper.
    """

    run: Callable[[Sequence[str], str, Sequence[int]], str]
    labels: Callable[[BlockKey, str, int], str]
    sources: Mapping[str, str] = field(default_factory=dict)


def payload(built: Built, sets: LabelSets, commands: Commands) -> dict[str, Any]:
    """The page of one suite as JSON values; equal reports give equal payloads.

    Args:
        built: the report, its files still there.
        sets: the label sets of its records.
        commands: how things are made again.
    """
    results, study = built.results, built.results.study
    runs = results.frame.runs
    found = answer(results)
    leaders = board(results, built.leaderboard, commands.run)
    return {
        "schema": SCHEMA,
        "name": study.name,
        "title": study.title,
        "description": study.description,
        "sha256": study.sha256,
        "command": study.command,
        "answer": [{"what": what, "line": line} for what, line in found.lines],
        "verdict": found.verdict,
        "best": found.best,
        "highlights": [_highlight(highlight) for highlight in built.highlights],
        "rule": results.rule,
        "rule_words": RULE_WORDS[results.rule],
        "data_labels": list(dict.fromkeys(b.data_label for b in results.blocks)),
        "models": list(dict.fromkeys(b.key.model for b in results.blocks)),
        "profiles": list(dict.fromkeys(b.key.regime for b in results.blocks)),
        "conditions": len({(b.index, c.line) for b in results.blocks for c in b.conditions}),
        "seeds": sorted({int(seed) for seed in runs["seed"]}),
        "runs": {
            "declared": len(runs),
            **{
                s: int((runs["status"] == s).sum()) for s in ("ok", "diverged", "failed", "missing")
            },
        },
        "commits": sorted({str(v) for v in runs["commit"].dropna()}),
        "devices": sorted({str(v) for v in runs["device"].dropna()}),
        "warnings": list(built.warnings),
        "blocks": [_block(results, block, built.leaderboard) for block in results.blocks],
        "board": leaders,
        "verdicts": {"about": declaration(results), "sentences": averages(results.gates)},
        "overall": _overall(results, built.leaderboard, leaders["rows"]),
        "claims": _claims(results),
        "figures": embed.figures(built.drawn, built.files),
        "tables": embed.tables(built.files),
        "downloads": embed.downloads(built.files),
        "noise": noise_facts(results, sets, commands.labels),
        "methods": _methods(results, commands.sources),
        "of_methods": {name: list(said) for name, said in built.of_methods.items()},
        # Registered name -> its page, where there are pages of methods.
        "method_pages": {},
        "setup": embed.markdown_html(setup_table(results), "set-up")[1],
    }


def _block(results: Results, block: Block, leaderboard: pd.DataFrame) -> dict[str, Any]:
    grid = accuracy_grid(block, leaderboard)
    found = sentences(results, block)
    return {
        "index": block.index,
        "title": block.title,
        "data_label": block.data_label,
        "model": block.key.model,
        "profile": block.key.profile,
        "table": _table(results, block, grid),
        "key": [f"{MARKS[mark]} {MARK_WORDS[mark]}" for mark in marks_used(grid)],
        "caption": accuracy_caption(results, block),
        "notes": accuracy_notes(results, block, rates=False),
        "matrices": matrices(results, block),
        "sentences": found,
        "comparisons": len(results.in_block(block)),
        "exploration": exploration(results.in_block(block)),
        "refused": sum(s["words"].startswith(NOT_COMPARABLE) for s in found),
    }


def _table(results: Results, block: Block, grid: Sequence[GridRow]) -> dict[str, Any]:
    """Conditions x methods, or methods x conditions where they are many."""
    if len(block.methods) <= MOST_COLUMNS:
        rows = [
            {
                "head": pretty_condition(row.condition.line),
                "opens": row.opens,
                "cells": [_text(rate(row.condition.realised)), *map(_cell, row.cells)],
            }
            for row in grid
        ]
        return {"corner": "noise", "columns": ["realised", *block.methods], "rows": rows}
    found = method_rows(block, grid, results.best_overall(block), told(results, block))
    some = any(row.told for row in found)
    rows = [
        {
            "head": row.method,
            "opens": False,
            "cells": [
                *([_text(row.told)] if some else []),
                *map(_cell, row.cells),
                _text(number(row.mean), row.best),
            ],
        }
        for row in found
    ]
    names = [pretty_condition(row.condition.line) for row in grid]
    columns = [*(["told"] if some else []), *names, "mean"]
    return {"corner": "method", "columns": columns, "rows": rows}


def _text(text: str, bold: bool = False) -> dict[str, Any]:
    return {"text": text, "bold": bold, "marks": "", "count": "", "words": ""}


def _highlight(found: Highlight) -> dict[str, Any]:
    return {
        "topic": found.topic,
        "title": found.title,
        "line": found.line,
        "headers": list(found.headers),
        "rows": [
            [_text(cell, (y, x) in found.strong) for x, cell in enumerate(row)]
            for y, row in enumerate(found.rows)
        ],
        "note": found.note,
    }


def _claims(results: Results) -> list[dict[str, str]]:
    """The first gate of every declared comparison, in words."""
    return [
        {
            "method": gate.a,
            "profile": gate.profile,
            "words": gate.words,
            "sentence": gate.sentence(),
        }
        for gate in results.gates
        if gate.depth == 1
    ]


def _cell(cell: GridCell | None) -> dict[str, Any] | None:
    if cell is None:
        return None
    deviation = f" ± {number(cell.sd)}" if cell.sd is not None else ""
    return {
        "text": NONE if cell.mean is None else f"{number(cell.mean)}{deviation}",
        "bold": cell.bold,
        "marks": "".join(MARKS[mark] for mark in cell.marks),
        "count": cell.count,
        "words": "; ".join(MARK_WORDS[mark] for mark in cell.marks),
    }


def _overall(
    results: Results, leaderboard: pd.DataFrame, rows: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The leaderboard's overall rows with the words of the comparison across conditions."""
    whole = {each.profile: each for each in results.overall}
    return [
        {
            **part,
            "conditions": len(whole[part["profile"]].conditions),
            "left_out": list(whole[part["profile"]].left_out),
            **_pairs(whole[part["profile"]]),
        }
        for part in overall_rows(leaderboard, rows)
    ]


def _pairs(whole: Overall) -> dict[str, Any]:
    """The sentences of all pairs, or of the declared ones where they are many."""
    size = len(whole.pairs)
    many = size > MOST_PAIRS
    return {
        "pairs": size,
        "sentences": [p.sentence() for p in whole.pairs if not many or p.role == DECLARED],
        "general": [] if many else [p.general_sentence(size) for p in whole.pairs],
    }


def _methods(results: Results, sources: Mapping[str, str]) -> list[dict[str, Any]]:
    """Label, registered name, hyper-parameters and paper of every method."""
    runs = results.frame.runs
    found = dict.fromkeys(zip(runs["method"], runs["method_name"], runs["params"], strict=True))
    rows = []
    for label, name, params in found:
        source = sources.get(str(name), "")
        rows.append(
            {
                "label": str(label),
                "name": str(name),
                "params": "" if params == "{}" else str(params),
                "source": source,
                "link": arxiv(source),
                "baseline": label in results.baseline,
            }
        )
    return rows
