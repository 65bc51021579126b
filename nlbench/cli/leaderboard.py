"""``nlbench leaderboard``: several people's results of one suite as one table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nlbench.cli import options
from nlbench.noise import whole
from nlbench.reports.errors import ReportError
from nlbench.reports.leaderboard.merge import merge
from nlbench.reports.render.files import to_csv

TEXT = """\
Put the leaderboard.csv files of several people who ran the same suite below each other. A row is
refused, with the file, the line and the reason, if its schema or its suite hash differs, if it was
trained on other noisy labels than the first file's rows (fingerprints, seed by seed), if a number
is none or out of range, or if the same method is there already with another result. The others
are taken. Ranks and tie groups are left out: a test across files needs the runs themselves, so send
records (`nlbench store export`) where you need one. Texts that a spreadsheet would compute, such as
a method named =1+1, get an apostrophe in front.

The exit status is 1 if a row was refused, 2 if no row could be taken or a file is no leaderboard.
"""
SUMMARY = "merge leaderboards of several people"
EXAMPLES = """\
  nlbench leaderboard merge mine.csv yours.csv --out both.csv
"""


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(commands, "leaderboard", SUMMARY, TEXT, EXAMPLES)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    merger = options.command(actions, "merge", "several files into one", TEXT, EXAMPLES)
    merger.add_argument("files", nargs="+", metavar="FILE", type=Path, help="leaderboard.csv files")
    merger.add_argument(
        "--out", metavar="FILE", type=Path, required=True, help="the merged file; replaced"
    )
    merger.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Merge the files and name every row that was refused."""
    merged = merge(args.files)
    for line in merged.refused:
        print(f"nlbench: refused: {line}", file=sys.stderr)
    if merged.table.empty:
        raise ReportError(f"leaderboard merge: no row could be taken, {args.out} was not written")
    try:
        whole.write_text(args.out, to_csv(merged.table))
    except OSError as error:
        raise ReportError(f"{args.out}: cannot be written ({error.strerror})") from error
    print(
        f"{args.out}: {len(merged.table)} rows of {len(args.files)} files,"
        f" {len(merged.refused)} refused"
    )
    return 1 if merged.refused else 0
