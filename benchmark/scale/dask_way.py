"""A dask scheduler: one process hands tasks out, checks the records that return and writes them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from nlbench.benchmark.executors.dask import bundle
from nlbench.benchmark.scale.events import PARKED, Clock, Process, Server, Step
from nlbench.benchmark.scale.lives import Worker
from nlbench.benchmark.scale.study import MadeUp
from nlbench.benchmark.scale.tally import Result, Tally
from nlbench.benchmark.store.claims import BEAT


@dataclass(frozen=True)
class DriverCosts:
    """Seconds of the process that drives.

    Attributes:
        task: to send one and hear its answer, the scheduler's part with it.
        claim: to claim a run.
        keep: to check a record, write it and let the claim go.
        beat: to renew a claim.
        most: runs that may be out at a time, for each is an open file.
    """

    task: float
    claim: float
    keep: float
    beat: float
    most: int

    def run(self, seconds: float) -> float:
        """For a run that is out for so long, however many there are in a task."""
        return self.claim + self.keep + self.beat * seconds / BEAT


def simulate(study: MadeUp, costs: DriverCosts) -> Result:
    """Train; what a worker had not returned is lost with it."""
    call = _Call(study, costs)
    for _ in range(study.workers):
        call.clock.start(call.work(Worker(study.life, call.draws)))
    call.clock.run()
    seconds = max(call.tally.ends)
    return Result(seconds, call.tally, driver=call.driver.busy / seconds)


class _Call:
    def __init__(self, study: MadeUp, costs: DriverCosts) -> None:
        self.study, self.costs = study, costs
        self.tally, self.draws = Tally(), study.draws()
        self.clock, self.driver = Clock(), Server()
        self.waiting = deque(range(len(study.seconds)))
        self.out = 0  # runs that workers have
        self.able = 0
        self.idle: list[Process] = []

    def work(self, me: Worker) -> Process:
        """The life of a worker."""
        now = yield 0.0
        now = yield from self._served(now, self.costs.task)  # asked what it has
        self.able += 1
        while self.waiting or self.out:
            if not (runs := self._next()):
                now = yield from self._idle()
                continue
            now = yield from self._served(now, self.costs.task + len(runs) * self.costs.claim)
            work = float(self.study.seconds[runs].sum())
            tried = me.attempt(now, work)
            now = yield now + tried.seconds
            if tried.done:
                beats = self.costs.beat * tried.seconds / BEAT
                now = yield from self._served(now, len(runs) * (self.costs.keep + beats))
                self._kept(runs, work, now)
            else:
                self.tally.lost += tried.seconds
                self._back(runs, now)
                self.able -= 1
                self.tally.away += me.life.away
                now = yield now + me.life.away
                now = yield from self._served(now, self.costs.task)
                self.able += 1
                me.begin(now)

    def _served(self, now: float, work: float) -> Step:
        """Wait until the driver has done this."""
        end = self.driver.serve(now, work)
        self.tally.waited += end - now
        return (yield end)

    def _next(self) -> list[int]:
        if not self.waiting or self.out >= self.costs.most:
            return []
        done = len(self.tally.ends)
        pace = self.tally.trained / done if done else None
        size = bundle(pace, len(self.waiting), max(1, self.able), self.costs.most)
        self.out += size
        return [self.waiting.popleft() for _ in range(size)]

    def _idle(self) -> Step:
        """Wait for runs of one that dies, or for the end."""
        assert self.clock.current is not None
        self.idle.append(self.clock.current)
        return (yield PARKED)

    def _kept(self, runs: Sequence[int], work: float, now: float) -> None:
        self.out -= len(runs)
        self.tally.trained += work
        self.tally.ends += [now] * len(runs)
        self._wake(now, len(self.idle) if not (self.out or self.waiting) else len(runs))

    def _back(self, runs: Sequence[int], now: float) -> None:
        self.out -= len(runs)
        self.waiting.extendleft(reversed(runs))
        self._wake(now, len(runs))

    def _wake(self, now: float, most: int) -> None:
        """Let so many that are idle look for runs again."""
        if self.waiting or not self.out:
            for process in self.idle[:most]:
                self.clock.wake(process, now)
            del self.idle[:most]
