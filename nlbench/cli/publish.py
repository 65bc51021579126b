"""``nlbench publish``: put a finished study among the published ones."""

from __future__ import annotations

import argparse
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from nlbench import reports
from nlbench.benchmark import published
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.published import RECORDS, Published
from nlbench.benchmark.store import archive
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.suites import suite as suites
from nlbench.benchmark.suites.suite import Suite
from nlbench.cli import options
from nlbench.cli.report import published_study
from nlbench.reports import manifest
from nlbench.reports.manifest import Manifest

TEXT = """\
Write a study into results/published/SUITE/: its suite file, its records (records.tar.gz) and the
report made of them. Nothing else changes that folder. It is written whole or not at all; an earlier
publication of the suite is replaced, files that it did not write are kept.

Refused, with the reason: runs that are missing, damaged or failed, and runs that were not all made
by one commit without uncommitted changes.
"""
EXAMPLES = """\
  nlbench publish fashion
  nlbench publish mine.toml
"""
SUMMARY = "put a finished study among the published ones"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


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
    workers = options.report_workers(args)
    text, name, where = suites.source(args.suite)
    suite = suites.parse(text, name, where)
    if not _NAME.fullmatch(name):
        raise UserError(
            f"publish {where}: a published study is a folder named after the file; name the file"
            " with letters, digits, '.', '_' and '-'"
        )
    found = archive.stored(options.store_of(args), [spec.run_id for spec in suite.specs])
    records = publishable(suite, found, args.suite)
    folder = published.folder_of(args.results, name)
    count = publish(suite, text, records, folder, workers)
    print(f"{folder}: {len(records)} records of commit {_commit(records[0])[:12]}, {count} files")
    return 0


def publishable(suite: Suite, found: Iterable[RunRecord | str], asked: str) -> list[RunRecord]:
    """The records of a suite's runs, if they are all there, sound and of one clean commit.

    Args:
        suite: what was run.
        found: its records, and a line for each damaged one.
        asked: how commands name the suite.

    Raises:
        UserError: why they cannot be published.
    """
    records: list[RunRecord] = []
    refused: list[str] = []
    for item in found:
        if isinstance(item, RunRecord):
            records.append(item)
        else:
            refused.append(item)
    runs = len(suite.specs)

    def refusal(reason: str, remedy: str) -> UserError:
        return UserError(f"suite {suite.name} cannot be published: {reason}; {remedy}")

    run = f"`nlbench run {asked}`"
    if refused:
        raise refusal(f"{len(refused)} damaged records ({refused[0]})", f"{run} repeats them")
    if len(records) < runs:
        raise refusal(f"{runs - len(records)} of its {runs} runs have no record", f"{run} first")
    if failed := [r for r in records if r.status == "failed"]:
        raise refusal(
            f"{len(failed)} of its {runs} runs failed ({failed[0].spec})", f"{run} --retry first"
        )
    again = "run it again from a clean checkout, with another --results"
    if changed := [r for r in records if r.environment.get("dirty") is not False]:
        known = all(_commit(r) for r in changed)
        how = "with uncommitted changes" if known else "outside a git checkout"
        raise refusal(f"{len(changed)} of its {runs} runs were made {how}", again)
    commits = Counter(_commit(record) for record in records)
    if len(commits) > 1:
        words = ", ".join(f"{commit[:12]} ({count})" for commit, count in commits.most_common())
        raise refusal(f"its runs were made by {len(commits)} commits: {words}", again)
    return records


def publish(
    suite: Suite, text: str, records: Sequence[RunRecord], folder: Path, workers: int = 1
) -> int:
    """Write a published study, whole or not at all, and return how many files it has.

    Args:
        suite: what was run.
        text: the suite's TOML text.
        records: of all its runs.
        folder: where it is to be; what an earlier publication wrote there is replaced.
        workers: processes that write figures.

    Raises:
        UserError: the folder cannot be written, or a file in it would be overwritten that no
            publication wrote.
        reports.ReportError: see :func:`reports.build_report`.
    """
    new, old = (folder.with_name(f".{folder.name}.{word}") for word in ("new", "old"))
    try:
        if old.exists() and not folder.exists():  # an earlier call was killed between two renames
            old.rename(folder)
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)
        new.mkdir(parents=True)
        files = _fill(new, suite, text, records, workers)
        _keep_others(folder, new, files)
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return len(files)


def _fill(
    new: Path, suite: Suite, text: str, records: Sequence[RunRecord], workers: int
) -> frozenset[str]:
    """Write suite file, records, report and the list of all of them; returns the list."""
    suite_file = new / f"{suite.name}.toml"
    suite_file.write_text(text, encoding="utf-8", newline="\n")
    archive.write(new / RECORDS, records)
    study = published_study(suite, Published(new, suite).command)
    built = reports.build_report(study, records, new, workers=workers)
    files = frozenset(
        path.relative_to(new).as_posix() for path in (suite_file, new / RECORDS, *built.files)
    )
    manifest.write(new, Manifest(files, part=False))
    return files


def _keep_others(folder: Path, new: Path, files: frozenset[str]) -> None:
    """Copy what is in the folder and was not written by a publication."""
    there = [path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir()]
    ours = manifest.read(folder).files | {manifest.FILE}
    others = [path for path in there if path.as_posix() not in ours]
    for path in others:
        if path.as_posix() in files:
            raise UserError(
                f"{folder / path}: was not written by `nlbench publish` (it is not named in"
                f" {manifest.FILE}) and would be overwritten; move it away"
            )
        (new / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(folder / path, new / path, follow_symlinks=False)


def _commit(record: RunRecord) -> str:
    return str(record.environment.get("commit") or "")
