"""``nlbench store``: move records between machines as one file, and merge stores."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.store import archive
from nlbench.benchmark.store.merge import Merged, merge
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.remote import Remote
from nlbench.cli import equivalence, options

TEXT = """\
Records of one machine for the store of another. `export` writes all records of the store, or those
of a suite, into one file with a manifest of digests; `import` takes such files in, `merge` takes in
other results folders. `push` and `pull` do the same by way of a URL where each record is an object:
only what is missing is sent or fetched, and what was interrupted goes on.

Each record is verified: whole by its digest, and values that hold together.
A damaged or foreign one is named and left out, the others come in. A digest is no signature: it
does not show who made a record. Doing it twice changes nothing. `equivalence` tests whether two
results folders are equivalent.

Where both sides have a record of the same run, the same one is kept in whichever order they come: a
later version of a built-in method before an earlier one, then a finished run before a failed one,
then one of a clean commit before one of a changed tree, then the earlier (of a method from outside
the later: its files may have been edited), then the smaller digest. Two finished records with
different results are named.

The exit status is 1 if a record was refused, 2 for bad input.
"""
EXAMPLES = """\
  nlbench store export piece.tar.gz
  nlbench store export piece.tar.gz cifar10-jpeg --seeds 0-1
  nlbench store import piece1.tar.gz piece2.tar.gz
  nlbench store merge /other/results --results results
  nlbench store push s3://bucket/study cifar10
  nlbench store pull s3://bucket/study
  nlbench store equivalence strict fast
"""
Source = Callable[[], Iterator[RunRecord | str]]
_PARTS = ("profile", "methods", "noise", "seeds")
_SUBTEXT = "\nSee `nlbench store --help`."


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(commands, "store", "move records between machines", TEXT, EXAMPLES)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    export = options.command(
        actions, "export", "write records into one file", f"Write records.{_SUBTEXT}", EXAMPLES
    )
    export.add_argument("file", metavar="FILE", type=Path, help="e.g. piece.tar.gz; replaced")
    _add_part(export)
    export.set_defaults(call=call_export)
    take = options.command(
        actions, "import", "take in files of records", f"Take in files.{_SUBTEXT}", EXAMPLES
    )
    take.add_argument("files", nargs="+", metavar="FILE", type=Path, help="of `store export`")
    take.set_defaults(call=call_import)
    merge = options.command(
        actions, "merge", "take in other stores", f"Take in stores.{_SUBTEXT}", EXAMPLES
    )
    merge.add_argument("folders", nargs="+", metavar="DIR", type=Path, help="a results folder")
    merge.set_defaults(call=call_merge)
    push = options.command(
        actions, "push", "write records to a URL", f"Write records to a URL.{_SUBTEXT}", EXAMPLES
    )
    push.add_argument("url", metavar="URL", help="e.g. s3://bucket/study, file:///folder")
    _add_part(push)
    push.set_defaults(call=call_push)
    pull = options.command(
        actions, "pull", "take in records from a URL", f"Take in records.{_SUBTEXT}", EXAMPLES
    )
    pull.add_argument("url", metavar="URL", help="of `store push`")
    pull.set_defaults(call=call_pull)
    equivalence.add(actions)
    for action_parser in (export, take, merge, push, pull):
        options.add_results(action_parser)


def _add_part(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("suite", nargs="?", metavar="SUITE", help="only the runs of this study")
    for part in _PARTS:
        parser.add_argument(f"--{part}", help="only this part of SUITE, as for `nlbench run`")


def _asked(args: argparse.Namespace) -> Iterator[RunRecord | str]:
    """The records of the store, or of a suite, and a line for each that cannot be had."""
    store = options.store_of(args)
    if args.suite is None and any(getattr(args, part) for part in _PARTS):
        raise UserError(
            f"store {args.action}: --profile, --methods, --noise and --seeds need a SUITE"
        )
    wanted = None if args.suite is None else [s.run_id for s in options.selected(args).specs]
    return archive.stored(store, wanted)


def call_push(args: argparse.Namespace) -> int:
    """Write the records of the store, or of a suite, to a URL."""
    refused: list[str] = []
    pushed = Remote.open(args.url).push(_sound(_asked(args), refused))
    print(f"{args.url}: {pushed.sent} records written, {pushed.same} already there")
    return _complain(refused)


def call_pull(args: argparse.Namespace) -> int:
    """Take in the records at a URL."""
    remote = Remote.open(args.url)
    store = options.store_of(args, create=True)
    return _say(merge(store, remote.pull(store)))


def _sound(found: Iterator[RunRecord | str], refused: list[str]) -> Iterator[RunRecord]:
    for item in found:
        if isinstance(item, RunRecord):
            yield item
        else:
            refused.append(item)


def call_export(args: argparse.Namespace) -> int:
    """Write the records of the store, or of a suite, into one file."""
    refused: list[str] = []
    count = archive.write(args.file, _sound(_asked(args), refused))
    print(f"{args.file}: {count} records, {args.file.stat().st_size:,} bytes")
    return _complain(refused)


def call_import(args: argparse.Namespace) -> int:
    """Take in files of records."""
    return _merge(args, [partial(archive.read, path) for path in args.files])


def call_merge(args: argparse.Namespace) -> int:
    """Take in other stores."""
    return _merge(args, [partial(_records_in, folder) for folder in args.folders])


def _records_in(folder: Path) -> Iterator[RunRecord | str]:
    yield from archive.stored(archive.open_folder(folder))


def _merge(args: argparse.Namespace, sources: Sequence[Source]) -> int:
    opened = _opened(sources)
    return _say(merge(options.store_of(args, create=True), opened))


def _say(result: Merged) -> int:
    print(_summary(result))
    for line in result.disagreeing:
        print(f"nlbench: {line}", file=sys.stderr)
    return _complain(result.refused)


def _opened(sources: Sequence[Source]) -> Iterator[RunRecord | str]:
    """What the sources hold, and a line for each that is none.

    Raises:
        UserError: none of them is one.
    """
    refused: list[UserError] = []
    for source in sources:
        try:
            yield from source()
        except UserError as error:
            refused.append(error)
            if len(refused) == len(sources):
                raise
            yield str(error)


def _summary(result: Merged) -> str:
    return (
        f"{len(result.added)} records added, {len(result.same)} already there,"
        f" {len(result.replaced)} replaced, {len(result.kept)} kept, {len(result.refused)} refused"
    )


def _complain(refused: list[str]) -> int:
    for line in refused:
        print(f"nlbench: refused: {line}", file=sys.stderr)
    return 1 if refused else 0
