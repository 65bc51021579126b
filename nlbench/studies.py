"""Studies as reports, pages and publications show them: a suite, its methods and its records.

Here and not in ``reports``, which reads records only: suites and methods are needed too.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nlbench import baselines, reports
from nlbench.benchmark import datasets, metrics, published
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.published import Published
from nlbench.benchmark.runs.method_source import method_source
from nlbench.benchmark.store import archive
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.results import store_in
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.suites import suite as suites
from nlbench.benchmark.suites.report_table import ReportTable
from nlbench.benchmark.suites.suite import Suite
from nlbench.reports.read.extract import gather

Say = Callable[[str], None]
# The selection is quoted once already: it may hold quotes.
_MAKE_READS_AS_IT_IS = re.compile(r"[\w./:=,@%+'() -]*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Found:
    """A study and the records there are of it.

    Attributes:
        study: its runs and words; ``study.part`` is "" for the whole of a suite.
        intake: the records.
        place: folder of its report, below reports/.
        refused: how many files could not be used.
    """

    study: reports.Study
    intake: reports.Intake
    place: Path
    refused: int = 0


@dataclass(frozen=True)
class Publication:
    """A published study, as it was written.

    Attributes:
        folder: where.
        records: how many.
        commit: that made them.
        files: how many.
    """

    folder: Path
    records: int
    commit: str
    files: int


def check_report(suite: Suite) -> None:
    """Refuse what the report would refuse, before what may be hours of training.

    Raises:
        ReportError: an unknown test of significance.
    """
    if suite.report.test != ReportTable.test:  # the usual one need not load the statistics
        reports.significance_test(suite.report.test, f"suite {suite.name}, report")


def study_of(suite: Suite, asked: str = "", selection: str = "") -> reports.Study:
    """What the suite declares, in the report's own noun.

    Args:
        suite: it, or the part of it.
        asked: how commands name it; its name by default.
        selection: further words of the command that makes these runs again.
    """
    methods = dict.fromkeys(spec.method.name for spec in suite.specs)
    return reports.Study(
        name=suite.name,
        title=suite.title,
        description=suite.description,
        specs=suite.specs,
        sha256=suite.sha256,
        # A part need not have the suite's baseline.
        baseline=suite.baseline if suite.baseline in methods else next(iter(methods)),
        titles={name: baselines.get(name).title for name in methods},
        sources={name: method_source(name) for name in methods},
        releases=_releases(suite),
        metrics=tuple(map(metrics.get, suite.report.metrics)),
        test=suite.report.test,
        tuned=suite.tuned,
        command=_command(asked or suite.name, selection),
        rule=suite.report.rule,
        hypotheses=suite.hypotheses,
        planned_sd=suite.report.planned_sd,
    )


def _command(suite: str, selection: str) -> str:
    """What a reader types to make the runs again; every word is quoted for the shell.

    ``make`` reads its words a second time, as its own language and as the shell's: what means
    something there is given to ``nlbench`` itself.
    """
    if _MAKE_READS_AS_IT_IS.fullmatch(suite + selection):
        words = f" ARGS={shlex.quote(selection)}" if selection else ""
        return f"make benchmark SUITE={shlex.quote(suite)}{words}"
    words = f"{shlex.quote(suite)} {selection}".strip()
    return f"nlbench run {words} && nlbench report {words}"


def _releases(suite: Suite) -> dict[str, str]:
    """Method and data set of profile ``official`` -> the release whose setting it is."""
    pairs = {(s.method.name, s.dataset) for s in suite.specs if s.profile == "official"}
    return {
        f"{name} on {data.group}": baselines.setting(
            name, datasets.family(data.name), "official"
        ).source
        for name, data in sorted(pairs, key=str)
    }


def published_study(suite: Suite, command: str, selection: str = "") -> reports.Study:
    """What a published suite declared.

    Its report is of the methods as they were: it does not change with the sources of today.
    """
    return replace(study_of(suite, command, selection), sources={})


def as_found(study: reports.Study, whole: Suite, found: int, selection: str = "") -> reports.Study:
    """The study, called a part of the whole suite if it is one or if records are missing."""
    count = len(whole.specs)
    if found == count:
        return study
    words = f"{found:,} of the {count:,} runs of suite {whole.name}"
    if selection:
        words += f", selected by {selection}"
    if missing := len(study.specs) - found:
        words += f"; {missing:,} more have no record yet"
    title = f"{study.title} (part: {found:,} of {count:,} runs)"
    return replace(study, title=title, part=words)


def sound(found: Iterable[RunRecord | str], say: Say) -> Iterator[RunRecord]:
    """The records; ``say`` is called with a line about each that cannot be used."""
    for item in found:
        if isinstance(item, str):
            say(f"left out: {item}")
        else:
            yield item


def from_store(
    whole: Suite,
    part: Suite,
    store: Store,
    say: Say,
    *,
    asked: str = "",
    profile: str = "",
    selection: str = "",
    cached: bool = True,
    workers: int = 1,
) -> Found:
    """A suite, or a part of it, with the records that a store has.

    Args:
        whole: the suite.
        part: what is to be shown of it.
        store: of the records.
        say: called with a line about what cannot be used.
        asked: how commands name the suite.
        profile: which the suite's own was replaced by, if one was.
        selection: the words of a command that select the part; "" for the whole.
        cached: whether what was read before may be used.
        workers: processes that read.
    """
    words = shlex.join(["--profile", profile]) if profile else ""
    study = study_of(part, asked, " ".join(filter(None, [words, selection])))
    found = reports.read_records(study, store, cached=cached, workers=workers)
    for line in found.damaged:
        say(f"damaged record: {line}; `nlbench run` repeats it")
    for line in found.foreign:
        say(f"left alone: {line}")
    if found.note:
        say(f"the next report reads all records again: {found.note}")
    refused = len(found.damaged) + len(found.foreign)
    made = _found(study, whole, found.intake, Path(part.name, profile), selection)
    return replace(made, refused=refused)


def from_published(whole: Published, part: Suite, say: Say, *, selection: str = "") -> Found:
    """A published study, or a part of it, with its records; see :func:`from_store`."""
    study = published_study(part, whole.command, selection)
    wanted = {spec.run_id for spec in part.specs}
    refused: list[str] = []
    records = sound(whole.records(), refused.append)
    intake = gather(study, (r for r in records if r.run_id in wanted))
    for line in refused:
        say(line)
    made = _found(study, whole.suite, intake, Path(part.name, "published"), selection)
    return replace(made, refused=len(refused))


def publish_suite(asked: str, results: Path, workers: int = 1) -> Publication:
    """Publish a suite with the records of a results folder, into its ``published/``.

    Args:
        asked: the suite's name, or the path of its file.
        results: the folder.
        workers: processes that write figures.

    Raises:
        UserError: see :func:`nlbench.reports.publish.publishable` and :func:`publish` there.
    """
    from nlbench.reports import publish  # with all of the statistics: not before it is needed

    text, name, where = suites.source(asked)
    suite = suites.parse(text, name, where)
    if not _NAME.fullmatch(name):
        raise UserError(
            f"publish {where}: a published study is a folder named after the file; name the file"
            " with letters, digits, '.', '_' and '-'"
        )
    folder = published.folder_of(results, name)
    study = published_study(suite, Published(folder, suite).command)
    found = archive.stored(store_in(results), [spec.run_id for spec in suite.specs])
    records = publish.publishable(study, found, asked)
    files = publish.publish(study, text, records, folder, workers)
    return Publication(folder, len(records), publish.commit_of(records[0]), files)


def _found(
    study: reports.Study, whole: Suite, intake: reports.Intake, place: Path, selection: str
) -> Found:
    study = as_found(study, whole, len(intake.taken), selection)
    return Found(study, intake, place / "part" if study.part else place)
