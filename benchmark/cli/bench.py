"""``nlbench bench``: how fast is it here, measured side by side in one run."""

from __future__ import annotations

import argparse

from benchmark.cli import options

TEXT = """\
Measure on this machine: labels per second of every noise model, images per second of our training
pipeline against a plain DataLoader loop of the same network and data, and the time of a report of
10,000 records. Figures are for this machine and this moment; compare ratios, not seconds.
"""
EXAMPLES = "  nlbench bench\n  nlbench bench noise\n"


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(commands, "bench", "measure speed on this machine", TEXT, EXAMPLES)
    parser.add_argument("what", nargs="*", metavar="WHAT", help="of noise, pipeline, report")
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    raise NotImplementedError
