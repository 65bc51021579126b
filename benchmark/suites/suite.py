"""Suite: one TOML file per study, expanded in memory into RunSpecs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from nlbench.benchmark import metrics
from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.selection import picked
from nlbench.benchmark.spec import tuned as tuned_table
from nlbench.benchmark.spec.canonical_json import sha256_of
from nlbench.benchmark.spec.hypothesis import Hypothesis
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.spec.tuned import Tuned
from nlbench.benchmark.store.collector import collector_paused
from nlbench.benchmark.suites import hypotheses, report_table, typed
from nlbench.benchmark.suites import tune as tuning
from nlbench.benchmark.suites.grid import KEYS, expand, merged, noise_line
from nlbench.benchmark.suites.matched import refuse_unequal
from nlbench.benchmark.suites.report_table import ReportTable
from nlbench.benchmark.suites.tune import Tune

TEXT_KEYS = ("title", "description", "baseline")


@dataclass(frozen=True)
class Suite:
    """A study: its texts and its runs, the most informative ones first.

    Attributes:
        name: the TOML file's stem.
        title: one line for tables and pages.
        description: the question of the study, in plain words.
        baseline: the method the others are compared with first.
        specs: all runs, without repetition, in order.
        report: what its report is to do.
        hypotheses: comparisons declared beside those with the baseline.
        tune: how settings are tried, if its runs are for choosing them.
        seeds: those of the suite of the chosen settings then.
        tuned: how its settings were chosen, if `nlbench tune` wrote it.
    """

    name: str
    title: str
    description: str
    baseline: str
    specs: tuple[RunSpec, ...]
    report: ReportTable = field(default_factory=ReportTable)
    hypotheses: tuple[Hypothesis, ...] = ()
    tune: Tune | None = None
    seeds: tuple[int, ...] = ()
    tuned: Tuned | None = None

    @property
    def sha256(self) -> str:
        """Identity of what the study declares: SHA-256 over its sorted run ids."""
        return sha256_of(sorted(spec.run_id for spec in self.specs))

    def select(
        self,
        methods: Iterable[str] = (),
        noise: Iterable[str] = (),
        seeds: Iterable[int] = (),
    ) -> Suite:
        """The part of the suite with these methods, noise lines and seeds (empty = all).

        Methods are named as :func:`nlbench.benchmark.selection.picked` reads them.

        Raises:
            UserError: a value the suite does not have.
        """
        words = tuple(methods)
        wanted: list[tuple[str, list[Any], Callable[[RunSpec], Any]]] = [
            ("noise", [noise_line(n, "--noise") for n in noise], lambda s: s.noise),
            ("seed", list(seeds), lambda s: s.seed),
        ]
        specs = picked(self.specs, words, f"suite {self.name}") if words else self.specs
        for kind, values, read in wanted:
            have = {read(spec) for spec in self.specs}
            for value in values:
                if value not in have:
                    raise unknown(kind, str(value), sorted(map(str, have)), f"suite {self.name}")
            specs = tuple(s for s in specs if not values or read(s) in values)
        if not specs:
            raise UserError(f"suite {self.name}: no run is left after --methods, --noise, --seeds")
        return replace(self, specs=specs)


def names() -> tuple[str, ...]:
    """The suites that come with the project."""
    folder = resources.files("nlbench.benchmark.suites")
    return tuple(sorted(p.name[:-5] for p in folder.iterdir() if p.name.endswith(".toml")))


def load(name: str, profile: str | None = None) -> Suite:
    """Read a suite by name, or a TOML file by path (anything with a slash or ending in .toml).

    Args:
        name: one of :func:`names`, or a path.
        profile: replaces the profile the suite names.

    Raises:
        UserError: unknown suite, unreadable TOML, unknown key, method, noise, data set, model or a
            value out of range; the message names the value and the file.
    """
    return parse(*source(name), profile)


def source(name: str) -> tuple[str, str, str]:
    """The TOML text of a suite, its short name and where it is; ``name`` as for :func:`load`.

    Raises:
        UserError: unknown suite, or a file that cannot be read.
    """
    if name.endswith(".toml") or "/" in name:
        path = Path(name)
        return typed.read(path), path.stem, str(path)
    if name not in names():
        raise unknown("suite", name, names(), "nlbench run SUITE")
    text = (resources.files("nlbench.benchmark.suites") / f"{name}.toml").read_text("utf-8")
    return text, name, f"suites/{name}.toml"


def parse(text: str, name: str, where: str, profile: str | None = None) -> Suite:
    """Read a suite from TOML text; ``where`` is named in errors. Raises: see :func:`load`."""
    return _of_values(typed.parse(text, where), name, where, profile)


def of_mapping(given: Mapping[str, Any], profile: str | None = None) -> Suite:
    """A suite from what its TOML file would hold, and its ``name``, which a file has as its own.

    Raises:
        UserError: see :func:`load`.
    """
    values = typed.plain(given)
    name = typed.text(values.pop("name", "suite"), "name", "suite")
    return _of_values(values, name, f"suite {name!r}", profile)


@collector_paused()
def _of_values(values: dict[str, Any], name: str, where: str, profile: str | None) -> Suite:
    tables = ("parts", "report", "hypothesis", "tune", "tuned")
    typed.check_keys(values, (*TEXT_KEYS, *KEYS, *tables), where)
    report = report_table.parse(values.pop("report", {}), where)
    own = tuple(sorted(filter(metrics.is_outside, report.metrics)))
    declared = values.pop("hypothesis", [])
    words = {
        key: typed.text(values.pop(key, ""), key, where, lines=key == "description")
        for key in TEXT_KEYS
    }
    parts = values.pop("parts", [{}])
    if not isinstance(parts, list) or not parts or not all(isinstance(p, dict) for p in parts):
        raise UserError(f"{where}: parts should be tables, written [[parts]]")
    tune = tuning.parse(values.pop("tune"), where) if "tune" in values else None
    if tune is not None:
        _check_tuned(values, parts, profile, where)
    tuned = tuned_table.parse(values.pop("tuned"), where) if "tuned" in values else None
    specs: dict[str, RunSpec] = {}
    for number, part in enumerate(parts, 1):
        at = where if part == {} else f"{where}, part {number}"
        typed.check_keys(part, KEYS, at)
        declared_runs = expand(merged(values, part), at, profile, own, tune)
        for spec in _alike(declared_runs, at, tune or tuned):
            specs.setdefault(spec.run_id, spec)
        typed.check_runs(len(specs), at)
    if tuned is not None:
        _check_choices(tuned, specs.values(), where)
    used = tuple(dict.fromkeys(s.method.name for s in specs.values()))
    baseline = words["baseline"] or used[0]
    if baseline not in used:
        raise unknown("baseline", baseline, used, where)
    return Suite(
        name=name,
        title=words["title"] or name,
        description=words["description"].strip(),
        baseline=baseline,
        specs=tuple(specs.values()),
        report=report,
        hypotheses=hypotheses.parse(declared, tuple(specs.values()), where),
        tune=tune,
        seeds=tuple(typed.seeds(values["seeds"], where)) if tune else (),
        tuned=tuned,
    )


def _check_choices(tuned: Tuned, specs: Iterable[RunSpec], where: str) -> None:
    """Refuse runs of which the table does not state how their setting was chosen."""
    for spec in specs:
        if spec.profile != "tuned" or tuned.of(spec.noise, spec.method.name) is None:
            raise UserError(
                f"{where}, tuned: no choice for {spec.method.name!r}, {spec.noise}, profile"
                f" {spec.profile!r}; `nlbench tune` writes this table with its suite"
            )


def _alike(
    specs: Iterable[RunSpec], where: str, settings: Tune | Tuned | None
) -> Iterable[RunSpec]:
    """The runs of one part, as matched as declared; settings that are tried or chosen need not."""
    found = list(specs)
    if settings is None:
        refuse_unequal(found, where)
    return found


def _check_tuned(
    grid: Mapping[str, Any], parts: list[Any], profile: str | None, where: str
) -> None:
    """Refuse what settings cannot be chosen in."""
    dataset = grid.get("dataset", {})
    if parts != [{}]:
        raise UserError(f"{where}: a suite with a table tune has no parts")
    if (profile or grid.get("profile", "matched")) != "matched":
        raise UserError(f"{where}: settings are tried under profile 'matched' only")
    if not isinstance(dataset, dict) or not dataset.get("holdout") or "unknown" in dataset:
        raise UserError(
            f"{where}: tune needs held-out labels, holdout = 0.1 in the table dataset for example,"
            " and no unknown classes"
        )
