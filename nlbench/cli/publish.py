"""``nlbench publish``: put a finished study among the published ones."""

from __future__ import annotations

import argparse

from nlbench.benchmark.suites import suite as suites
from nlbench.cli import options
from nlbench.studies import publish_suite

TEXT = """\
Write a study into results/published/SUITE/: its suite file, its records (records.tar.gz) and the
report made of them. Nothing else changes that folder. It is written whole or not at all; an earlier
publication of the suite is replaced, files that it did not write are kept.

Refused, with the reason: runs that are missing, damaged or failed, and runs that were not all made
by one commit without uncommitted changes, and of each part from outside by one source.
"""
EXAMPLES = """\
  nlbench publish fashion
  nlbench publish mine.toml
"""
SUMMARY = "put a finished study among the published ones"


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(commands, "publish", SUMMARY, TEXT, EXAMPLES)
    parser.add_argument(
        "suite",
        metavar="SUITE",
        help=f"a study: {', '.join(suites.names())}, or the path of a TOML file of your own",
    )
    options.add_results(parser)
    options.add_report_workers(parser)
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    done = publish_suite(args.suite, args.results, options.report_workers(args))
    print(f"{done.folder}: {done.records} records of commit {done.commit[:12]}, {done.files} files")
    return 0
