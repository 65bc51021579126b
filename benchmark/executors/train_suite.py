"""Train what is missing of a suite, as ``nlbench run`` does."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

import torch

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.executors.dask import Dask
from nlbench.benchmark.executors.executor import CHECKPOINTS, Executor, Worker, digest, orders
from nlbench.benchmark.executors.options import ALL, Setup, TrainOptions
from nlbench.benchmark.executors.rehearse import check_backend, check_files, fetch, prepare
from nlbench.benchmark.executors.sharing import (
    AT_ONCE,
    others_words,
    own_part_first,
    tidy,
    turned,
    unsettled,
    wait_for_others,
)
from nlbench.benchmark.runs import backend_check, plan
from nlbench.benchmark.runs.context import Context
from nlbench.benchmark.runs.plan import Plan
from nlbench.benchmark.runs.progress import Progress, unheard
from nlbench.benchmark.selection import shard
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.outcomes import Outcome
from nlbench.benchmark.store.results import store_in
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.suites.suite import Suite
from nlbench.benchmark.training import create
from nlbench.benchmark.training.checkpoint import Checkpoints
from nlbench.benchmark.training.registry import AUTO

# A backend that trains several runs side by side gets PACK times as many in one pack, so that a
# slot goes on with the next run while the others are still training.
PACK = 4
Say = Callable[[str], None]


@dataclass(frozen=True)
class Trained:
    """State of a suite before and after it was trained.

    Attributes:
        before: what was done and to do.
        after: what is done and to do now.
        elsewhere: what others were training when this call ended, and did not wait for.
    """

    before: Plan
    after: Plan
    elsewhere: tuple[str, ...] = ()

    @property
    def counts(self) -> Counter[str]:
        """How many of the suite's runs have a record of which status."""
        return self.after.statuses

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The runs that raised an error."""
        return tuple(r for r in self.after.done.values() if r.status == "failed")

    @property
    def missing(self) -> tuple[RunSpec, ...]:
        """Runs without a record that counts."""
        return self.after.todo

    @property
    def not_repeated(self) -> int:
        """How many of the runs to repeat have their earlier record still."""
        replaced = self.before.replaced.items()
        return sum(self.after.done.get(run_id) == old for run_id, old in replaced)

    @property
    def complete(self) -> bool:
        """Whether every run has a record that can be read and none failed."""
        return not self.missing and not self.failed and not self.after.foreign


def train_suite(
    suite: Suite,
    results: Path,
    options: TrainOptions | None = None,
    stream: TextIO | None = None,
    log: Say = unheard,
) -> Trained:
    """Train every run of a suite that has no record; each run's is written as soon as it ends.

    Args:
        suite: as :func:`nlbench.benchmark.suites.suite.load` and :meth:`Suite.select` give it.
        results: folder whose ``runs/`` is the store of records; made if it is not there.
        options: how; the defaults are those of ``nlbench run``.
        stream: where notes and progress go; standard error if ``None``.
        log: is given every line of them, without the bar of a terminal.

    Raises:
        UserError, MethodError, NoiseError: what cannot be trained, before anything is; or a worker
            was killed or the store cannot be written: what is done is kept, the same call goes on.
    """
    options = options or TrainOptions()
    setup = options.resolve()
    # Absolute, for the workers may have another working directory.
    store = store_in(results.absolute(), create=True)
    prepared = prepare(suite, store, options, setup)
    out = stream or sys.stderr

    def say(line: str) -> None:
        log(line)
        print(line, file=out, flush=True)

    for note in prepared.notes:
        say(f"nlbench: {note}")
    before, elsewhere, left = prepared.plan, tuple[str, ...](), tuple[RunSpec, ...]()
    if not before.todo:
        with contextlib.suppress(OSError):  # a store that may only be read is as complete
            tidy(store)
    else:
        fetch(before.todo, options)
        plan.check(before.todo, options.data, setup.here)
        check_files(before.todo, setup, options.data)
        until = None if options.minutes is None else time.time() + 60 * options.minutes
        for specs, its in shares(before.todo, options, setup, say):
            context = _context(options, its, store, until)
            say(
                f"{suite.name}: {len(specs)} of {len(suite.specs)} runs to train on"
                f" {its.words} x {options.threads} thread(s), backend {its.choice.name}"
            )
            replaces = store.sweep(
                (s.run_id for s in specs if s.run_id in before.replaced), digest
            ).sound
            worker = Worker(store, context)
            part = set(shard(suite.specs, *options.begin))
            rest = _train(specs, part, replaces, worker, its.executor, options, out, log)
            left += rest
            elsewhere += others_words(worker.claims, rest)
    if options.begin != ALL:  # each of many callers would else read the records of all
        told = {*shard(suite.specs, *options.begin), *left}
        suite = replace(suite, specs=tuple(spec for spec in suite.specs if spec in told))
    after = plan.make(suite, store, keep_old=options.keep_old)
    return Trained(before, after, elsewhere)


def shares(
    specs: Sequence[RunSpec], options: TrainOptions, setup: Setup, say: Say
) -> list[tuple[Sequence[RunSpec], Setup]]:
    """The runs with the backend that trains them, in parts where ``auto`` was asked for on a GPU.

    What graph does not train is trained by the loop after the rest.

    Raises:
        UserError: the backend that was asked for does not train one of the methods.
    """
    # Workers of a cluster are not asked to prove a backend.
    asked = options.backend == AUTO and options.scheduler is None
    on_gpu = asked and setup.device.type == "cuda"
    if not on_gpu or plan.streamed(specs, options.data):
        check_backend(specs, setup)
        return [(specs, setup)]
    left = [spec for spec in specs if plan.refusal([spec], "graph")]
    reason = plan.refusal(left, "graph")
    whole = len(left) == len(specs)
    name = automatic(setup.device, setup.choice.strict, say, reason if whole else "")
    graph, loop = (replace(setup, choice=replace(setup.choice, name=n)) for n in (name, "loop"))
    if name == "loop" or not left:
        return [(specs, graph)]
    say(f"the loop trains {len(left)} of the {len(specs)} runs: {reason}, for example")
    recorded = [spec for spec in specs if spec not in set(left)]
    return [(recorded, graph), (left, loop)]


def automatic(device: torch.device, strict: bool, say: Say, reason: str = "") -> str:
    """The backend for a CUDA device: ``graph`` if it proves itself there and now, else ``loop``.

    Args:
        device: a CUDA device.
        strict: see :func:`nlbench.benchmark.runs.backend_check.graph_fails`.
        say: takes the line about it.
        reason: why graph is not even tried, in words; empty where it is.
    """
    reason = reason or backend_check.graph_fails(str(device), strict)
    say(
        f"backend graph is not used, loop trains: {reason} (--backend graph uses it nevertheless)"
        if reason
        else "backend graph leaves the loop's weights in float64 on this device: it trains"
    )
    return "loop" if reason else "graph"


def _context(options: TrainOptions, setup: Setup, store: Store, until: float | None) -> Context:
    """What the workers are sent; ``until``: when they take no further run."""
    minutes = options.checkpoint
    return Context(
        root=None if options.data is None else options.data.absolute(),
        device=str(setup.device) if options.gpus is None else "cuda:0",
        threads=options.threads,
        choice=setup.choice,
        until=until,
        stop=options.stop,
        loaders=setup.loaders,
        ahead=setup.device.type == "cuda",
        checkpoints=None if minutes is None else Checkpoints(store.root / CHECKPOINTS, minutes),
        run_timeout=options.run_timeout,
    )


def _train(
    specs: Sequence[RunSpec],
    part: Collection[RunSpec],
    replaces: Mapping[str, str],
    worker: Worker,
    executor: Executor,
    options: TrainOptions,
    out: TextIO,
    log: Say,
) -> tuple[RunSpec, ...]:
    """Train; what is left then."""
    store, context = worker.store, worker.context
    slots = create(context.choice).slots
    size = 1 if slots == 1 else PACK * slots
    left = tuple(specs)

    def train(mine: Sequence[RunSpec], progress: Progress) -> tuple[RunSpec, ...]:
        """Train these; what is left of all then."""
        if isinstance(executor, Dask):
            replace(executor, say=progress.say).run(worker, orders(mine, size, replaces))
        else:
            executor.run(worker, orders(mine, size, replaces))
        return unsettled(store, left, replaces)

    try:
        tidy(store)
        mine = left
        if options.begin != ALL:

            def alone(mine: Sequence[RunSpec]) -> tuple[RunSpec, ...]:
                with Progress(store, mine, out, log) as progress:
                    return train(mine, progress)

            left = own_part_first(worker, left, part, options.begin, alone)
            mine = turned(left, options.begin)[:AT_ONCE]  # who has them may be dead
        with Progress(store, left if options.wait else mine, out, log) as progress:
            while left:
                left = mine = train(mine, progress)
                if not options.wait or context.late:
                    break
                left = mine = wait_for_others(store, left, replaces, context, progress.say)
        return left
    except UserError:  # its message states what is to be done
        raise
    except OSError as error:
        raise UserError(
            f"store {store.root}: cannot be written ({error.strerror or error}); what is done is"
            " kept, the same command goes on"
        ) from error
    except Exception as error:  # joblib's own, e.g. a worker was killed
        raise UserError(
            f"a worker died ({type(error).__name__}: {str(error).splitlines()[0]}); what is done is"
            " kept, the same command goes on; with fewer --workers it needs less memory"
        ) from error
