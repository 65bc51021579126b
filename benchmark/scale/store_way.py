"""A store that all share: each worker claims runs of its own part, then helps the others.

As ``nlbench run --begin I/N --no-wait`` in each task of an array job does it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from nlbench.benchmark.executors.sharing import AT_ONCE, LISTED
from nlbench.benchmark.runs.progress import until_next
from nlbench.benchmark.scale.events import Clock, Process, Server, Step
from nlbench.benchmark.scale.lives import Worker
from nlbench.benchmark.scale.parts import Parts, Run
from nlbench.benchmark.scale.study import MadeUp
from nlbench.benchmark.scale.tally import Result, Tally
from nlbench.benchmark.store.claims import BEAT, STALE

FOLDERS = 256  # of records in a store


@dataclass(frozen=True)
class FileServer:
    """What is assumed of it.

    Attributes:
        rate: operations a second that it bears.
        latency: seconds on the way there and back, without waiting.
    """

    rate: float = 20_000.0
    latency: float = 0.001


@dataclass(frozen=True)
class Visits:
    """Operations of the file server.

    Attributes:
        start: of a call that begins, where there are no records.
        folders: to list all folders of records, however many are in them.
        name: to list one more record, or claim.
        read: to read a record that the index does not know.
        claim: to claim a run that is free.
        done: to find that a run is done.
        taken: to find that another has a run.
        record: to write a record and let the claim go.
        checkpoint: to write one.
        beat: to renew a claim.
        look: at how far a part of ten runs is.
    """

    start: float
    folders: float
    name: float
    read: float
    claim: float
    done: float
    taken: float
    record: float
    checkpoint: float
    beat: float
    look: float

    def run(self, seconds: float, checkpoint: float) -> float:
        """Of a run that takes so long, where nothing comes between; see also :meth:`beside`."""
        return self.claim + self.record + self.checkpoint * (seconds // checkpoint)

    def beside(self, workers: int, server: FileServer) -> float:
        """Of one of so many in a second, beside its runs: renewals, and looks how far all is."""
        look = self.look + self.name * workers
        took = look * server.latency
        return self.beat / BEAT + look / (took + until_next(took, workers))


def simulate(study: MadeUp, visits: Visits, server: FileServer) -> Result:
    """Train, each worker until nothing is left that no other has."""
    call = _Call(study, visits, server)
    for number in range(study.workers):
        call.clock.start(call.work(number, Worker(study.life, call.draws)))
    over = call.clock.run()
    return Result(max(call.tally.ends), call.tally, server=call.server.busy / over)


class _Call:
    def __init__(self, study: MadeUp, visits: Visits, assumed: FileServer) -> None:
        self.study, self.visits, self.assumed = study, visits, assumed
        self.tally, self.draws = Tally(), study.draws()
        self.clock, self.server = Clock(), Server()
        self.parts = Parts(study.seconds, study.workers)
        self.begun: dict[int, tuple[Run, float]] = {}  # by workers that died without notice
        self.indexed = 0  # records that the index knows
        self.beside = visits.beside(study.workers, assumed)

    def work(self, number: int, me: Worker) -> Process:
        """The life of a worker: calls, one after the other, until one finds nothing to do."""
        now = yield 0.0
        while True:
            now = yield from self._visit(now, self._opening())
            self.indexed = len(self.tally.ends)
            if (begun := self.begun.pop(number, None)) is not None:
                run, since = begun
                now = yield max(now, since)
                now = yield from self._visit(now, self.visits.taken + self.visits.claim)
                now = yield from self._train(now, run, number, me)
            while self.parts.has(number) and not me.gone(now):
                now = yield from self._visit(now, self.visits.claim)
                if self.parts.has(number):  # no helper was faster
                    now = yield from self._train(now, self.parts.take(number), number, me)
            if not me.gone(now):
                now = yield from self._help(now, number, me)
            if not me.gone(now):
                yield from self._visit(now, self._closing())
                return
            self.tally.away += me.life.away
            now = yield now + me.life.away
            me.begin(now)

    def _help(self, now: float, number: int, me: Worker) -> Step:
        """Train what nobody has, some runs at a time."""
        now = yield from self._visit(now, self._unsettled())
        while (listed := self.parts.free) and not me.gone(now):
            now = yield from self._visit(now, self.visits.name * self.out)
            now = yield from self._some(now, listed, number, me)
            now = yield from self._visit(now, self._unsettled())
        return (yield from self._visit(now, min(self.out, AT_ONCE) * self.visits.taken))

    def _some(self, now: float, listed: int, number: int, me: Worker) -> Step:
        """Reach for some of those that were free when they were listed, each by chance."""
        left = AT_ONCE
        while left > 0 and self.parts.free and not me.gone(now):
            misses = int(self.draws.geometric(min(1.0, self.parts.free / listed))) - 1
            reached = min(misses, left)
            now = yield from self._visit(now, reached * self.visits.taken + self.visits.claim)
            left -= misses + 1
            if left >= 0 and self.parts.free:
                run = self.parts.take(self.parts.any(self.draws))
                now = yield from self._train(now, run, number, me)
        return now

    def _train(self, now: float, run: Run, number: int, me: Worker) -> Step:
        """A run, until it is done or the worker gone."""
        tried = me.attempt(now, run.left)
        now = yield now + tried.seconds
        # A thread of its own renews the claim, another looks how far the runs are.
        self.server.serve(now, tried.seconds * self.beside / self.assumed.rate)
        self.tally.lost += tried.lost
        if not tried.done:
            rest = replace(run, left=run.left - tried.kept)
            if tried.noticed:
                self.parts.back(rest)
            else:  # its claim seems alive for a while
                self.begun[number] = rest, now + STALE
            return now
        checkpoints = self.visits.checkpoint * (tried.seconds // me.life.checkpoint)
        now = yield from self._visit(now, checkpoints + self.visits.record)
        self.tally.trained += run.whole
        self.tally.ends.append(now)
        return now

    @property
    def out(self) -> int:
        """Runs that workers have."""
        return len(self.study.seconds) - self.parts.free - len(self.tally.ends)

    def _opening(self) -> float:
        """What a call costs before it trains: the plan reads what is new since the index was."""
        new = len(self.tally.ends) - self.indexed
        claims = self.visits.name * self.out
        return self.visits.start + self._listing() + claims + self.visits.read * new

    def _closing(self) -> float:
        """What it costs after that: how its own part ended."""
        own = len(self.study.seconds) / self.study.workers
        return (self.visits.folders / FOLDERS + self.visits.read) * own

    def _unsettled(self) -> float:
        """To see which of all runs have a record."""
        left = len(self.study.seconds) - len(self.tally.ends)
        return self._listing() if left > LISTED else self.visits.done * left

    def _listing(self) -> float:
        """To list records."""
        there = len(self.tally.ends)
        folders = self.visits.folders * -math.expm1(-there / FOLDERS)  # those that have a record
        return folders + self.visits.name * there

    def _visit(self, now: float, operations: float) -> Step:
        """Wait until the file server has done these, one after the other."""
        end = self.server.serve(now, operations / self.assumed.rate)
        end += operations * self.assumed.latency
        self.tally.waited += end - now
        return (yield end)
