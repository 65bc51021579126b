"""Publish a finished study: its suite file, its records and its report, whole or not at all."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.store import archive
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.results import RECORDS
from nlbench.noise import whole
from nlbench.reports import manifest
from nlbench.reports.build import build_report
from nlbench.reports.manifest import Manifest
from nlbench.reports.read.study import Study


def publishable(study: Study, found: Iterable[RunRecord | str], asked: str) -> list[RunRecord]:
    """The records of a suite's runs, if they are all there, sound and of one clean commit.

    Args:
        study: its declared runs.
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
    runs = len(study.specs)

    def refusal(reason: str, remedy: str) -> UserError:
        return UserError(f"suite {study.name} cannot be published: {reason}; {remedy}")

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
        known = all(commit_of(r) for r in changed)
        how = "with uncommitted changes" if known else "outside a git checkout"
        raise refusal(f"{len(changed)} of its {runs} runs were made {how}", again)
    commits = Counter(commit_of(record) for record in records)
    if len(commits) > 1:
        words = ", ".join(f"{commit[:12]} ({count})" for commit, count in commits.most_common())
        raise refusal(f"its runs were made by {len(commits)} commits: {words}", again)
    if mixed := _several_sources(records):
        raise refusal(f"its runs were made by {mixed}", f"{run} trains the older ones again")
    return records


def _several_sources(records: Iterable[RunRecord]) -> str:
    """The first method, or other part from outside, of which there is more than one source.

    What is from outside may have changed although the commit has not.
    """
    found: dict[str, set[str]] = {}
    for record in records:
        own = {f"method {record.spec.method.name!r}": record.method_source}
        for part, source in {**own, **record.part_sources}.items():
            found.setdefault(part, set()).add(source)
    return next((f"{len(all_)} sources of {of}" for of, all_ in found.items() if len(all_) > 1), "")


def publish(
    study: Study, text: str, records: Sequence[RunRecord], folder: Path, workers: int = 1
) -> int:
    """Write a published study, whole or not at all, and return how many files it has.

    Args:
        study: what was run.
        text: TOML text of its suite.
        records: of all its runs.
        folder: where it is to be; what an earlier publication wrote there is replaced.
        workers: processes that write figures.

    Raises:
        UserError: the folder cannot be written, or a file in it would be overwritten that no
            publication wrote.
        ReportError: see :func:`build_report`.
    """
    new, old = (folder.with_name(f".{folder.name}.{word}") for word in ("new", "old"))
    try:
        if old.exists() and not folder.exists():  # an earlier call was killed between two renames
            old.rename(folder)
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)
        new.mkdir(parents=True)
        files = _fill(new, study, text, records, workers)
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
    new: Path, study: Study, text: str, records: Sequence[RunRecord], workers: int
) -> frozenset[str]:
    """Write suite file, records, report and the list of all of them; returns the list."""
    suite_file = new / f"{study.name}.toml"
    whole.write_text(suite_file, text)
    archive.write(new / RECORDS, records)
    built = build_report(study, records, new, workers=workers)
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


def commit_of(record: RunRecord) -> str:
    """The commit that made a record; empty where it is not known."""
    return str(record.environment.get("commit") or "")
