"""``nlbench list``: what there is to choose from."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nlbench.benchmark.errors import UserError, unknown
from nlbench.cli import options, output

if TYPE_CHECKING:
    from nlbench.benchmark.datasets import DatasetInfo

TEXT = """\
List what can be named on the command line and in a suite: suites, methods with their
hyper-parameters, noise models with their options, data sets, models. With `data NAME`: what is read
of a data set, your own or another: samples, sizes, classes, and what looks odd.
"""
EXAMPLES = "  nlbench list\n  nlbench list methods\n  nlbench list noise\n"
EXAMPLES += "  nlbench list data folder:photos table:people.csv:label=income\n"
# Characters of a line in a file or a pipe.
WIDTH = 160


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(
        commands, "list", "suites, methods, noise, data, models", TEXT, EXAMPLES
    )
    parser.add_argument(
        "what", nargs="*", metavar="WHAT", help=f"of {', '.join(LISTS)}; or data NAME ..."
    )
    parser.add_argument(
        "--pages",
        type=Path,
        metavar="FOLDER",
        help="methods: write methods.md and a page of each family into it instead",
    )
    options.add_data(parser)
    output.add_json(parser)
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    if args.pages is not None:
        return _pages(args.what, args.pages)
    if args.what[:1] == ["data"]:
        return _described(args.what[1:], args.data, args.json)
    for what in args.what:
        if what not in LISTS:
            raise unknown("list", what, LISTS, "nlbench list")
    found = {what: LISTS[what]() for what in args.what or LISTS}
    if args.json:
        output.print_json(
            {
                what: [dict(zip(headers, row, strict=True)) for row in rows]
                for what, (headers, rows) in found.items()
            }
        )
        return 0
    for what, (headers, rows) in found.items():
        print(f"{what}\n{output.table(headers, rows, output.terminal_width() or WIDTH)}\n")
    return 0


def _pages(what: Sequence[str], folder: Path) -> int:
    from nlbench.methods_page import write_here

    if list(what) != ["methods"]:
        raise UserError(f"--pages: of methods alone, not of {' '.join(what) or 'all lists'}")
    files = write_here(Path(), folder)
    print(f"{len(files)} pages in {folder}")
    return 0


def _described(names: Sequence[str], root: Path | None, as_json: bool) -> int:
    """What was read of these data sets."""
    from nlbench.benchmark import datasets
    from nlbench.benchmark.datasets.describe import describe

    if not names:
        raise UserError("nlbench list data: name a data set, as in `nlbench list data npz:mine`")
    found = {name: describe(datasets.find(name, root)) for name in names}
    if as_json:
        output.print_json({name: text.splitlines() for name, text in found.items()})
    else:
        print("\n\n".join(found.values()))
    return 0


def _suites() -> tuple[list[str], Sequence[Sequence[str]]]:
    from nlbench.benchmark.suites import suite as suites

    rows = []
    for name in suites.names():
        suite = suites.load(name)
        rows.append((name, suite.title, str(len(suite.specs)), suite.specs[0].profile))
    return ["suite", "title", "runs", "profile"], rows


def _methods() -> tuple[list[str], Sequence[Sequence[str]]]:
    from nlbench import baselines

    rows = []
    for name in baselines.names():
        method = baselines.get(name)
        settings = "\n".join(f"{p.name} = {p.default}" for p in method.hyperparameters())
        rows.append((name, method.title, settings, ", ".join(method.published), method.source))
    return ["method", "title", "defaults", "published settings for", "source"], rows


def _noise() -> tuple[list[str], Sequence[Sequence[str]]]:
    from nlbench import noise

    rows = [(r["syntax"], r["summary"], r["options"], r["source"]) for r in noise.catalogue()]
    return ["noise", "what it does", "options", "source"], rows


def _datasets() -> tuple[list[str], Sequence[Sequence[str]]]:
    from nlbench.benchmark import datasets

    rows = [
        (e.name + (f":{e.argument}" if e.argument else ""), e.label, _size(e), e.source)
        for e in datasets.info()
    ]
    return ["data set", "label", "size", "source"], rows


def _size(entry: DatasetInfo) -> str:
    if entry.train is None or entry.shape is None:
        return "of the file"
    shape = "x".join(map(str, entry.shape))
    return f"{entry.train:,} + {entry.test:,}, {shape}, {entry.num_classes} classes"


def _models() -> tuple[list[str], Sequence[Sequence[str]]]:
    from nlbench.benchmark import models

    return ["model", "description"], [(m.name, m.description) for m in models.info()]


LISTS: dict[str, Callable[[], tuple[list[str], Sequence[Sequence[str]]]]] = {
    "suites": _suites,
    "methods": _methods,
    "noise": _noise,
    "datasets": _datasets,
    "models": _models,
}
