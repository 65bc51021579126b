"""``nlbench report``: from records to tables, tests and figures."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from nlbench.benchmark import published
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.suites import suite as suites
from nlbench.benchmark.suites.suite import Suite
from nlbench.cli import options
from nlbench.studies import Found, from_published, from_store

TEXT = """\
Write the report of a suite from the records in the store: runs.csv, leaderboard.csv,
significance.csv, accuracy tables in Markdown and LaTeX, figures. Trains nothing; what is missing is
shown as missing. The same records give the same bytes.

The report goes to results/reports/SUITE/. That of a part of a suite (--methods, --noise, --seeds,
or runs that have no record yet) is marked on top and goes to results/reports/SUITE/part/. Files
that an earlier report wrote there and that do not belong to this one are removed.

SUITE may be the folder of a published study, such as results/published/fashion: its report is made
from the suite file and the records in it, into results/reports/SUITE/published/.

A record that cannot be used (damaged, a pipe, values that do not hold together) is named and set
aside in the store; its run counts as missing, and the exit status is 1.
"""
EXAMPLES = """\
  nlbench report quick
  nlbench report fashion --only tables
  nlbench report quick --rule noisy_val      accuracy at the epoch chosen by noisy validation
  nlbench report fashion --methods ce,gce --out mine
  nlbench report results/published/fashion   a published study again, from what lies beside it
"""


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(commands, "report", "tables, tests and figures", TEXT, EXAMPLES)
    options.add_suite(parser)
    options.add_results(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="to write to; default: results/reports/SUITE"
    )
    parser.add_argument(
        "--rule",
        metavar="RULE",
        help="which of a run's accuracies: last, noisy_val, clean_val, oracle; default: the one"
        " that the suite declares (last, if it names none)",
    )
    parser.add_argument(
        "--only",
        metavar="PART",
        help="leaderboard (CSV files), tables (Markdown and LaTeX) or figures",
    )
    parser.add_argument(
        "--reread",
        action="store_true",
        help="open and verify every record again, also those whose files have not changed since the"
        " last report (what was read is kept in runs/report-cache.npz, which is safe to delete)",
    )
    options.add_report_workers(parser)
    parser.add_argument(
        "--like-run",
        nargs=argparse.REMAINDER,
        default=[],
        metavar="WORDS",
        help="last option: the words after SUITE of an `nlbench run`; the report is of the part"
        " that they select, and what else they contain is left out",
    )
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    from nlbench.reports.write import write_report

    _take_selection(args)
    workers = options.report_workers(args)
    folder = Path(args.suite)
    found = _published(args, folder) if published.is_study(folder) else _own(args, workers)
    out = args.out or args.results / "reports" / found.place
    published.check_outside(args.results, out)
    written = write_report(found.study, found.intake, out, args.rule, args.only, workers)
    gone = len(written.removed)
    removed = f", {gone} of an earlier report removed" if gone else ""
    print(f"{written.built.text}\n{out}: {len(written.built.files)} files{removed}")
    return 1 if found.refused else 0


def _own(args: argparse.Namespace, workers: int) -> Found:
    """From the local store."""
    whole, suite = suites.load(args.suite, args.profile), options.selected(args)
    return from_store(
        whole,
        suite,
        options.store_of(args),
        options.note,
        asked=args.suite,
        profile=args.profile if _other_profile(args, whole) else "",
        selection=_words(args, whole, suite),
        cached=not args.reread,
        workers=workers,
    )


def _published(args: argparse.Namespace, folder: Path) -> Found:
    """From a published study."""
    if args.profile:
        raise UserError(f"--profile {args.profile}: {folder} is published under its suite's own")
    whole = published.read(folder)
    suite = options.part_of(whole.suite, args)
    selection = _words(args, whole.suite, suite)
    return from_published(whole, suite, options.note, selection=selection)


def _other_profile(args: argparse.Namespace, suite: Suite) -> bool:
    """Whether ``--profile`` makes other runs of the suite than its file does."""
    return bool(args.profile) and suite.sha256 != suites.load(args.suite).sha256


def _words(args: argparse.Namespace, whole: Suite, part: Suite) -> str:
    """The words that select the part; empty for the whole."""
    if len(part.specs) == len(whole.specs):
        return ""
    named = [(name, getattr(args, name)) for name in ("methods", "noise", "seeds")]
    return shlex.join(w for name, value in named if value for w in (f"--{name}", value))


def _take_selection(args: argparse.Namespace) -> None:
    """Take over which part of the suite the words of an `nlbench run` select."""
    parser = options.Parser(prog="nlbench report --like-run", add_help=False)
    options.add_part(parser)
    for name, value in vars(parser.parse_known_args(args.like_run)[0]).items():
        if value is not None:
            setattr(args, name, value)
