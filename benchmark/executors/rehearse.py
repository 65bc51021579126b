"""What training a suite would come to: what is to do, who does it, and whether it can be done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlbench.benchmark import datasets
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.executors.dask import Dask
from nlbench.benchmark.executors.options import Setup, TrainOptions
from nlbench.benchmark.runs import plan
from nlbench.benchmark.runs.plan import Plan
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.speed import precision
from nlbench.benchmark.store.results import check_writable, store_in
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.suites.suite import Suite
from nlbench.benchmark.training import LoopBackend


@dataclass(frozen=True)
class Prepared:
    """A suite before any of it is trained.

    Attributes:
        suite: what is wanted.
        options: how.
        setup: what the options come to here.
        plan: what is done and what is to do.
    """

    suite: Suite
    options: TrainOptions
    setup: Setup
    plan: Plan

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know beforehand: records that do not count, and why; slow arithmetic."""
        lines = [f"damaged record: {line}; it will be run again" for line in self.plan.damaged]
        lines += [
            f"left alone, neither run nor counted: {line}" for line in self.plan.foreign.values()
        ]
        then = "kept" if self.options.keep_old else "run again (--keep-old keeps them)"
        lines += [f"{line}: {then}" for line in plan.outdated_lines(self.plan)]
        if self.plan.note:
            lines.append(f"the next call reads all records again: {self.plan.note}")
        todo, device = self.plan.todo, self.setup.device
        slow = (
            precision.bf16_elsewhere(todo, device)
            if self.options.scheduler
            else precision.slow_bf16(todo, device, self.options.threads)
        )
        return (*lines, f"warning: {slow}") if slow else tuple(lines)

    @property
    def seconds(self) -> float | None:
        """How long the rest takes at the pace of the runs already done; ``None`` without any."""
        # Runs trained side by side each took the time of all of them.
        done = [
            outcome.seconds / outcome.facts.slots
            for outcome in self.plan.done.values()
            if outcome.status == "ok"
        ]
        if not done or not self.plan.todo:
            return None
        mean: float = sum(done) / len(done)
        return mean * len(self.plan.todo) / self.setup.workers

    def rehearse(self) -> list[str]:
        """Refuse what the training would refuse, but download and train nothing.

        Returns:
            A line for each thing that only the training can check.

        Raises:
            UserError, noise.NoiseError: see :func:`plan.check`; or a data set is not there
                and may not be downloaded; or no scheduler answers.
        """
        specs, root = self.plan.todo, self.options.data
        absent = set()
        for name in _data_sets(specs):
            try:
                datasets.find(name, root, download=False)
            except datasets.NotDownloadedError:
                if not self.options.download:
                    raise
                absent.add(name)
        here = [spec for spec in specs if absent.isdisjoint(spec.dataset.names)]
        left = plan.check(here, root, self.setup.here, train=False)
        check_backend(specs, self.setup)
        check_files(here, self.setup, root)
        asked = []
        if isinstance(self.setup.executor, Dask):
            self.setup.executor.check()
            asked = ["whether the scheduler's workers can train this: the run asks each of them"]
        return [
            *asked,
            *(f"data set {n!r} is not there yet: the run downloads it" for n in sorted(absent)),
            *(f"noise {line!r} is drawn by the run: it trains a network first" for line in left),
        ]


def prepare(suite: Suite, store: Store | None, options: TrainOptions, setup: Setup) -> Prepared:
    """Compare a suite with a store; sets damaged records aside.

    Raises:
        UserError, MethodError: a method to be repeated that the suite does not have, or one whose
            source cannot be read.
    """
    return Prepared(suite, options, setup, _plan(suite, store, options))


def _plan(suite: Suite, store: Store | None, options: TrainOptions) -> Plan:
    force = _forced(suite, options.force)
    return plan.make(suite, store, options.retry, options.keep_old, force)


def rehearse_suite(suite: Suite, results: Path, options: TrainOptions | None = None) -> Prepared:
    """What :func:`train_suite` would do; where there is no store, none is made.

    Raises:
        UserError, MethodError: as of :func:`train_suite`, before anything is drawn or built.
    """
    options = options or TrainOptions()
    setup = options.resolve()
    prepared = prepare(suite, _store_if_any(results), options, setup)
    if prepared.plan.todo:
        check_writable(results)
    return prepared


def missing(suite: Suite, results: Path, options: TrainOptions) -> tuple[RunSpec, ...]:
    """The runs to train, which may be on another machine: of this one nothing is asked."""
    return _plan(suite, _store_if_any(results), options).todo


def _store_if_any(results: Path) -> Store | None:
    return store_in(results, create=True) if (results / "runs").exists() else None


def fetch(specs: Sequence[RunSpec], options: TrainOptions) -> None:
    """Have every data set on disk (UserError: one is not to be had)."""
    for name in _data_sets(specs):
        datasets.find(name, options.data, options.download)


def check_backend(specs: Sequence[RunSpec], setup: Setup) -> None:
    """Refuse a backend that does not train all of these runs' methods (UserError)."""
    if reason := plan.refusal(specs, setup.choice.name):
        raise UserError(reason)


def check_files(specs: Sequence[RunSpec], setup: Setup, root: Path | None) -> None:
    """Refuse images that stay in files where the backend needs them in memory (UserError)."""
    if setup.choice.name != LoopBackend.name and plan.streamed(specs, root):
        raise UserError(
            f"--backend {setup.choice.name} trains on images in memory, and a data set of this"
            " suite is read from files: --backend loop trains on those"
        )


def _forced(suite: Suite, methods: tuple[str, ...] | None) -> frozenset[str]:
    """Run ids of what is repeated whatever is there."""
    if methods is None:
        return frozenset()
    chosen = suite.select(methods) if methods else suite
    return frozenset(spec.run_id for spec in chosen.specs)


def _data_sets(specs: Sequence[RunSpec]) -> Iterator[str]:
    return iter(dict.fromkeys(name for spec in specs for name in spec.dataset.names))
