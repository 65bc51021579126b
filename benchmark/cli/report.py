"""``nlbench report``: from records to tables, tests and figures."""

from __future__ import annotations

import argparse
import sys

import baselines
import reports
from benchmark.cli import options
from benchmark.method_source import method_source
from benchmark.suite import Suite

TEXT = """\
Write the report of a suite from the records in the store: runs.csv, leaderboard.csv,
significance.csv, accuracy tables in Markdown and LaTeX, figures. Trains nothing; what is missing is
shown as missing. The same records give the same bytes.
"""
EXAMPLES = """\
  nlbench report quick
  nlbench report fashion --only tables
  nlbench report quick --rule noisy_val      accuracy at the epoch chosen by noisy validation
"""


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(commands, "report", "tables, tests and figures", TEXT, EXAMPLES)
    options.add_suite(parser)
    options.add_results(parser)
    parser.add_argument(
        "--rule",
        default="last",
        metavar="RULE",
        help="which of a run's accuracies: last (default), noisy_val, clean_val, oracle",
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
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    suite = options.selected(args)
    study = study_of(suite)
    workers, store = options.report_workers(args), options.store_of(args)
    found = reports.read(study, store, cached=not args.reread, workers=workers)
    for line in found.damaged:
        print(f"nlbench: damaged record: {line}; `nlbench run` repeats it", file=sys.stderr)
    if found.note:
        print(f"nlbench: the next report reads all records again: {found.note}", file=sys.stderr)
    out = args.results / "published" / suite.name
    built = reports.build(study, found.intake, out, rule=args.rule, only=args.only, workers=workers)
    print(f"{built.text}\n{out}: {len(built.files)} files", file=sys.stdout)
    return 0


def study_of(suite: Suite) -> reports.Study:
    """What the suite declares, in the report's own noun."""
    return reports.Study(
        name=suite.name,
        title=suite.title,
        description=suite.description,
        specs=suite.specs,
        sha256=suite.sha256,
        baseline=suite.baseline,
        titles={s.method.name: baselines.get(s.method.name).title for s in suite.specs},
        sources={name: method_source(name) for name in {s.method.name for s in suite.specs}},
        command=f"make benchmark SUITE={suite.name}",
    )
