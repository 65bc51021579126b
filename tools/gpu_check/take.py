"""Afterwards: unpack the archive of a call, import records, rebuild reports, note figures."""

from __future__ import annotations

import argparse
import json
import sys
import tarfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.machine.environment import commit_of
from nlbench.benchmark.store import archive
from nlbench.benchmark.store.merge import merge
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.suites import suite as suites
from nlbench.cli import main as nlbench
from tools.gpu_check import figures
from tools.gpu_check.facts import ROOT, code
from tools.gpu_check.package import NAME

DOCUMENT = ROOT / "docs" / "gpu.md"
HEADING = "## Done"
# What is taken from a summary.
SUMMARY = frozenset(("started", "suites", "steps", "device", "commit", "dirty", "code"))


def main(argv: Sequence[str]) -> int:
    """Take in one archive; doing it twice changes nothing."""
    parser = argparse.ArgumentParser(prog="python -m tools.gpu_check take", description=__doc__)
    parser.add_argument("archive", type=Path, metavar="ARCHIVE", help="gpu-check.tar.gz of a call")
    parser.add_argument("--results", type=Path, default=Path("results"), metavar="DIR")
    parser.add_argument("--doc", type=Path, default=DOCUMENT, metavar="FILE", help="with the table")
    parser.add_argument("--into", type=Path, metavar="DIR", help="unpack there (gpu-taken-DATE)")
    args = parser.parse_args(argv)
    if not args.doc.is_file():
        raise UserError(f"--doc {args.doc}: no such file")
    folder, summary = _unpacked(args.archive, args.into)
    have, refused = _import(folder, args.results)
    # The figures first: they stand whatever becomes of a report.
    rows = figures.rows(summary, _tables(folder), _commit(summary), len(have))
    args.doc.write_text(noted(args.doc.read_text("utf-8"), rows, str(args.doc)), "utf-8")
    print(f"{folder}: unpacked; {args.doc}: {len(rows)} rows", file=sys.stderr)
    trained = _trained(have, summary["suites"])
    status = [nlbench(["report", name, "--results", str(args.results)]) for name in trained]
    return max(status, default=0) or int(refused > 0)


def _unpacked(path: Path, into: Path | None) -> tuple[Path, dict[str, Any]]:
    """The folder with the archive's content, and its summary."""
    if not path.is_file():
        raise UserError(f"archive {path}: no such file")
    try:
        with tarfile.open(path) as tar:
            inside = tar.extractfile(f"{NAME}/summary.json")
            summary: dict[str, Any] = json.loads(inside.read()) if inside else {}
            if missing := SUMMARY - summary.keys():
                raise ValueError(f"its summary lacks {', '.join(sorted(missing))}")
            date = summary["started"][:16].replace(":", "")
            folder = into or Path(f"gpu-taken-{date}")
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, OSError, KeyError, ValueError) as error:
        raise UserError(f"archive {path}: not one of tools.gpu_check ({error})") from error
    return folder / NAME, summary


def _import(folder: Path, results: Path) -> tuple[set[str], int]:
    """Take the records in; the ids of those in the archive, and how many were refused."""
    packed = folder / "records.tar.gz"
    if not packed.is_file():
        print("no records", file=sys.stderr)
        return set(), 0
    merged = merge(Store.open(results / "runs", create=True), archive.read(packed))
    print(
        f"records: {len(merged.added)} new, {len(merged.same)} known,"
        f" {len(merged.replaced)} replaced, {len(merged.kept)} kept",
        file=sys.stderr,
    )
    for line in (*merged.disagreeing, *merged.refused):
        print(f"  {line}", file=sys.stderr)
    have = {*merged.added, *merged.same, *merged.replaced, *merged.kept}
    return have, len(merged.refused)


def _trained(have: Collection[str], names: Sequence[str]) -> list[str]:
    """The suites of which there are records."""
    paths = [str(ROOT / name) if name.endswith(".toml") else name for name in names]
    return [p for p in paths if any(s.run_id in have for s in suites.load(p).specs)]


def _tables(folder: Path) -> dict[str, Any]:
    """By the name of their file; one that cannot be read is named and left out."""
    tables = {}
    for path in sorted((folder / "tables").glob("*.json")):
        try:
            tables[path.name] = json.loads(path.read_text("utf-8"))
        except ValueError as error:
            print(f"{path}: no table ({error})", file=sys.stderr)
    return tables


def _commit(summary: dict[str, Any]) -> str:
    """The call's commit; of a copy without .git that of this tree, if its code is the same."""
    if summary["commit"]:
        return f"{summary['commit'][:7]}{', changed' if summary['dirty'] else ''}"
    commit, dirty = commit_of(ROOT)
    if commit and not dirty and code() == summary["code"]:
        return commit[:7]
    return f"unknown (code {summary['code'][:7]})"


def noted(text: str, rows: Sequence[str], where: str) -> str:
    """The document with these rows in its last table, newest first, not twice those of a call.

    Raises:
        UserError: the document has no such table.
    """
    before, heading, after = text.rpartition(f"{HEADING}\n")
    lines = after.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("|---")]
    if not heading or not starts:
        raise UserError(f"{where}: has no table under {HEADING!r}")
    at = starts[0] + 1
    keys = {figures.key(row) for row in rows}
    kept = [line for line in lines[at:] if figures.key(line) not in keys | {figures.EMPTY}]
    table = sorted([*rows, *kept], key=lambda row: figures.key(row)[0], reverse=True)
    return before + heading + "\n".join([*lines[:at], *table]) + "\n"
