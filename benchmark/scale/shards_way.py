"""Machines that share nothing: each has its part of the runs; then one collects the records."""

from __future__ import annotations

from nlbench.benchmark.scale.events import Clock, Process
from nlbench.benchmark.scale.lives import Worker
from nlbench.benchmark.scale.study import MadeUp
from nlbench.benchmark.scale.tally import Result, Tally


def simulate(study: MadeUp, record: float) -> Result:
    """Train; nobody helps who is late.

    Args:
        study: and who trains it.
        record: seconds that collecting one record takes.
    """
    tally, draws, clock = Tally(), study.draws(), Clock()
    for number in range(study.workers):
        part = study.seconds[number :: study.workers].tolist()
        clock.start(_work(part, Worker(study.life, draws), tally))
    collecting = record * len(study.seconds)
    clock.run()
    seconds = max(tally.ends) + collecting
    return Result(seconds, tally, driver=collecting / seconds)


def _work(part: list[float], me: Worker, tally: Tally) -> Process:
    now = yield 0.0
    for work in part:
        left = work
        while True:
            tried = me.attempt(now, left)
            now = yield now + tried.seconds
            tally.lost += tried.lost
            if tried.done:
                break
            left -= tried.kept
            tally.away += me.life.away
            now = yield now + me.life.away
            me.begin(now)
        tally.trained += work
        tally.ends.append(now)
