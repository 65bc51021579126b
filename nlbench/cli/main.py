"""``nlbench``: parse, call, and turn every mistake of a user into one line and exit status 2."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Collection, Sequence
from functools import partial

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.machine.version import version
from nlbench.cli.supervise import Stopped, supervised

# Command -> its module in nlbench/cli/, and its summary. A module is imported when its command is
# called: all of them together take seconds.
COMMANDS = {
    "run": ("run", "train what is missing of a suite"),
    "tune": ("tune", "choose settings by noisy validation"),
    "status": ("status", "how far a suite is"),
    "store": ("store", "move records between machines"),
    "report": ("report", "tables, tests and figures"),
    "compare": ("compare", "compare accuracies in a table"),
    "publish": ("publish", "put a finished study among the published ones"),
    "leaderboard": ("leaderboard", "merge leaderboards of several people"),
    "site": ("site", "the reports as web pages"),
    "noise": ("noise.files", "label files: make, verify, audit"),
    "list": ("listing", "suites, methods, noise, data, models"),
    "toy": ("toy", "the methods as a picture"),
    "doctor": ("doctor", "is this machine ready?"),
    "bench": ("bench", "measure speed on this machine"),
}
# What runs in a process of its own: training must not end with status 0 by what a method does.
SUPERVISED = ("run",)
EPILOG = """\
a first tour:
  nlbench run quick            train 60 small networks (about a minute), resumable at any time
  nlbench report quick         tables, significance tests, figures in results/reports/quick/
  nlbench run fashion --dry-run    what a study would train, and what it needs
  nlbench noise make asymmetric:0.4 --dataset fashion_mnist --seed 0 --out labels.npz

`nlbench COMMAND --help` explains each command with examples.
"""


def parser(wanted: Collection[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """The command line: these commands whole, of the others name and summary."""
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
    for name, (module, summary) in COMMANDS.items():
        if name in wanted:
            importlib.import_module(f"nlbench.cli.{module}").add(commands)
        else:
            commands.add_parser(name, help=summary)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0, 1 (runs failed), 2 (bad input), 130 (stopped) or 128 and the signal.
    """
    words = sys.argv[1:] if argv is None else argv
    named = next((word for word in words if not word.startswith("-")), "")
    if argv is None and named in SUPERVISED:
        return supervised(partial(_main, words, named))
    return _main(words, named)


def _main(words: Sequence[str], named: str) -> int:
    args = parser((named,)).parse_args(words)
    try:
        status_code: int = args.call(args)
    except ValueError as error:
        if not isinstance(error, _users()):
            raise
        print(f"nlbench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:
        print("\nnlbench: stopped; the same command goes on from what is done", file=sys.stderr)
        return error.status if isinstance(error, Stopped) else 130
    except BrokenPipeError:  # `nlbench list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as error:  # of a method's module, say
        print(f"nlbench: the command was ended by sys.exit({error.code!r})", file=sys.stderr)
        return 2
    return status_code


def _users() -> tuple[type[ValueError], ...]:
    """The errors that are a user's to mend, one of each package."""
    from nlbench.baselines import MethodError
    from nlbench.noise import NoiseError
    from nlbench.reports import ReportError

    return (UserError, NoiseError, MethodError, ReportError)
