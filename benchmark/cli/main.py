"""``nlbench``: parse, call, and turn every mistake of a user into one line and exit status 2."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from baselines import MethodError
from benchmark.cli import bench, doctor, listing, noise_files, report, run, site, status, store
from benchmark.environment import version
from benchmark.errors import UserError
from noise import NoiseError
from reports import ReportError

COMMANDS = (run, status, store, report, site, noise_files, listing, doctor, bench)
EPILOG = """\
a first tour:
  nlbench run quick            train 60 small networks (about a minute), resumable at any time
  nlbench report quick         tables, significance tests, figures in results/published/quick/
  nlbench run fashion --dry-run    what a study would train, and what it needs
  nlbench noise make asymmetric:0.4 --dataset fashion_mnist --seed 0 --out labels.npz

`nlbench COMMAND --help` explains each command with examples.
"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="nlbench",
        description="Benchmark methods for learning with noisy labels: the same corrupted labels,"
        " the same first weights and the same batches for every method; tables and tests from"
        " records.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"nlbench {version()}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0, 1 (runs failed), 2 (bad input) or 130 (stopped)."""
    args = parser().parse_args(argv)
    try:
        status_code: int = args.call(args)
    except (UserError, NoiseError, MethodError, ReportError) as error:
        print(f"nlbench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nnlbench: stopped; the same command goes on from what is done", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `nlbench list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status_code
