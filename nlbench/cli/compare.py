"""``nlbench compare``: a table of accuracies, of any code, as the report of a study."""

from __future__ import annotations

import argparse
from pathlib import Path

from nlbench.cli import options

TEXT = """\
Compare accuracies that you have in a table, made by any code: the tests, sentences, tables, LaTeX
and figures that the report of a study has. FILE is a CSV file with a header and the columns

  method      the first one is the baseline, unless --baseline names another
  condition   "clean", or a noise type and rate such as "symmetric:0.4", or any name
  seed        a whole number; rows of one condition and seed are compared as a pair
  accuracy    on the test set; fractions if none is above 1, else percent

in any order; other columns are not used. What has no row or no accuracy is shown as missing. A
table cannot prove that two methods had the same labels and first weights at equal seeds: that is
taken for granted and said in the report.
"""
EXAMPLES = """\
  nlbench compare results.csv
  nlbench compare results.csv --baseline ce --out comparison
  nlbench compare results.csv --difference 0.5    how many seeds would find half a point
  nlbench compare results.csv --classes 10        runs at the level of chance count as collapsed
"""


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(commands, "compare", "compare accuracies in a table", TEXT, EXAMPLES)
    parser.add_argument("table", metavar="FILE", type=Path, help="CSV file")
    parser.add_argument("--baseline", metavar="M", help="method; default: the first in FILE")
    parser.add_argument(
        "--difference",
        type=options.amount,
        default=0.5,
        metavar="P",
        help="smallest difference that matters, in points (default 0.5)",
    )
    parser.add_argument("--unit", metavar="U", help="of the accuracies: percent or fraction")
    parser.add_argument(
        "--classes", type=options.count(2), metavar="K", help="number of classes of the data"
    )
    parser.add_argument(
        "--common",
        action="store_true",
        help="compare over the seeds that all methods of a condition have, and leave out the rest",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="to write to; default: FILE's name and -report"
    )
    parser.add_argument(
        "--only", metavar="PART", help="leaderboard (CSV files), tables (Markdown, LaTeX), figures"
    )
    options.add_report_workers(parser)
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    from nlbench.reports.own_numbers import report
    from nlbench.reports.own_numbers.analysis import Wanted

    wanted = Wanted(args.baseline, args.difference, args.classes)
    out = args.out or Path(f"{args.table.stem}-report")
    written = report.write(
        args.table,
        out,
        wanted,
        unit=args.unit,
        common=args.common,
        only=args.only,
        workers=options.report_workers(args),
    )
    print(f"{written.text}\n{out}: {written.files} files")
    return 0
