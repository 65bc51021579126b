"""``nlbench site``: the reports as web pages that need neither a server nor the network."""

from __future__ import annotations

import argparse
import shlex
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nlbench import baselines, reports
from nlbench.benchmark import published
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.store import archive
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.suites import suite as suites
from nlbench.benchmark.suites.suite import Suite
from nlbench.cli import options
from nlbench.cli.report import as_found, published_study, sound, study_of
from nlbench.reports.read.names import BlockKey
from nlbench.reports.site import Commands, LabelSets, payload, write_pages

TEXT = """\
Write one self-contained HTML file per suite and an index: leaderboard to sort and filter, drawn
intervals, who differs from whom, figures, label noise, and how to make each row again. The pages
open from the file system, ask for nothing over the network and can be read without scripts.

Without SUITES: every published study, from the suite file and the records in results/published/.
A suite that is named and not published takes its records from the local store; --own takes them
from there in any case. The same records give the same bytes.
"""
EXAMPLES = """\
  nlbench site                       every published study, into site/
  nlbench site fashion --out pages   one of them
  nlbench site mine.toml             a study of your own, from the local store
  nlbench site --own                 published studies and, beside them, those of your own runs
"""


@dataclass(frozen=True)
class Shown:
    """What a page is made of.

    Attributes:
        study: its runs and words.
        asked: how commands name its suite.
        records: as they come.
    """

    study: reports.Study
    asked: str
    records: Iterator[RunRecord]


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(commands, "site", "the reports as web pages", TEXT, EXAMPLES)
    parser.add_argument(
        "suites",
        nargs="*",
        metavar="SUITES",
        help=f"studies ({', '.join(suites.names())}), paths of TOML files, or folders of published"
        " studies",
    )
    options.add_results(parser)
    parser.add_argument(
        "--out", type=Path, default=Path("site"), metavar="DIR", help="to write to; default: site"
    )
    parser.add_argument(
        "--own",
        action="store_true",
        help="the runs of the local store: of SUITES, or beside the published studies",
    )
    parser.add_argument(
        "--rule",
        default="last",
        metavar="RULE",
        help="which of a run's accuracies: last (default), noisy_val, clean_val, oracle",
    )
    options.add_report_workers(parser)
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    pages = [_payload(shown, args) for shown in _shown(args)]
    if not pages:
        raise UserError(
            f"{args.results / 'published'}: no published study in it; `nlbench site SUITE` or"
            " --own shows the runs of this machine"
        )
    for page in write_pages(pages, args.out):
        print(f"{page.path}  {page.bytes:,} bytes")
    return 0


def _shown(args: argparse.Namespace) -> list[Shown]:
    """The studies asked for: published ones, and own ones where named or with ``--own``."""
    if args.suites:
        return [_named(name, args) for name in args.suites]
    found = [_published(folder) for folder in published.studies(args.results)]
    if args.own:
        taken = {shown.study.name for shown in found}
        have = set(options.store_of(args).ids())
        for name in suites.names():
            suite = suites.load(name)
            if any(spec.run_id in have for spec in suite.specs):
                found.append(_own(name, suite, args, beside=name in taken))
    return found


def _named(name: str, args: argparse.Namespace) -> Shown:
    """A published study by its name or folder; any other suite from the local store."""
    places = (Path(name), published.folder_of(args.results, name))
    folder = next((place for place in places if published.is_study(place)), None)
    if folder is not None and not args.own:
        return _published(folder)
    return _own(name, suites.load(name), args)


def _published(folder: Path) -> Shown:
    found = published.read(folder)
    return Shown(published_study(found.suite, found.command), found.command, sound(found.records()))


def _own(name: str, suite: Suite, args: argparse.Namespace, beside: bool = False) -> Shown:
    """A suite's records in the local store; ``beside``: a published study has its name too."""
    wanted = [spec.run_id for spec in suite.specs]
    records = list(sound(archive.stored(options.store_of(args), wanted)))
    study = as_found(study_of(suite, name), suite, len(records))
    if beside:
        study = replace(study, name=f"{study.name}-own", title=f"{study.title} (own runs)")
    return Shown(study, name, iter(records))


def _payload(shown: Shown, args: argparse.Namespace) -> dict[str, Any]:
    sets = LabelSets()
    commands = Commands(run=_run(shown.asked), labels=_labels, sources=_sources(shown.study))
    with tempfile.TemporaryDirectory() as folder:
        workers = options.report_workers(args)
        records = sets.watch(shown.records)
        built = reports.build_report(
            shown.study, records, Path(folder), rule=args.rule, workers=workers
        )
        return payload(built, sets, commands)


def _run(suite: str) -> Callable[[Sequence[str], str, Sequence[int]], str]:
    def command(methods: Sequence[str], noise: str, seeds: Sequence[int]) -> str:
        words = ["nlbench", "run", suite, "--methods", ",".join(methods)]
        return shlex.join([*words, "--noise", noise, "--seeds", _ranges(seeds)])

    return command


def _labels(block: BlockKey, noise: str, seed: int) -> str:
    words = ["nlbench", "noise", "make", noise, "--dataset", block.dataset]
    if block.train_per_class is not None:
        words += ["--train-per-class", str(block.train_per_class)]
    return shlex.join([*words, "--seed", str(seed), "--out", "labels.npz"])


def _ranges(seeds: Sequence[int]) -> str:
    """[0, 1, 2, 5] as ``0-2,5``, which ``--seeds`` reads back."""
    parts: list[list[int]] = []
    for seed in sorted(seeds):
        if parts and seed == parts[-1][-1] + 1:
            parts[-1].append(seed)
        else:
            parts.append([seed])
    return ",".join(str(p[0]) if len(p) == 1 else f"{p[0]}-{p[-1]}" for p in parts)


def _sources(study: reports.Study) -> dict[str, str]:
    return {name: baselines.get(name).source for name in study.titles}
