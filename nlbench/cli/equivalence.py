"""``nlbench store equivalence``: are two stores of the same runs equivalent?"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nlbench.cli import options

TEXT = """\
Pair the runs of two results folders by run id and test, method by method, whether the mean
difference of accuracy lies within +-BOUND points: two one-sided paired t tests (TOST) over the
seeds, each at level 0.05. Made for strict mode against fast mode, one backend against another, one
device against another. The bound is to be stated before looking.

"not shown" is no evidence of a difference: there may be too few seeds. The exit status is 0 if
every method was shown to be equivalent, 1 if not, 2 for bad input.
"""
EXAMPLES = """\
  nlbench run modes --mode strict --results strict
  nlbench run modes --mode fast --results fast
  nlbench store equivalence strict fast
  nlbench store equivalence strict fast modes --seeds 0-4 --bound 0.5
"""
BOUND = 0.3
PARTS = ("profile", "methods", "noise", "seeds")


def add(actions: options.Commands) -> None:
    """Register the action."""
    parser = options.command(
        actions, "equivalence", "test whether two stores are equivalent", TEXT, EXAMPLES
    )
    parser.add_argument("a", metavar="A", type=Path, help="a results folder")
    parser.add_argument("b", metavar="B", type=Path, help="another one")
    parser.add_argument("suite", nargs="?", metavar="SUITE", help="only the runs of this study")
    for part in PARTS:
        parser.add_argument(f"--{part}", help="only this part of SUITE, as for `nlbench run`")
    parser.add_argument(
        "--bound",
        type=options.amount,
        default=BOUND,
        metavar="P",
        help=f"in points (default {BOUND})",
    )
    parser.add_argument(
        "--rule", default="last", metavar="RULE", help="which accuracy, as for `nlbench report`"
    )
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the action out."""
    from tabulate import tabulate

    from nlbench.benchmark.errors import UserError
    from nlbench.benchmark.store import archive
    from nlbench.benchmark.store.record import RunRecord
    from nlbench.reports.compare.equivalence import compare_stores, equivalence_rows

    wanted = None
    if args.suite is not None:
        wanted = [spec.run_id for spec in options.selected(args).specs]
    elif any(getattr(args, part) for part in PARTS):
        raise UserError("store equivalence: --methods, --noise, --seeds, ... need a SUITE")
    sides = []
    for folder in (args.a, args.b):
        found = list(archive.stored(archive.open_folder(folder), wanted))
        for line in (item for item in found if isinstance(item, str)):
            print(f"nlbench: left out: {line}", file=sys.stderr)
        sides.append([item for item in found if isinstance(item, RunRecord)])
    comparison = compare_stores(sides[0], sides[1], args.bound, args.rule)
    for note in comparison.notes:
        print(note)
    print(tabulate(equivalence_rows(comparison), headers="keys", disable_numparse=True))
    return 0 if comparison.equivalent else 1
