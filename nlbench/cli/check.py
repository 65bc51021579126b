"""``nlbench check``: whether a part of one's own keeps to its contract."""

from __future__ import annotations

import argparse
import re

from nlbench.benchmark.errors import UserError
from nlbench.cli import options

TEXT = """\
Try a method, noise model, network, augmentation, optimiser, metric or data set against what the
engine relies on: the same bits every time, paired runs, no other input touched, shapes and types.
It takes seconds, on the CPU. The exit status is 1 if a check fails.
"""
EXAMPLES = """\
  PYTHONPATH=. nlbench check patience:Patience
  PYTHONPATH=. nlbench check mynet:build --images 1x28x28
  nlbench check gce --kind method
"""


def add(commands: options.Commands) -> None:
    """Register the command."""
    summary = "does a part of your own keep to its contract?"
    parser = options.command(commands, "check", summary, TEXT, EXAMPLES)
    parser.add_argument("part", metavar="MODULE:NAME", help="what a suite would name")
    parser.add_argument(
        "--kind",
        metavar="KIND",
        help="method, noise, model, augmentation, optimizer, metric or dataset (default: by what it"
        " is; a function is taken for a model)",
    )
    parser.add_argument(
        "--images",
        metavar="CxHxW",
        default="3x32x32",
        help="images that a network is checked with (default %(default)s)",
    )
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out; 1 if a check fails."""
    from nlbench.benchmark.contracts import registry

    kind = args.kind or registry.kind_of(args.part)
    failed = 0
    for found in registry.check(args.part, kind, _shape(args.images)):
        failed += bool(found.problem)
        words = f"FAILED  {found.check}: {found.problem}" if found.problem else f"ok  {found.check}"
        print(words, flush=True)
    print(f"{kind} {args.part}: " + (_failed(failed) if failed else "all checks hold"))
    return 1 if failed else 0


def _shape(text: str) -> tuple[int, int, int]:
    found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})x([1-9]\d{0,4})", text)
    if found is None:
        raise UserError(f"--images {text!r:.80} should be channels x height x width, as 3x32x32")
    channels, height, width = map(int, found.groups())
    return channels, height, width


def _failed(count: int) -> str:
    return f"{count} check{'s' if count > 1 else ''} failed"
