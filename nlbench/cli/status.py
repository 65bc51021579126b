"""``nlbench status``: how far a suite is."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tabulate import tabulate

from nlbench.cli import options, output

if TYPE_CHECKING:
    from nlbench.benchmark.runs.status import Status
    from nlbench.benchmark.store.outcomes import Outcome
    from nlbench.benchmark.suites.suite import Suite

TEXT = """\
Show how many seeds of each cell (noise x method) are done, and what diverged, failed or is damaged.
Records that another source of their method made are named and not counted. Reads the store only;
trains nothing. A record that cannot be used is named and set aside; then the exit status is 1.
"""
EXAMPLES = "  nlbench status quick\n  nlbench status fashion --results /big/results\n"


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(commands, "status", "how far a suite is", TEXT, EXAMPLES)
    options.add_suite(parser)
    options.add_results(parser)
    output.add_json(parser)
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    from nlbench.benchmark.runs import plan
    from nlbench.benchmark.runs.status import suite_status

    suite = options.selected(args)
    status = suite_status(suite, options.store_of(args))
    result = status.plan
    sound = not result.damaged and not result.foreign
    if result.note:
        options.note(f"the next call reads all records again: {result.note}")
    if args.json:
        output.print_json(_facts(suite, status))
        return 0 if sound else 1
    for line in result.damaged:
        print(f"damaged: {line}")
    for line in result.foreign.values():
        print(f"left alone: {line}")
    print(_table(status.cells))
    counts = result.statuses
    print(
        f"\n{suite.name}: {len(result.done)} of {len(suite.specs)} runs have a record"
        f" ({counts['ok']} ok, {counts['diverged']} diverged, {counts['failed']} failed)"
    )
    for line in plan.outdated_lines(result):
        print(f"  {line}: `nlbench run` trains them again, or keeps them with --keep-old")
    for run in result.done.values():
        if run.status != "ok":
            print(f"  {run.status}: {run.spec}: {run.facts.message}")
    return 0 if sound else 1


def _facts(suite: Suite, status: Status) -> dict[str, object]:
    """The same as JSON has it."""
    result = status.plan
    return {
        "suite": suite.name,
        "sha256": suite.sha256,
        "runs": len(suite.specs),
        "done": len(result.done),
        **{name: result.statuses[name] for name in ("ok", "diverged", "failed")},
        "cells": [
            {"condition": condition, "method": method, "done": done, "expected": expected}
            for (condition, method), (done, expected) in status.cells.items()
        ],
        "damaged": list(result.damaged),
        "left_alone": list(result.foreign.values()),
        "failures": [failure(r) for r in result.done.values() if r.status != "ok"],
    }


def failure(run: Outcome) -> dict[str, str]:
    """Which run did not end well, and why."""
    return {"run": str(run.spec), "status": run.status, "message": run.facts.message}


def _table(cells: dict[tuple[str, str], tuple[int, int]]) -> str:
    """Conditions down, methods across, ``done/expected`` in the cells."""
    rows = list(dict.fromkeys(row for row, _ in cells))
    methods = list(dict.fromkeys(method for _, method in cells))
    shown = {cell: f"{done}/{expected}" for cell, (done, expected) in cells.items()}
    body = [[row, *(shown.get((row, method), "0/0") for method in methods)] for row in rows]
    return tabulate(body, headers=["condition", *methods], disable_numparse=True)
