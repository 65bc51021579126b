"""``nlbench submit``: whether an archive of results can be shown beside the published ones."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlbench.cli import options, output

if TYPE_CHECKING:
    from nlbench.benchmark.submission.admission import Admission
    from nlbench.benchmark.submission.check import Check

TEXT = """\
Check an archive of records (`nlbench store export`) before it is submitted, or before it is taken
in. Nothing that it names is imported, and nothing is trained. The checks:

  records       each whole, its values in range and in agreement with each other; no failed run
  suite         each run is the suite's, or of a method of yours where the suite has its baseline
  seeds         every method has every seed of every condition: no best of several
  pairing       images, labels, split, first weights and batches are equal for all methods
  fingerprints  they are those of our published records, where we have the same seed and condition
  baseline      the suite's baseline was run too, and its accuracies are ours but for chance
  sources       methods are built in and of today's version, or their source is named by its hash
  machine       one commit without uncommitted changes, one version of torch, the device stated

A check without anything to compare with prints `not checked`. The suite is the one that most of the
runs are of, as it was published if it was; --suite names it, by name or file (what that file names
is imported). Our published records are in --results, in a clone of nlbench: results/.

A digest is no signature: what the checks cannot show is said with the result, and the rules of what
is admitted are in docs/submitting.md.

The exit status is 0 if the archive is admitted, 1 if a check fails, 2 for bad input.
"""
EXAMPLES = """\
  nlbench run mine.toml                              the suite's ce, and a method of your own
  nlbench store export records.tar.gz mine.toml
  nlbench submit check records.tar.gz
  nlbench submit check records.tar.gz --suite fashion --json
  nlbench leaderboard add records.tar.gz --to board.csv --origin "A. Author, https://example.org"
"""
SHOWN = 4  # problems of one check
SUMMARY = "check results before they are submitted"


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(commands, "submit", SUMMARY, TEXT, EXAMPLES)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = options.command(actions, "check", "can this archive be admitted?", TEXT, EXAMPLES)
    add_archive(check)
    output.add_json(check)
    check.set_defaults(call=call)


def add_archive(parser: argparse.ArgumentParser) -> None:
    """What is checked, and against what."""
    parser.add_argument(
        "archive", metavar="ARCHIVE", type=Path, help="records.tar.gz of `nlbench store export`"
    )
    parser.add_argument(
        "--suite", metavar="NAME|FILE", help="default: the suite that most of the runs are of"
    )
    options.add_results(parser)


def call(args: argparse.Namespace) -> int:
    """Print every check; 1 if one fails."""
    found = examined(args)
    if args.json:
        output.print_json(_plain(found))
    else:
        print("\n".join(lines(found)))
    return 0 if found.admitted else 1


def examined(args: argparse.Namespace) -> Admission:
    """The archive that the command line names, checked."""
    from nlbench.benchmark.submission.admission import examine  # it needs torch

    return examine(args.archive, args.results, args.suite)


def lines(found: Admission) -> list[str]:
    """The checks in words, the result, and what it does not show."""
    from nlbench.benchmark.submission.admission import NOT_PROVED

    failed = sum(bool(check.problems) for check in found.checks)
    from nlbench.benchmark.store.plain_values import printable

    count = f"{failed} check{'s' if failed > 1 else ''} failed"
    result = "admitted" if found.admitted else f"not admitted, {count}"
    return [
        *(printable(line) for check in found.checks for line in _lines(check)),
        f"{found.submission.path}: {result} (suite {found.suite.name})",
        *textwrap.wrap(NOT_PROVED, 100),
    ]


def _lines(check: Check) -> list[str]:
    if check.problems:
        shown = list(check.problems[:SHOWN])
        if more := check.problems[SHOWN:]:
            shown.append(f"and {len(more)} more; --json names all")
        return [f"FAILED  {check.name}: {problem}" for problem in shown]
    word = "ok" if check.compared else "not checked"
    return [f"{word}  {check.name}: {check.found}"]


def _plain(found: Admission) -> dict[str, Any]:
    from nlbench.benchmark.submission.admission import NOT_PROVED

    return {
        "archive": str(found.submission.path),
        "suite": found.suite.name,
        "suite_sha256": found.suite.sha256,
        "admitted": found.admitted,
        "checks": [
            {
                "name": check.name,
                "status": check.status,
                "found": check.found,
                "problems": list(check.problems),
            }
            for check in found.checks
        ],
        "not_proved": NOT_PROVED,
    }
