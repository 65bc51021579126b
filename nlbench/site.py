"""Web pages of studies: which are shown, from which records, and how to make each row again.

Here and not in ``reports``, which reads records only: suites and methods are needed too.
"""

from __future__ import annotations

import inspect
import shlex
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nlbench import baselines, reports
from nlbench.baselines.families import FAMILIES
from nlbench.baselines.price import cost, told
from nlbench.benchmark import published
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.store import archive
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.results import store_in
from nlbench.benchmark.suites import suite as suites
from nlbench.benchmark.suites.suite import Suite
from nlbench.reports.read.names import BlockKey
from nlbench.reports.site import Commands, LabelSets, Page, payload, write_pages
from nlbench.reports.site.methods import arxiv
from nlbench.studies import Say, as_found, published_study, sound, study_of

# Studies that the index opens with, the first that is there.
HEADLINES = ("field", "fashion")


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


def write_site(
    results: Path,
    out: Path,
    say: Say,
    *,
    names: Sequence[str] = (),
    own: bool = False,
    rule: str | None = None,
    workers: int = 1,
) -> list[Page]:
    """Write a page per study and an index.

    Args:
        results: folder with ``published/`` and the store.
        out: folder of the pages.
        say: called with a line about each record that cannot be used.
        names: suites, or folders of published studies; without any all published studies.
        own: the runs of the store: of these names, or beside the published studies.
        rule: accuracy rule, one of RULES; by default each study's.
        workers: processes that write figures.

    Raises:
        UserError: there is nothing to show, or the pages would be among the published studies.
    """
    published.check_outside(results, out)
    shown = _shown(results, names, own, say)
    pages = [_payload(each, rule, workers) for each in shown]
    if not pages:
        raise UserError(
            f"{results / 'published'}: no published study in it; `nlbench site SUITE` or"
            " --own shows the runs of this machine"
        )
    return list(write_pages(headline_first(pages), out, _about(pages)))


def headline_first(pages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pages, that of the most important study first."""
    names = [page["name"] for page in pages]
    headline = next((name for name in HEADLINES if name in names), names[0])
    return sorted(pages, key=lambda page: page["name"] != headline)


def _about(pages: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """How methods describe themselves, by registered name."""
    return {
        name: _of_method(name)
        for name in dict.fromkeys(method["name"] for page in pages for method in page["methods"])
    }


def _of_method(name: str) -> dict[str, Any]:
    """Title, first paragraph of the docstring, and what tables of methods have of it."""
    method = baselines.get(name)
    family = FAMILIES.get(method.family)
    defaults = ", ".join(f"{p.name} = {p.default}" for p in method.hyperparameters())
    standard = baselines.create(name)
    facts = (
        ("Family", family.title if family else "", False),
        ("Loss of a sample", method.formula, True),
        ("Images, CE = 1", cost(standard), False),
        ("Must be told", told(standard) or "nothing but the given labels", False),
        ("Source", method.source, False),
        ("Defaults", defaults, True),
        ("Published for", ", ".join(method.published), False),
    )
    return {
        "title": method.title,
        "summary": " ".join((inspect.getdoc(method) or "").split("\n\n")[0].split()),
        "facts": [
            {"what": what, "text": text, "code": code, "link": arxiv(text)}
            for what, text, code in facts
            if text
        ],
    }


def _shown(results: Path, names: Sequence[str], own: bool, say: Say) -> list[Shown]:
    """The studies asked for: published ones, and own ones where named or with ``own``."""
    if names:
        return [_named(name, results, own, say) for name in names]
    found = [_published(folder, say) for folder in published.studies(results)]
    if own:
        taken = {shown.study.name for shown in found}
        have = set(store_in(results).ids())
        for name in suites.names():
            suite = suites.load(name)
            if any(spec.run_id in have for spec in suite.specs):
                found.append(_own(name, suite, results, say, beside=name in taken))
    return found


def _named(name: str, results: Path, own: bool, say: Say) -> Shown:
    """A published study by its name or folder; any other suite from the local store."""
    folder = published.find(name, results)
    if folder is not None and not own:
        return _published(folder, say)
    return _own(name, suites.load(name), results, say)


def _published(folder: Path, say: Say) -> Shown:
    found = published.read(folder)
    study = published_study(found.suite, found.command)
    return Shown(study, found.command, sound(found.records(), say))


def _own(name: str, suite: Suite, results: Path, say: Say, beside: bool = False) -> Shown:
    """A suite's records in the local store; ``beside``: a published study has its name too."""
    wanted = [spec.run_id for spec in suite.specs]
    records = list(sound(archive.stored(store_in(results), wanted), say))
    study = as_found(study_of(suite, name), suite, len(records))
    if beside:
        study = replace(study, name=f"{study.name}-own", title=f"{study.title} (own runs)")
    return Shown(study, name, iter(records))


def _payload(shown: Shown, rule: str | None, workers: int) -> dict[str, Any]:
    sets = LabelSets()
    commands = Commands(run=_run(shown.asked), labels=_labels, sources=_sources(shown.study))
    with tempfile.TemporaryDirectory() as folder:
        records = sets.watch(shown.records)
        built = reports.build_report(shown.study, records, Path(folder), rule=rule, workers=workers)
        return payload(built, sets, commands)


def _run(suite: str) -> Callable[[Sequence[str], str, Sequence[int]], str]:
    def command(methods: Sequence[str], noise: str, seeds: Sequence[int]) -> str:
        words = ["nlbench", "run", suite, "--methods", ",".join(methods)]
        return shlex.join([*words, "--noise", noise, "--seeds", seed_ranges(seeds)])

    return command


def _labels(block: BlockKey, noise: str, seed: int) -> str:
    words = ["nlbench", "noise", "make", noise, "--dataset", block.dataset]
    if block.train_per_class is not None:
        words += ["--train-per-class", str(block.train_per_class)]
    return shlex.join([*words, "--seed", str(seed), "--out", "labels.npz"])


def seed_ranges(seeds: Sequence[int]) -> str:
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
