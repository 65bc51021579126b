"""``nlbench bench``: how fast is it here, measured side by side in one run."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tabulate import tabulate

import noise.bench
import reports.bench
from benchmark import bench as pipeline
from benchmark.cli import options
from benchmark.errors import unknown

TEXT = """\
Measure on this machine: labels per second of every noise model, images per second of our training
pipeline against a plain DataLoader loop of the same network and data, and the time of a report of
10,000 records. Figures are for this machine and this moment; compare ratios, not seconds.
"""
EXAMPLES = "  nlbench bench\n  nlbench bench noise\n  nlbench bench pipeline --data /data\n"
Rows = Sequence[Mapping[str, Any]]
BENCHES: dict[str, Callable[[argparse.Namespace], Rows]] = {
    "noise": lambda _args: noise.bench.run(),
    "pipeline": lambda args: pipeline.run(args.data, args.device),
    "report": lambda _args: [reports.bench.run()],
}


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(commands, "bench", "measure speed on this machine", TEXT, EXAMPLES)
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"of {', '.join(BENCHES)}")
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:N")
    options.add_data(parser)
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    chosen = args.what or list(BENCHES)
    for name in chosen:
        if name not in BENCHES:
            raise unknown("bench", name, tuple(BENCHES), "nlbench bench")
    for name in chosen:
        print(f"{name}\n{tabulate(BENCHES[name](args), headers='keys', floatfmt=',.6g')}\n")
    return 0
