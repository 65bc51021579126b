"""``nlbench noise table | catalogue``: published label sets, and all models."""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from nlbench import noise
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.labels import reference as reference_labels
from nlbench.benchmark.labels import tables as noise_tables
from nlbench.cli import options
from nlbench.noise import whole


def add_verbs(verbs: options.Commands) -> None:
    """Register ``table`` and ``catalogue``."""
    table = verbs.add_parser("table", help="write the fingerprints of the published label sets")
    table.add_argument(
        "datasets", nargs="*", metavar="DATASET", help=f"of {', '.join(reference_labels.PUBLISHED)}"
    )
    table.add_argument("--out", type=Path, required=True, metavar="FILE", help="CSV to write")
    table.set_defaults(call=call_table)
    catalogue = verbs.add_parser("catalogue", help="all models with sources and users, as a page")
    catalogue.add_argument("--out", type=Path, metavar="FILE", help="Markdown to write")
    catalogue.set_defaults(call=call_catalogue)
    options.add_data(table)


def call_table(args: argparse.Namespace) -> int:
    """Carry ``noise table`` out."""
    names = args.datasets or list(reference_labels.PUBLISHED)
    for name in names:
        reference_labels.clean_of(name, args.data)  # before hours of drawing: what is missing
    rows = tqdm(reference_labels.make(names, args.data), unit="set", disable=None)
    count = reference_labels.write(rows, args.out)
    print(f"{args.out}: {count} label sets")
    return 0


def call_catalogue(args: argparse.Namespace) -> int:
    """Carry ``noise catalogue`` out."""
    page = noise_tables.catalogue()
    if args.out is None:
        print(page)
        return 0
    whole.write_text(args.out, page)
    print(f"{args.out}: {len(noise.names())} models")
    return 0


def verify_table(path: Path, root: Path | None) -> None:
    """Draw every row of a fingerprint table again and print how many agree.

    Raises:
        UserError: a row that comes out otherwise, with its fingerprint, or no row that could be
            checked because no data set is there.
    """
    rows = reference_labels.read(path)
    sound, skipped = 0, dict[str, None]()
    checks = reference_labels.check(rows, root)
    for row, problem in tqdm(checks, total=len(rows), unit="set", disable=None):
        if problem.startswith("skipped"):
            skipped[f"{row.dataset} {problem}"] = None
        elif problem:
            raise UserError(
                f"{path}: {row.dataset} {row.noise} seed {row.seed}: {row.fingerprint} is written,"
                f" {problem}"
            )
        else:
            sound += 1
    for problem in skipped:
        print(f"{path}: {problem}")
    if not sound:
        raise UserError(f"{path}: none of its data sets is here, nothing was checked")
    print(f"{path}: {sound} of {len(rows)} label sets drawn again, to the bit")
    print(reference_labels.machine())
