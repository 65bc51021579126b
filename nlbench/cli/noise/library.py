"""``nlbench noise table | release | catalogue``: published label sets, and all models."""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from nlbench import noise
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.labels import reference as reference_labels
from nlbench.benchmark.labels import release as label_files
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
    release = verbs.add_parser(
        "release", help="write the label files to download, their datasheet and Croissant metadata"
    )
    release.add_argument("folder", type=Path, metavar="DIR", help="e.g. results/noise")
    release.add_argument(
        "datasets", nargs="*", metavar="DATASET", help=f"of {', '.join(label_files.SETTINGS)}"
    )
    release.add_argument(
        "--check", action="store_true", help="check the files there, and draw their labels again"
    )
    release.set_defaults(call=call_release)
    options.add_data(release)
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


def call_release(args: argparse.Namespace) -> int:
    """Carry ``noise release`` out; 1 if a label set is not what it should be."""
    if not args.check:
        args.folder.mkdir(parents=True, exist_ok=True)
        entries = label_files.write(
            args.folder, args.datasets or list(label_files.SETTINGS), args.data
        )
        print(f"{args.folder}: {len(entries)} label sets in {len({e.file for e in entries})} files")
        return 0
    found = list(label_files.check(args.folder, args.data))
    wrong = [(entry, text) for entry, text in found if text and not text.startswith("skipped")]
    skipped = dict.fromkeys(text for _, text in found if text.startswith("skipped"))
    for entry, text in wrong:
        print(f"{args.folder / entry.file}: {entry.column}: {text}")
    for text in skipped:
        print(f"{args.folder}: labels not drawn again, {text}")
    again = sum(not text for _, text in found)
    print(f"{args.folder}: {again} of {len(found)} label sets drawn again, to the bit")
    return 1 if wrong else 0


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
