"""``nlbench doctor``: is this machine ready, and what is missing?"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from nlbench.benchmark import datasets
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.machine import processor
from nlbench.benchmark.machine.device import cores, resolve
from nlbench.benchmark.machine.environment import environment
from nlbench.benchmark.machine.vision import torchvision
from nlbench.benchmark.speed import precision
from nlbench.benchmark.store.store import Store
from nlbench.cli import options, output

TEXT = """\
Check Python, torch, the processor or GPU, the data sets and the store, and report what is missing
and how to get it. Changes nothing, downloads nothing. The exit status is 1 if something needs
attention.
"""
EXAMPLES = "  nlbench doctor\n  nlbench doctor --data /data\n"
Finding = tuple[str, str, str]


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(commands, "doctor", "is this machine ready?", TEXT, EXAMPLES)
    options.add_results(parser)
    options.add_data(parser)
    output.add_json(parser)
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    found = [*_machine(), *_data(args.data), *_store(args.results)]
    if args.json:
        marks = {"ok": "ok", "--": "absent", "!!": "attention"}
        keys = ("state", "what", "found")
        output.print_json([dict(zip(keys, (marks[m], w, f), strict=True)) for m, w, f in found])
    else:
        print(output.table(["", "what", "found"], found, output.terminal_width()))
    return 1 if any(mark == "!!" for mark, _, _ in found) else 0


def _machine() -> Iterator[Finding]:
    device = resolve("auto")
    facts = environment(device)
    yield "ok", "nlbench", f"{facts['nlbench']}, commit {facts['commit'] or 'unknown (no git)'}"
    yield "ok", "python", f"{facts['python']} ({sys.executable})"
    yield "ok", "torch", f"{facts['torch']}, numpy {facts['numpy']}"
    yield _vision()
    yield "ok", "device", f"{device}: {facts['device']}"
    yield "ok", "cores", f"{cores()} (default: that many workers with one thread each)"
    yield "ok", "processor", processor.units()
    found = precision.probe(device)
    yield "ok", "fast here", f"{found.faster}: {found}"


def _vision() -> Finding:
    try:
        return "ok", "torchvision", str(torchvision("version").__version__)
    except UserError as error:
        return "!!", "torchvision", str(error)


def _data(root: Path | None) -> Iterator[Finding]:
    for entry in datasets.info():
        if entry.argument:
            continue
        try:
            dataset = datasets.find(entry.name, root, download=False)
        except UserError as error:
            yield "--", f"data {entry.name}", str(error)
            continue
        sizes = f"{len(dataset.y_train):,} train, {len(dataset.y_test):,} test"
        yield "ok", f"data {entry.name}", f"{dataset.label}, {sizes}"


def _store(results: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(next(p for p in (results, *results.absolute().parents) if p.exists()))
    mark = "ok" if free.free > 1e9 else "!!"
    yield mark, "disk", f"{free.free / 1e9:.1f} GB free at {results}"
    if not (results / "runs").exists():
        yield "--", "store", f"{results / 'runs'}: none yet; `nlbench run quick` makes one"
        return
    try:
        count = sum(1 for _ in Store.open(results / "runs").ids())
    except UserError as error:
        yield "!!", "store", str(error)
        return
    yield "ok", "store", f"{results / 'runs'}: {count} records"
