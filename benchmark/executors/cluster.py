"""A dask scheduler as this project uses it: its workers, a call to one, what it returns."""

from __future__ import annotations

import contextlib
import logging
import queue
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.executors.cluster_worker import TOPIC, call_elsewhere
from nlbench.benchmark.training import BackendError

if TYPE_CHECKING:
    from distributed import Client, Future

# Seconds that connecting, fetching an answer that is there, and closing may take.
CONNECT, FETCH, CLOSE = 20.0, 60.0, 5.0


class WorkerError(RuntimeError):
    """A worker could not answer."""


class Lost(UserError):
    """The connection to the scheduler is lost."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"dask scheduler {address}: the connection is lost; what is done is kept, the same"
            " command goes on"
        )


class Cluster:
    """A scheduler that this process is connected to.

    dask carries questions and answers. It is told which worker each is for, so that none that was
    not asked what it has trains anything.
    """

    def __init__(self, client: Client, address: str) -> None:
        self._client, self._address = client, address
        self._answers: queue.Queue[tuple[str, Future]] = queue.Queue()
        self._words: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        client.subscribe_topic(TOPIC, lambda event: self._words.put(event[1]))

    def there(self) -> set[str]:
        """Addresses of its workers (Lost)."""
        self._check()
        try:
            return set(self._client.scheduler_info(n_workers=-1)["workers"])
        except Exception as error:  # what dask raises is of many kinds
            raise Lost(self._address) from error

    def ask(self, worker: str, function: Callable[..., Any], *args: Any) -> Future:
        """Let a worker call a function."""
        call, sent = call_elsewhere(function, *args)
        future = self._client.submit(call, sent, workers=[worker], pure=False, retries=0)
        future.add_done_callback(partial(self._answered, worker))
        return future

    def answered(self, seconds: float) -> tuple[str, Future] | None:
        """The next answer and its worker; ``None`` if there is none in time (Lost)."""
        try:
            found = self._answers.get(timeout=seconds)
        except queue.Empty:
            found = None
        self._check()
        return found

    def last_words(self) -> Iterator[bytes]:
        """What workers have sent before they ended themselves, to whichever caller."""
        with contextlib.suppress(queue.Empty):
            while True:
                yield self._words.get_nowait()

    def result(self, future: Future) -> Any:
        """What a worker answered.

        Raises:
            WorkerError: the function raised an error, or the answer is lost with its worker.
            BackendError: the function raised it.
            Lost: the connection was lost meanwhile, even if there is one again.
        """
        if future.cancelled():
            raise Lost(self._address)
        try:
            return future.result(timeout=FETCH)
        except BackendError:
            raise
        except Exception as error:
            words = " ".join(str(error).split())
            raise WorkerError(f"{type(error).__name__}: {words}"[:300]) from error

    def forget(self, futures: Iterable[Future]) -> None:
        """Wait for these no longer: dask would keep them for workers that are gone."""
        if (left := list(futures)) and self._client.status == "running":
            self._client.cancel(left)

    def _answered(self, worker: str, future: Future) -> None:
        self._answers.put((worker, future))

    def _check(self) -> None:
        if self._client.status != "running":
            raise Lost(self._address)


@contextlib.contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """A scheduler (UserError: dask is not installed, or there is none)."""
    try:
        import distributed
    except ImportError as error:
        raise UserError(
            f"--scheduler {address}: dask is not installed; pip install 'nlbench[dask]' gets it"
        ) from error
    # What happens to the connection is said here in one line.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = distributed.Client(address, timeout=CONNECT, set_as_default=False, name="nlbench")
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"--scheduler {address}: no dask scheduler answers there ({reason}); `dask scheduler`"
            " starts one and prints its address, such as tcp://host:8786"
        ) from error
    try:
        yield Cluster(client, address)
    finally:
        with contextlib.suppress(Exception):  # the scheduler is gone
            client.close(timeout=CLOSE)
