"""Executor of a cluster with dask: its workers return records, this process writes them.

Each worker is asked what it has before it trains anything, and gets one task at a time from here;
dask carries tasks and answers, and lists its workers. So a worker that comes late is asked and
joins, one that goes leaves its runs to the others, and how often that may happen to a run is ours
to count.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.executors import cluster_worker
from nlbench.benchmark.executors.cluster import Cluster, WorkerError, connected
from nlbench.benchmark.executors.cluster_worker import Need
from nlbench.benchmark.executors.executor import Order, Pack, Runs, Worker, order_of
from nlbench.benchmark.machine.open_files import most_open_files
from nlbench.benchmark.store.claims import Held
from nlbench.benchmark.store.index import facts_of
from nlbench.benchmark.store.record import DamagedRecord
from nlbench.benchmark.store.verified import verified

if TYPE_CHECKING:
    from distributed import Future

# Seconds of work in a task at least, and what sending one and its answer takes of this process and
# the scheduler. With many workers tasks are so long that this is the share BUSY of a processor.
TASK, SEND, BUSY = 5.0, 0.017, 0.5
SPARE = 200  # open files of this process for all else
# Seconds between two looks at who is there; where one takes long, the share of the time for it.
LOOK, SHARE = 1.0, 0.05
# Seconds without any worker after which a call ends.
PATIENCE = 60.0
# Workers that may die of a run, or fail with it, before it is given up.
LIVES = 3
SHOWN = 3  # runs in a message
KEPT = "what is done is kept, the same command goes on"


@dataclass(frozen=True)
class Dask:
    """The workers of a scheduler.

    Attributes:
        address: of the scheduler.
        download: whether workers may fetch data sets.
        patience: seconds to go on without any worker.
        say: takes a line about the workers.
    """

    address: str
    download: bool = True
    patience: float = PATIENCE
    say: Callable[[str], None] = field(default=lambda _line: None, compare=False)

    def check(self) -> None:
        """Refuse an address at which no scheduler answers, or without dask (UserError)."""
        with connected(self.address):
            pass

    def run(self, work: Worker, packs: Sequence[Runs]) -> None:
        """See :class:`Executor`.

        Raises:
            UserError: no scheduler or no worker that can train, or it was lost, or runs that took
                several workers with them; records that came are written.
            BackendError: the backend does not work on a worker.
        """
        orders = [order_of(runs) for runs in packs]
        need = Need.of([s for order in orders for s in order.pack], work.context, self.download)
        with connected(self.address) as cluster, Held(work.claims) as held:
            _Call(self, cluster, work, held, orders, need).run()


def bundle(pace: float | None, waiting: int, workers: int, most: int) -> int:
    """How many orders a task has: some time of work, or a share of what is left.

    Args:
        pace: seconds of work in an order; ``None``: not known yet.
        waiting: orders that nobody has, with the one that is given in any case.
        workers: who share them.
        most: orders that all workers may have at a time.
    """
    if pace is None:
        return 1
    seconds = max(TASK, workers * SEND / BUSY)
    share = min(waiting // (2 * workers), most // workers)
    return max(1, min(int(seconds / max(pace, 1e-9)), share))


@dataclass
class _Task:
    """What a worker was given: runs by the number of their order."""

    future: Future
    packs: dict[int, Pack]

    @property
    def run_ids(self) -> dict[str, int]:
        """Its runs, and the order of each."""
        return {spec.run_id: number for number, pack in self.packs.items() for spec in pack}


class _Call:
    """One call of :meth:`Dask.run`."""

    def __init__(
        self,
        how: Dask,
        cluster: Cluster,
        work: Worker,
        held: Held,
        orders: Sequence[Order],
        need: Need,
    ) -> None:
        self.how, self.cluster, self.work, self.held = how, cluster, work, held
        self.orders, self.need = orders, need
        self.here = cluster_worker.facts(need)
        self.waiting = deque(range(len(orders)))
        self.failures: Counter[int] = Counter()
        self.given_up: dict[int, str] = {}
        # Workers by address: being asked, able to train (and its task), unable (and why).
        self.asked: dict[str, Future] = {}
        self.able: dict[str, _Task | None] = {}
        self.unable: dict[str, str] = {}
        self.look_at = self.alone_since = 0.0
        self.alone = False
        self.seconds, self.done = 0.0, 0
        # Each run that is out has an open file, its claim.
        self.largest = max((len(order.pack) for order in orders), default=1)
        self.most = max(self.largest, most_open_files() - SPARE)

    def run(self) -> None:
        """Until every order is done, left to others or given up."""
        self.alone_since = time.monotonic()
        try:
            while self.waiting or any(self.able.values()):
                self._look()
                self._hand_out()
                if found := self.cluster.answered(LOOK):
                    self._hear(*found)
        finally:
            trained = [task.future for task in self.able.values() if task]
            self.cluster.forget([*self.asked.values(), *trained])
        if self.given_up:
            raise UserError(self._given_up_words())

    # --- who is there ---

    def _look(self) -> None:
        """Who has come and who has gone."""
        now = time.monotonic()
        if now < self.look_at:
            return
        for text in self.cluster.last_words():
            self._keep_last(text)
        there = self.cluster.there()
        for address in {*self.asked, *self.able, *self.unable} - there:
            self._gone(address)
        for address in sorted(there - {*self.asked, *self.able, *self.unable}):
            self.asked[address] = self.cluster.ask(address, cluster_worker.facts, self.need)
        self._check_alone(now)
        self.look_at = now + max(LOOK, (time.monotonic() - now) / SHARE)

    def _check_alone(self, now: float) -> None:
        """End where no worker comes, or none of them can train."""
        if self.asked or self.able:
            self.alone = False
            return
        if self.unable:
            raise UserError(
                f"no worker of dask scheduler {self.how.address} can train this: "
                + "; ".join(f"{who}: {why}" for who, why in sorted(self.unable.items()))
            )
        if not self.alone:
            self.alone, self.alone_since = True, now
            self.how.say(
                f"dask scheduler {self.how.address} has no worker: waiting"
                f" {self.how.patience:g} s for one (`dask worker {self.how.address}` starts it)"
            )
        elif now - self.alone_since > self.how.patience:
            raise UserError(
                f"dask scheduler {self.how.address}: no worker for {self.how.patience:g} s; {KEPT}"
            )

    def _gone(self, address: str) -> None:
        self.unable.pop(address, None)
        if asked := self.asked.pop(address, None):
            self.cluster.forget([asked])
        if address not in self.able:
            return
        task = self.able.pop(address)
        left = f"dask worker {address} is gone, {len(self.able)} left"
        if task is None:
            self.how.say(left)
            return
        self.how.say(f"{left}; its {len(task.run_ids)} runs are for others")
        self.cluster.forget([task.future])
        self._back(task, f"its worker {address} died")

    def _admit(self, address: str, future: Future) -> None:
        """Let a worker train, or report why it cannot."""
        del self.asked[address]
        try:
            why = cluster_worker.usable(self.cluster.result(future), self.here)
        except WorkerError as error:  # it has no nlbench, for example
            why = f"its check failed ({error})"
        if why:
            self._leave_out(address, why)
        else:
            self.able[address] = None
            self.how.say(f"dask worker {address} trains, {len(self.able)} in all")

    def _leave_out(self, address: str, why: str) -> None:
        self.unable[address] = why
        self.how.say(f"dask worker {address} is left out: {why}")
        self.look_at = 0.0  # it may have been the last

    # --- work ---

    def _hand_out(self) -> None:
        """Give each worker that has nothing to do a task."""
        if self.work.context.late:
            self.waiting.clear()
        for address in [who for who, task in self.able.items() if task is None]:
            packs: dict[int, Pack] = {}
            # What others have is skipped.
            while self.waiting and not packs and len(self.held) <= self.most - self.largest:
                packs = self._next()
            if packs:
                future = self.cluster.ask(
                    address, cluster_worker.trained, tuple(packs.values()), self.work.context
                )
                self.able[address] = _Task(future, packs)

    def _next(self) -> dict[int, Pack]:
        """The runs of the next task, claimed; empty if others have them."""
        numbers = [self.waiting.popleft()]
        if not self.failures[numbers[0]]:  # which of several runs kills is to be seen
            most = self.most // self.largest
            size = bundle(self._pace(), len(self.waiting) + 1, len(self.able), most)
            numbers += [self.waiting.popleft() for _ in range(size - 1)]
        taken = {i: self.work.take(self.orders[i], self.held) for i in numbers}
        return {number: pack for number, pack in taken.items() if pack}

    def _pace(self) -> float | None:
        return self.seconds / self.done if self.done else None

    def _hear(self, address: str, future: Future) -> None:
        """Take an answer; those of workers that are gone are late, and dropped."""
        if self.asked.get(address) is future:
            self._admit(address, future)
            return
        task = self.able.get(address)
        if task is None or task.future is not future:
            return
        self.able[address] = None
        try:
            self._keep(task, self.cluster.result(future))
        except (WorkerError, DamagedRecord) as error:
            # No run's fault, for that would be in its record; a worker that fails at once would
            # get every run.
            del self.able[address]
            self._leave_out(address, f"a task failed ({error})")
            self._back(task, f"on {address}: {error}")

    def _keep(self, task: _Task, texts: Iterable[bytes]) -> None:
        """Write the records of a task."""
        expected = task.run_ids
        for text in texts:
            record = verified(text)
            if record.run_id not in expected:
                raise DamagedRecord(f"it returned run {record.run_id}, which it was not given")
            self.work.write(record)
            self.held.release([record.run_id])
            # As the worker counted: the answer may have waited here.
            seconds, known = facts_of(record)
            self.seconds += seconds / known.slots
        self.held.release(expected)  # what it did not begin, for the time was over
        self.done += len(task.packs)

    def _keep_last(self, text: bytes) -> None:
        """Write the record of a run that hangs, if a worker has it from here."""
        try:
            record = verified(text)
        except (DamagedRecord, UserError):  # of another caller, with another version
            return
        if any(task and record.run_id in task.run_ids for task in self.able.values()):
            self.work.write(record)

    def _back(self, task: _Task, why: str) -> None:
        """Let others try; what was written in the meantime is found done by then."""
        self.held.release(task.run_ids)
        for number in sorted(task.packs, reverse=True):
            self.failures[number] += 1
            if self.failures[number] < LIVES:
                self.waiting.appendleft(number)
            else:
                self.given_up[number] = why

    def _given_up_words(self) -> str:
        shown = [
            f"{self.orders[number].pack[0]} ({why})"
            for number, why in itertools.islice(self.given_up.items(), SHOWN)
        ]
        more = len(self.given_up) - len(shown)
        return (
            f"given up after {LIVES} tries on workers: {'; '.join(shown)}"
            + (f" and {more} more" if more else "")
            + f"; {KEPT}"
        )
