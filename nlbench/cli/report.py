"""``nlbench report``: from records to tables, tests and figures."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nlbench import baselines, reports
from nlbench.benchmark import published
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.runs.method_source import method_source
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.suites import suite as suites
from nlbench.benchmark.suites.suite import Suite
from nlbench.cli import options
from nlbench.reports import manifest
from nlbench.reports.read.extract import gather

TEXT = """\
Write the report of a suite from the records in the store: runs.csv, leaderboard.csv,
significance.csv, accuracy tables in Markdown and LaTeX, figures. Trains nothing; what is missing is
shown as missing. The same records give the same bytes.

The report goes to results/reports/SUITE/. That of a part of a suite (--methods, --noise, --seeds,
or runs that have no record yet) says so on top and goes to results/reports/SUITE/part/. Files that
an earlier report wrote there and that do not belong to this one are removed.

SUITE may be the folder of a published study, such as results/published/fashion: its report is made
from the suite file and the records in it, into results/reports/SUITE/published/.
"""
EXAMPLES = """\
  nlbench report quick
  nlbench report fashion --only tables
  nlbench report quick --rule noisy_val      accuracy at the epoch chosen by noisy validation
  nlbench report fashion --methods ce,gce --out mine
  nlbench report results/published/fashion   a published study again, from what lies beside it
"""
SELECTIONS = ("methods", "noise", "seeds")


@dataclass(frozen=True)
class Asked:
    """What a report is made of.

    Attributes:
        study: its runs and words; ``study.part`` is "" for the whole of a suite.
        intake: the records.
        place: folder of the report, below reports/.
    """

    study: reports.Study
    intake: reports.Intake
    place: Path


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(commands, "report", "tables, tests and figures", TEXT, EXAMPLES)
    options.add_suite(parser)
    options.add_results(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="to write to; default: results/reports/SUITE"
    )
    parser.add_argument(
        "--rule",
        default="last",
        metavar="RULE",
        help="which of a run's accuracies: last (default), noisy_val, clean_val, oracle",
    )
    parser.add_argument(
        "--only",
        metavar="PART",
        help="leaderboard (CSV files), tables (Markdown and LaTeX) or figures",
    )
    parser.add_argument(
        "--reread",
        action="store_true",
        help="open and verify every record again, also those whose files have not changed since the"
        " last report (what was read is kept in runs/report-cache.npz, which is safe to delete)",
    )
    options.add_report_workers(parser)
    parser.add_argument(
        "--like-run",
        nargs=argparse.REMAINDER,
        default=[],
        metavar="WORDS",
        help="last option: the words after SUITE of an `nlbench run`; the report is of the part"
        " that they select, and what else they say is left out",
    )
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    _take_selection(args)
    workers = options.report_workers(args)
    folder = Path(args.suite)
    asked = _published(args, folder) if published.is_study(folder) else _own(args, workers)
    study, part = asked.study, bool(asked.study.part)
    out = args.out or args.results / "reports" / asked.place
    _check_out(out, args.results, part)
    built = reports.build_report(
        study, asked.intake, out, rule=args.rule, only=args.only, workers=workers
    )
    gone = manifest.settle(out, built.files, part, lambda name: _concerns(args.only, name))
    removed = f", {len(gone)} of an earlier report removed" if gone else ""
    print(f"{built.text}\n{out}: {len(built.files)} files{removed}")
    return 0


def study_of(suite: Suite, asked: str = "", selection: str = "") -> reports.Study:
    """What the suite declares, in the report's own noun.

    Args:
        suite: it, or the part of it.
        asked: how commands name it; its name by default.
        selection: further words of the command that makes these runs again.
    """
    words = f" ARGS={shlex.quote(selection)}" if selection else ""
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
        command=f"make benchmark SUITE={shlex.quote(asked or suite.name)}{words}",
    )


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


def sound(found: Iterable[RunRecord | str]) -> Iterator[RunRecord]:
    """The records; lines about those that cannot be used go to stderr."""
    for item in found:
        if isinstance(item, str):
            print(f"nlbench: left out: {item}", file=sys.stderr)
        else:
            yield item


def _own(args: argparse.Namespace, workers: int) -> Asked:
    """From the local store."""
    whole, suite = suites.load(args.suite, args.profile), options.selected(args)
    selection = _words(args, SELECTIONS if len(suite.specs) < len(whole.specs) else ())
    profile = _words(args, ("profile",) if _other_profile(args, whole) else ())
    study = study_of(suite, args.suite, " ".join(filter(None, [profile, selection])))
    found = reports.read_records(
        study, options.store_of(args), cached=not args.reread, workers=workers
    )
    for line in found.damaged:
        print(f"nlbench: damaged record: {line}; `nlbench run` repeats it", file=sys.stderr)
    if found.note:
        print(f"nlbench: the next report reads all records again: {found.note}", file=sys.stderr)
    place = Path(suite.name, args.profile if profile else "")
    return _asked(study, whole, found.intake, place, selection)


def _published(args: argparse.Namespace, folder: Path) -> Asked:
    """From a published study."""
    if args.profile:
        raise UserError(f"--profile {args.profile}: {folder} is published under its suite's own")
    found = published.read(folder)
    suite = options.part_of(found.suite, args)
    selection = _words(args, SELECTIONS if len(suite.specs) < len(found.suite.specs) else ())
    study = published_study(suite, found.command, selection)
    wanted = {spec.run_id for spec in suite.specs}
    intake = gather(study, (r for r in sound(found.records()) if r.run_id in wanted))
    return _asked(study, found.suite, intake, Path(suite.name, "published"), selection)


def _asked(
    study: reports.Study, whole: Suite, intake: reports.Intake, place: Path, selection: str
) -> Asked:
    study = as_found(study, whole, len(intake.taken), selection)
    return Asked(study, intake, place / "part" if study.part else place)


def _other_profile(args: argparse.Namespace, suite: Suite) -> bool:
    """Whether ``--profile`` makes other runs of the suite than its file does."""
    return bool(args.profile) and suite.sha256 != suites.load(args.suite).sha256


def _words(args: argparse.Namespace, names: Iterable[str]) -> str:
    return shlex.join(
        word for name in names if getattr(args, name) for word in (f"--{name}", getattr(args, name))
    )


def _take_selection(args: argparse.Namespace) -> None:
    """Take over which part of the suite the words of an `nlbench run` select."""
    parser = argparse.ArgumentParser(prog="nlbench report --like-run", add_help=False)
    options.add_part(parser)
    for name, value in vars(parser.parse_known_args(args.like_run)[0]).items():
        if value is not None:
            setattr(args, name, value)


def _check_out(out: Path, results: Path, part: bool) -> None:
    """Refuse what would change a published study, or replace a whole report by one of a part."""
    if out.resolve().is_relative_to((results / "published").resolve()) or published.is_study(out):
        raise UserError(f"report folder {out}: only `nlbench publish SUITE` changes what is there")
    if part and manifest.read(out).part is False:
        raise UserError(
            f"report folder {out}: holds the report of a whole study, which that of a part does"
            " not replace; name another folder with --out"
        )


def _concerns(only: str | None, name: str) -> bool:
    """Whether a report of this part of its files would write a file of this name."""
    kind = {".csv": "leaderboard", ".md": "tables", ".tex": "tables"}.get(Path(name).suffix)
    if name.startswith("figures/"):
        kind = "figures"
    return only is None or (kind == only and name != "index.md")
