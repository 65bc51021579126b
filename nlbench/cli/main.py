"""``nlbench``: parse, call, and turn every mistake of a user into one line and exit status 2."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.machine.version import version
from nlbench.cli import options, streams
from nlbench.cli.supervise import Hold, Stopped, no_need, supervised

# Command -> its module in nlbench/cli/, and its summary. A module is imported when its command is
# called: all of them together take seconds.
COMMANDS = {
    "run": ("run", "train what is missing of a suite"),
    "slurm": ("slurm", "a suite as an array job of SLURM"),
    "tune": ("tune", "choose settings by noisy validation"),
    "status": ("status", "how far a suite is"),
    "store": ("store", "move records between machines"),
    "report": ("report", "tables, tests and figures"),
    "compare": ("compare", "compare accuracies in a table"),
    "publish": ("publish", "put a finished study among the published ones"),
    "submit": ("submit", "check results before they are submitted"),
    "leaderboard": ("leaderboard", "leaderboards of several people: merge, add, page"),
    "site": ("site", "the reports as web pages"),
    "noise": ("noise.files", "label files: make, verify, audit"),
    "new": ("new", "a method, noise model, network ... of your own, to start from"),
    "check": ("check", "does a part of your own keep to its contract?"),
    "list": ("listing", "suites, methods, noise, data, models"),
    "suspicious": ("suspicious", "which labels of your data look wrong"),
    "toy": ("toy", "the methods as a picture"),
    "doctor": ("doctor", "is this machine ready?"),
    "bench": ("bench", "measure speed on this machine"),
    "completion": ("completion", "complete commands and options in a shell"),
}
# An exception that nobody foresaw: the exit status, and the variable that shows where it came from.
FAULT = 70
TRACEBACK = "NLBENCH_TRACEBACK"
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
    top = options.Parser(
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
        The exit status: 0, 1 (runs failed), 2 (bad input, or a disk that is full or read-only),
        70 (a fault of nlbench), 130 (stopped) or 128 and the number of another signal.
    """
    streams.prepare()
    words = sys.argv[1:] if argv is None else argv
    named = next((word for word in words if not word.startswith("-")), "")
    if argv is None and named in SUPERVISED:
        return supervised(partial(_status, words, named))
    return _main(words, named, no_need)


def _status(words: Sequence[str], named: str, hold: Hold) -> int:
    """The exit status, also where the parser would end the process."""
    try:
        return _main(words, named, hold)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0


def _main(words: Sequence[str], named: str, hold: Hold) -> int:
    try:
        args = parser((named,)).parse_args(words, argparse.Namespace(hold=hold))
        status_code = _call(args)
        sys.stdout.flush()
    except KeyboardInterrupt as error:
        print("\nnlbench: stopped; the same command goes on from what is done", file=sys.stderr)
        return error.status if isinstance(error, Stopped) else 130
    except BrokenPipeError:  # `nlbench list | head`
        streams.discard_output()
        return 0
    except Exception as error:  # noqa: BLE001  # whatever it is, a user gets one line
        return _excused(error)
    return status_code


def _call(args: argparse.Namespace) -> int:
    """Carry the command out; what is named in a suite may end the program, but not as a success."""
    try:
        status_code: int = args.call(args)
    except SystemExit as error:
        print(f"nlbench: the command was ended by sys.exit({error.code!r})", file=sys.stderr)
        return 2
    return status_code


def _excused(error: Exception) -> int:
    """One line for what went wrong; the exit status."""
    if type(error) is UserError or isinstance(error, _users()):  # reports take a second to import
        print(f"nlbench: {_on_one_line(error)}", file=sys.stderr)
        return 2
    if isinstance(error, OSError):  # the disk, the rights, a name that is too long
        where = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        print(f"nlbench: {_on_one_line(f'{where}{error.strerror or error}')}", file=sys.stderr)
        if error.filename is None:  # perhaps of standard output itself
            streams.discard_output()
        return 2
    if isinstance(error, MemoryError):
        print(
            f"nlbench: not enough memory ({_on_one_line(error) or 'no details'})", file=sys.stderr
        )
        return 2
    if os.environ.get(TRACEBACK):
        raise error
    last = traceback.extract_tb(error.__traceback__)[-1]
    print(
        f"nlbench: a fault of nlbench: {type(error).__name__}: {_on_one_line(error)}"
        f" ({Path(last.filename).name}, line {last.lineno}); {TRACEBACK}=1 shows all of it",
        file=sys.stderr,
    )
    return FAULT


def _on_one_line(error: object) -> str:
    """A message on one line, without the control characters of whatever it quotes."""
    text = " ".join(str(error).split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _users() -> tuple[type[ValueError], ...]:
    """The errors that are a user's to mend, one of each package."""
    from nlbench.baselines import MethodError
    from nlbench.noise import NoiseError
    from nlbench.reports import ReportError

    return (UserError, NoiseError, MethodError, ReportError)
