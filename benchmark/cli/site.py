"""``nlbench site``: the reports as web pages that need neither a server nor the network."""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import baselines
import reports
from benchmark import archive
from benchmark import suite as suites
from benchmark.cli import options
from benchmark.cli.report import study_of
from benchmark.errors import UserError
from benchmark.record import RunRecord
from benchmark.suite import Suite
from reports.labels import BlockKey
from reports.site import Commands, LabelSets, payload, write_pages

TEXT = """\
Write one self-contained HTML file per suite and an index: leaderboard to sort and filter, drawn
intervals, who differs from whom, figures, label noise, and how to make each row again. The pages
open from the file system, ask for nothing over the network and can be read without scripts.

Records come straight from results/published/SUITE/records.tar.gz; a suite without one takes them
from the local store. Without SUITES: every suite that has an archive. The same records give the
same bytes.
"""
EXAMPLES = """\
  nlbench site                       every published suite, into site/
  nlbench site fashion --out pages   one of them
  nlbench site mine.toml             a study of your own, from the local store
  nlbench site --store               also suites and runs that only the local store has
"""


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(commands, "site", "the reports as web pages", TEXT, EXAMPLES)
    parser.add_argument(
        "suites",
        nargs="*",
        metavar="SUITES",
        help=f"studies ({', '.join(suites.names())}) or paths of TOML files",
    )
    options.add_results(parser)
    parser.add_argument(
        "--out", type=Path, default=Path("site"), metavar="DIR", help="to write to; default: site"
    )
    parser.add_argument(
        "--store", action="store_true", help="take the records of the local store too"
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
    chosen = [(name, suites.load(name)) for name in args.suites] or _published(args)
    if not chosen:
        raise UserError(
            f"{args.results / 'published'}: no suite with a records.tar.gz; name one, or add"
            " --store for the runs of this machine"
        )
    pages = [_payload(name, suite, args) for name, suite in chosen]
    for page in write_pages(pages, args.out):
        print(f"{page.path}  {page.bytes:,} bytes")
    return 0


def _published(args: argparse.Namespace) -> list[tuple[str, Suite]]:
    """The suites with an archive, and with ``--store`` those with a run in the store."""
    there = {path.parent.name for path in (args.results / "published").glob("*/records.tar.gz")}
    for name in sorted(there - set(suites.names())):
        print(
            f"nlbench: published/{name}: no suite of that name comes with the project; name its"
            " TOML file",
            file=sys.stderr,
        )
    found = [(name, suites.load(name)) for name in suites.names() if name in there or args.store]
    if not args.store:
        return found
    have = set(options.store_of(args).ids())
    return [
        (name, suite)
        for name, suite in found
        if name in there or any(spec.run_id in have for spec in suite.specs)
    ]


def _payload(name: str, suite: Suite, args: argparse.Namespace) -> dict[str, Any]:
    sets = LabelSets()
    records = sets.watch(_sound(_records(suite, args)))
    commands = Commands(run=_run(name), labels=_labels, sources=_sources(suite))
    study = study_of(suite)
    if name != suite.name:  # a TOML file of the user's own
        study = replace(study, command=shlex.join(["nlbench", "run", name]))
    with tempfile.TemporaryDirectory() as folder:
        workers = options.report_workers(args)
        built = reports.build(study, records, Path(folder), rule=args.rule, workers=workers)
        return payload(built, sets, commands)


def _records(suite: Suite, args: argparse.Namespace) -> Iterator[RunRecord | str]:
    """The suite's records from its archive, from the store, or from both."""
    path = args.results / "published" / suite.name / "records.tar.gz"
    sources = [archive.read(path)] if path.is_file() else []
    if args.store or not sources:
        wanted = [spec.run_id for spec in suite.specs]
        sources.append(archive.stored(options.store_of(args), wanted))
    return chain.from_iterable(sources)


def _sound(found: Iterator[RunRecord | str]) -> Iterator[RunRecord]:
    for item in found:
        if isinstance(item, str):
            print(f"nlbench: left out: {item}", file=sys.stderr)
        else:
            yield item


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


def _sources(suite: Suite) -> dict[str, str]:
    return {name: baselines.get(name).source for name in {s.method.name for s in suite.specs}}
