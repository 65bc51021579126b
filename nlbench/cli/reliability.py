"""``nlbench bench reliability``: attack this installation, and count what held."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tabulate import tabulate

from nlbench.benchmark.errors import unknown
from nlbench.benchmark.reliability.attack import Place, Tally, carry_out
from nlbench.cli import options

# Of the failures of one attack, so many are printed.
SHOWN = 10


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which attacks, how often, how long."""
    parser.add_argument(
        "--attacks", metavar="A,B", help="of reliability: only these (default: all)"
    )
    parser.add_argument(
        "--tries",
        metavar="N",
        type=options.count(1, 10**7),
        help="of each attack (default: from 10, callers of one store, to 10,000, mutated files)",
    )
    parser.add_argument(
        "--minutes",
        metavar="M",
        type=options.amount,
        default=10.0,
        help="of reliability: at most so long for each attack (default: %(default)g)",
    )
    parser.add_argument(
        "--seed", metavar="S", type=options.count(0), default=0, help="of what is drawn (default 0)"
    )


def run(args: argparse.Namespace) -> int:
    """Carry the attacks out; 1 if a try failed."""
    from nlbench.benchmark.reliability.registry import ATTACKS
    from nlbench.cli.main import main

    known = {attack.name: attack for attack in ATTACKS}
    chosen = options.words(args.attacks) or list(known)
    for name in chosen:
        if name not in known:
            raise unknown("attack", name, known, "--attacks")
    tallies: list[Tally] = []
    for name in chosen:
        with tempfile.TemporaryDirectory(prefix="nlbench-reliability-") as folder:
            place = Place(main, Path(folder), args.seed)
            tries = args.tries or known[name].tries
            tallies.append(carry_out(known[name], place, tries, 60 * args.minutes, _teller()))
    print(tabulate([tally.row() for tally in tallies], headers="keys", intfmt=","))
    return 1 if any(tally.failures for tally in tallies) else 0


def _teller() -> Callable[[Tally], None]:
    """What prints how far an attack is, and each failure once."""
    shown = 0

    def tell(tally: Tally) -> None:
        nonlocal shown
        options.note(f"{tally.name}: {tally.tried:,} tried, {len(tally.failures):,} failed")
        for failure in tally.failures[shown:SHOWN]:
            print(f"  {failure}", file=sys.stderr, flush=True)
        shown = len(tally.failures)

    return tell
