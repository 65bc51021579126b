"""``nlbench site``: the reports as web pages that need neither a server nor the network."""

from __future__ import annotations

import argparse
from pathlib import Path

from nlbench.benchmark.suites import suite as suites
from nlbench.cli import options
from nlbench.site import write_site

TEXT = """\
Write one self-contained HTML file per suite and an index: leaderboard to sort and filter, drawn
intervals, who differs from whom, figures, label noise, and how to make each row again. The pages
open from the file system, ask for nothing over the network and can be read without scripts.

Without SUITES: every published study, from the suite file and the records in results/published/.
A suite that is named and not published takes its records from the local store; --own takes them
from there in any case. The same records give the same bytes.
"""
EXAMPLES = """\
  nlbench site                       every published study, into site/
  nlbench site fashion --out pages   one of them
  nlbench site mine.toml             a study of your own, from the local store
  nlbench site --own                 published studies and, beside them, those of your own runs
"""


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(commands, "site", "the reports as web pages", TEXT, EXAMPLES)
    parser.add_argument(
        "suites",
        nargs="*",
        metavar="SUITES",
        help=f"studies ({', '.join(suites.names())}), paths of TOML files, or folders of published"
        " studies",
    )
    options.add_results(parser)
    parser.add_argument(
        "--out", type=Path, default=Path("site"), metavar="DIR", help="to write to; default: site"
    )
    parser.add_argument(
        "--own",
        action="store_true",
        help="the runs of the local store: of SUITES, or beside the published studies",
    )
    parser.add_argument(
        "--rule",
        metavar="RULE",
        help="which of a run's accuracies: last, noisy_val, clean_val, oracle; default: the one"
        " that the suite declares (last, if it names none)",
    )
    options.add_report_workers(parser)
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    pages = write_site(
        args.results,
        args.out,
        options.note,
        names=args.suites,
        own=args.own,
        rule=args.rule,
        workers=options.report_workers(args),
    )
    for page in pages:
        print(f"{page.path}  {page.bytes:,} bytes")
    return 0
