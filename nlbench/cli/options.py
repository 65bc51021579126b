"""Options that several commands share, and how their words are read."""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from nlbench.benchmark.errors import UserError

# More processes than any machine has cores for, and more seeds than a suite may have.
MOST_PROCESSES = 1024
MOST_SEEDS = 10_000
_DIGITS = re.compile(r"[0-9]{1,16}")

if TYPE_CHECKING:
    from nlbench.benchmark.store.store import Store
    from nlbench.benchmark.suites.suite import Suite

    # What add_subparsers returns has no public name.
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


class Parser(argparse.ArgumentParser):
    """One that complains as all else does: in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Raise UserError."""
        raise UserError(f"{message}; `{self.prog} --help` explains")


def command(
    commands: Commands, name: str, summary: str, text: str, examples: str
) -> argparse.ArgumentParser:
    """A sub-command with a summary for the list, a text and examples for its ``--help``."""
    return commands.add_parser(
        name,
        help=summary,
        description=text,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_suite(parser: argparse.ArgumentParser) -> None:
    """Which suite, and which part of it."""
    from nlbench.benchmark.suites import suite as suites

    parser.add_argument(
        "suite",
        metavar="SUITE",
        help=f"a study: {', '.join(suites.names())}, or the path of a TOML file of your own",
    )
    add_part(parser)


def add_part(parser: argparse.ArgumentParser) -> None:
    """Which part of a suite, and under which profile."""
    parser.add_argument(
        "--profile",
        metavar="NAME",
        help="'matched' (one recipe for all) or 'official' (each method's setting in the release"
        " that its file names) instead of the suite's own",
    )
    parser.add_argument(
        "--methods",
        metavar="A,B",
        help="only these methods of the suite, by name or as tables call them; with a setting only"
        " that variant: drainage:alpha=0.1",
    )
    parser.add_argument("--noise", metavar="A,B", help="only these noise lines of the suite")
    parser.add_argument("--seeds", metavar="0-4", help="only these seeds, e.g. 0-4 or 0,2,7")


def add_results(parser: argparse.ArgumentParser) -> None:
    """Where records and reports are."""
    parser.add_argument(
        "--results",
        metavar="DIR",
        type=_folder,
        default=Path("results"),
        help="folder with runs/ (the store of records), reports/ and published/; default: results",
    )


def _folder(text: str) -> Path:
    """A folder, for argparse; a URL is none."""
    if "://" in text:
        raise argparse.ArgumentTypeError(
            f"{text!r:.200} is a URL; records are kept in a folder, and `nlbench store push` and"
            " `pull` copy them to a URL and back"
        )
    return Path(text)


def add_data(parser: argparse.ArgumentParser) -> None:
    """Where data sets are."""
    parser.add_argument(
        "--data",
        metavar="DIR",
        type=Path,
        default=None,
        help="folder of data sets (default: environment variable NLBENCH_DATA, else"
        " ~/.cache/nlbench/data)",
    )


def add_report_workers(parser: argparse.ArgumentParser) -> None:
    """How many processes make a report."""
    parser.add_argument(
        "--workers",
        default="auto",
        metavar="N",
        help="processes that read records and write figures (default: one per core); their number"
        " changes no byte",
    )


def report_workers(args: argparse.Namespace) -> int:
    """The value of ``--workers`` of a report.

    Raises:
        UserError: not a positive number.
    """
    if args.workers == "auto":
        import joblib

        return int(joblib.cpu_count())
    return whole("--workers", args.workers, 1, MOST_PROCESSES, ", or auto")


def selected(args: argparse.Namespace) -> Suite:
    """The suite that the command line names, cut to the part it names."""
    from nlbench.benchmark.suites import suite as suites

    return part_of(suites.load(args.suite, args.profile), args)


def part_of(suite: Suite, args: argparse.Namespace) -> Suite:
    """The part of a suite that the command line names."""
    return suite.select(methods(args.methods), words(args.noise), numbers(args.seeds))


def methods(text: str | None, option: str = "--methods") -> list[str]:
    """The methods that an option names; empty for ``None``.

    Raises:
        UserError: it names none.
    """
    from nlbench.benchmark import selection

    found = [] if text is None else selection.split(text)
    if text is not None and not found:
        raise UserError(f"{option} {text!r} names no method; an example is ce,drainage:alpha=0.1")
    return found


def store_of(args: argparse.Namespace, create: bool = False) -> Store:
    """The store under ``--results`` (UserError: see :func:`store_in`)."""
    from nlbench.benchmark.store.results import store_in

    return store_in(args.results, create)


def note(line: str) -> None:
    """Tell the user something beside the results."""
    print(f"nlbench: {line}", file=sys.stderr)


def words(text: str | None) -> list[str]:
    """``a,b`` as a list; empty for ``None``."""
    return [] if not text else [word.strip() for word in text.split(",") if word.strip()]


def numbers(text: str | None) -> list[int]:
    """``0-2,5`` as [0, 1, 2, 5].

    Raises:
        UserError: anything else.
    """
    found: list[int] = []
    for word in words(text):
        low, dash, high = word.partition("-")
        if not _DIGITS.fullmatch(low) or (dash and not _DIGITS.fullmatch(high)):
            raise UserError(f"--seeds: {word!r:.80} should be a number or a range such as 0-4")
        span = range(int(low), int(high or low) + 1)
        if len(span) + len(found) > MOST_SEEDS:
            raise UserError(f"--seeds: {text!r:.80} names more than {MOST_SEEDS:,} seeds")
        found.extend(span)
    return found


def whole(option: str, text: str, least: int, most: int = 2**53 - 1, otherwise: str = "") -> int:
    """The whole number that an option gives.

    Args:
        option: as on the command line.
        text: what was given.
        least: smallest value.
        most: largest value.
        otherwise: what else it may be, for the message.

    Raises:
        UserError: no number, or out of range.
    """
    found = _DIGITS.fullmatch(text)
    if found is None or not least <= int(text) <= most:
        up = f"from {least} on" if most >= 2**53 - 1 else f"from {least} to {most:,}"
        raise UserError(f"{option} {text!r:.80} should be a whole number {up}{otherwise}")
    return int(text)


def count(least: int, most: int = 2**53 - 1) -> Callable[[str], int]:
    """The type of an option that is a whole number in a range, for argparse."""

    def read(text: str) -> int:
        try:
            return whole("value", text, least, most)
        except UserError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read


def amount(text: str) -> float:
    """The type of an option that is a finite number from 0 on, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"value {text!r:.80} should be a number from 0 on")
    return value
