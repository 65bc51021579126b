"""``nlbench.run``: train what is missing of a suite."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict, Unpack

import pandas as pd

from nlbench.api.load import table, warn
from nlbench.api.suites import Named, Seeds, Words, part_of, suite_of
from nlbench.benchmark import published, selection
from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.executors.options import TrainOptions
from nlbench.benchmark.executors.train_suite import Trained, train_suite
from nlbench.benchmark.store.results import store_in
from nlbench.benchmark.suites.suite import Suite
from nlbench.reports.text import listing, plural
from nlbench.reports.write import write_report
from nlbench.studies import Found, check_report, from_store

# Smallest value of the options that are numbers; the first ones are whole.
WHOLE = {"workers": 1, "threads": 1, "loaders": 0, "slots": 1}
AMOUNTS = {"minutes": 0, "checkpoint": 0, "run_timeout": 0, "worker_wait": 0}


class Options(TypedDict, total=False):
    """How to train, see :class:`nlbench.benchmark.executors.options.TrainOptions`.

    ``force`` may be ``True`` (all that are selected) or methods.
    """

    data: str | Path | None
    download: bool
    device: str
    gpus: int | str | None
    workers: int | None
    threads: int
    executor: str
    scheduler: str | None
    worker_wait: float | None
    loaders: int | None
    backend: str
    slots: int | None
    mode: str
    compiled: bool
    minutes: float | None
    stop: str | Path | None
    checkpoint: float | None
    run_timeout: float | None
    begin: tuple[int, int]
    wait: bool
    retry: bool
    force: bool | str | Iterable[str] | None
    keep_old: bool


@dataclass(frozen=True, eq=False, repr=False)
class Ran:
    """A suite after ``run``.

    Attributes:
        suite: what was wanted.
        results: folder of the records.
        trained: state before and after.
    """

    suite: Suite
    results: Path
    trained: Trained

    @cached_property
    def frame(self) -> pd.DataFrame:
        """A row per run, as ``nlbench.load`` gives them; for ``nlbench.compare``."""
        return table(self._found())

    @property
    def complete(self) -> bool:
        """Whether every run has a sound record and none failed."""
        return self.trained.complete

    @property
    def failed(self) -> tuple[str, ...]:
        """A line for each run that raised an error."""
        return tuple(f"{run.spec}: {run.facts.message}" for run in self.trained.failed)

    def report(self, out: str | Path | None = None, only: str | None = None) -> Path:
        """Write the report that ``nlbench report`` writes; return its folder.

        Args:
            out: folder, made if it is not there; by default in ``results/reports/``.
            only: ``leaderboard`` (CSV files), ``tables`` (Markdown, LaTeX) or ``figures``.

        Raises:
            UserError, ReportError: both are a ValueError.
        """
        found = self._found()
        folder = self.results / "reports" / found.place if out is None else Path(out)
        published.check_outside(self.results, folder)
        write_report(found.study, found.intake, folder, only=only)
        return folder

    def _found(self) -> Found:
        return from_store(self.suite, self.suite, store_in(self.results), warn)

    def __repr__(self) -> str:
        after, before = self.trained.after, {s.run_id for s in self.trained.before.todo}
        counts = [f"{count} {status}" for status, count in sorted(self.trained.counts.items())]
        done = f"{len(after.done)} of {plural(len(self.suite.specs), 'run')} done"
        new = len(before & set(after.done))
        return f"<Ran {self.suite.name}: {done} ({listing(counts)}), {new} of them now>"


def run(
    suite: Named,
    *,
    results: str | Path = "results",
    methods: Words = (),
    noise: Words = (),
    seeds: Seeds = (),
    profile: str | None = None,
    quiet: bool = False,
    **options: Unpack[Options],
) -> Ran:
    """Train what is missing of a suite, as ``nlbench run`` does; it can be stopped and repeated.

    >>> import nlbench
    >>> mine = {
    ...     "name": "mine",
    ...     "methods": ["ce", {"name": "gce", "q": 0.7}],
    ...     "noise": ["symmetric:0.4"],
    ...     "seeds": 2,
    ...     "dataset": {"name": "digits", "train_per_class": 20},
    ...     "model": "mlp",
    ...     "recipe": {"epochs": 2, "lr": 0.05},
    ... }
    >>> nlbench.run(mine, workers=1, device="cpu", quiet=True)
    <Ran mine: 4 of 4 runs done (4 ok), 4 of them now>
    >>> nlbench.run(mine, workers=1, device="cpu", quiet=True).frame.shape[0]
    4

    Args:
        suite: name, path of a TOML file, or a dictionary with what such a file holds (and its
            ``name``); lists may be tuples, ranges, arrays or Series.
        results: folder of the records, made if it is not there.
        methods: only these, by name or as tables call them.
        noise: only these noise lines.
        seeds: only these.
        profile: ``matched`` or ``official`` instead of the suite's own.
        quiet: print no progress.
        options: how, by the names of ``nlbench run``: ``device="cuda"``, ``workers=2``,
            ``data="folder"``, ``minutes=30``, ``retry=True``, ``force="gce"`` ...

    Returns:
        The state of the suite: ``frame`` for ``nlbench.compare``, ``report()`` for files.

    Raises:
        UserError, MethodError, NoiseError, ReportError: each is a ValueError; the line names what
            cannot be trained, before anything is.

    Warns:
        UserWarning: runs failed; the reasons are in their records.
    """
    chosen = part_of(suite_of(suite, profile), methods, noise, seeds)
    check_report(chosen)
    asked, folder = train_options(options), Path(results)
    trained = train_suite(chosen, folder, asked, io.StringIO() if quiet else None)
    ran = Ran(chosen, folder, trained)
    if ran.failed:
        count = plural(len(ran.failed), "run")
        warnings.warn(f"{count} failed, the first one: {ran.failed[0]}", stacklevel=2)
    return ran


def train_options(given: Mapping[str, Any]) -> TrainOptions:
    """The options that Python gives, as the engine has them.

    Raises:
        UserError: an unknown name, or a value that is none.
    """
    known = [field.name for field in fields(TrainOptions)]
    for name in given:
        if name not in known:
            raise unknown("option", name, known, "nlbench.run")
    values = {name: _value(name, value) for name, value in given.items()}
    if values.get("run_timeout") is not None:
        # What hangs is ended with its process, which must not be the user's own.
        values.setdefault("executor", "multiprocessing")
    return TrainOptions(**values)


def _value(name: str, value: Any) -> Any:
    if name == "force":
        return _forced(value)
    if name == "begin":
        return _part(value)
    if value is None:
        return None
    if name in ("data", "stop"):
        return Path(value)
    if name == "gpus":
        return str(value)
    if name in WHOLE | AMOUNTS:
        _check_number(name, value)
    elif isinstance(default := getattr(TrainOptions, name), bool | str):
        _check_type(name, value, type(default))
    return value


def _forced(value: Any) -> tuple[str, ...] | None:
    """The methods to repeat; empty is all of them, ``None`` is none."""
    if value is None or isinstance(value, bool):
        return () if value else None
    found = selection.split(value) if isinstance(value, str) else list(value)
    if not found:
        raise UserError(f"force = {value!r} names no method; True is all of them")
    return tuple(found)


def _part(value: Any) -> tuple[int, int]:
    """The I-th of N parts, counted from 1."""
    pair = list(value) if isinstance(value, tuple | list) else []
    if [type(number) for number in pair] != [int, int] or not 1 <= pair[0] <= pair[1]:
        raise UserError(f"begin = {value!r} should be two whole numbers, the 3rd of 16: (3, 16)")
    return pair[0], pair[1]


def _check_number(name: str, value: Any) -> None:
    least, whole = {**AMOUNTS, **WHOLE}[name], name in WHOLE
    is_number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not is_number or not least <= value < math.inf:
        kind = "a whole number" if whole else "a number"
        raise UserError(f"{name} = {value!r} should be {kind} from {least} on")


def _check_type(name: str, value: Any, kind: type) -> None:
    if not isinstance(value, kind):
        right = "True or False" if kind is bool else "a text"
        raise UserError(f"{name} = {value!r} should be {right}")
