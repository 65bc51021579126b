"""``nlbench leaderboard``: several people's results of one suite as one table, and as a page."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nlbench.cli import options, submit
from nlbench.noise import whole
from nlbench.reports.errors import ReportError
from nlbench.reports.leaderboard.merge import merge
from nlbench.reports.leaderboard.origins import Origin, marked
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
ADD = """\
Check an archive of records as `nlbench submit check` does, and if it is admitted put its rows into
a leaderboard, each marked in its last column, `origin`, with whose it is. Without the file a new
one is begun, with our published rows of the suite (origin nlbench) if there are any. Nothing is
added to a file with unmarked rows; a method that an origin has already is refused, as is a
submission of which every row is there already under another name. Ranks and tie groups are left
out: a test across origins needs the runs themselves.

The exit status is 1 if the archive is not admitted, 2 for bad input; then the file is as it was.
"""
PAGE = """\
Write a leaderboard of marked rows (`nlbench leaderboard add`) as one web page that needs neither a
server nor the network.
"""
SUMMARY = "leaderboards of several people: merge, add, page"
EXAMPLES = """\
  nlbench leaderboard merge mine.csv yours.csv --out both.csv
  nlbench leaderboard add records.tar.gz --to board.csv --origin "A. Author, https://example.org"
  nlbench leaderboard add records.tar.gz --to board.csv --origin "B. Group, doi:10.1000/182"
  nlbench leaderboard page board.csv --out leaderboard.html
"""


def add(commands: options.Commands) -> None:
    """Register the command."""
    text = "\n".join(("merge:", TEXT, "add:", ADD, "page:", PAGE))
    parser = options.command(commands, "leaderboard", SUMMARY, text, EXAMPLES)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    merger = options.command(actions, "merge", "several files into one", TEXT, EXAMPLES)
    merger.add_argument("files", nargs="+", metavar="FILE", type=Path, help="leaderboard.csv files")
    merger.add_argument(
        "--out", metavar="FILE", type=Path, required=True, help="the merged file; replaced"
    )
    merger.set_defaults(call=call)
    adder = options.command(actions, "add", "results of somebody else", ADD, EXAMPLES)
    submit.add_archive(adder)
    adder.add_argument(
        "--to", metavar="FILE", type=Path, required=True, help="the leaderboard; begun if not there"
    )
    adder.add_argument(
        "--origin", metavar="TEXT", required=True, help="whose results: 'NAME, URL' or 'NAME, DOI'"
    )
    adder.set_defaults(call=call_add)
    pager = options.command(actions, "page", "a web page of it", PAGE, EXAMPLES)
    pager.add_argument("file", metavar="FILE", type=Path, help="of `nlbench leaderboard add`")
    pager.add_argument("--out", metavar="HTML", type=Path, required=True, help="the page; replaced")
    pager.add_argument(
        "--ours", metavar="LINK", default="", help="where the rows of nlbench lead to, if anywhere"
    )
    pager.set_defaults(call=call_page)


def call_add(args: argparse.Namespace) -> int:
    """Check an archive and add its rows, or print why not."""
    from nlbench.submissions import add_to  # it needs torch

    origin = Origin.parse(args.origin)
    found = submit.examined(args)
    if not found.admitted:
        print("\n".join(submit.lines(found)), file=sys.stderr)
        return 1
    done = add_to(args.to, found, origin, args.results)
    if done.begun is not None:
        print(f"{args.to}: begun with {done.begun} published rows of suite {found.suite.name}")
    print(f"{args.to}: {done.rows} rows of {origin} added, {done.total} in all")
    return 0


def call_page(args: argparse.Namespace) -> int:
    """Write the page."""
    from nlbench.reports.site.origins import origins_page

    _write(args.out, origins_page(marked(args.file), args.ours))
    print(f"{args.out}  {args.out.stat().st_size:,} bytes")
    return 0


def _write(path: Path, text: str) -> None:
    try:
        whole.write_text(path, text)
    except OSError as error:
        raise ReportError(f"{path}: cannot be written ({error.strerror})") from error


def call(args: argparse.Namespace) -> int:
    """Merge the files and name every row that was refused."""
    merged = merge(args.files)
    for line in merged.refused:
        print(f"nlbench: refused: {line}", file=sys.stderr)
    if merged.table.empty:
        raise ReportError(f"leaderboard merge: no row could be taken, {args.out} was not written")
    _write(args.out, to_csv(merged.table))
    print(
        f"{args.out}: {len(merged.table)} rows of {len(args.files)} files,"
        f" {len(merged.refused)} refused"
    )
    return 1 if merged.refused else 0
