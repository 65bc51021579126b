"""Runs on the workers of a dask scheduler: real processes on loopback, some of which are killed."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.executors import cluster_worker, dask, registry
from nlbench.benchmark.executors.cluster import Cluster as Connected
from nlbench.benchmark.executors.cluster import WorkerError
from nlbench.benchmark.executors.cluster_worker import Need, call_elsewhere
from nlbench.benchmark.executors.dask import Dask
from nlbench.benchmark.executors.executor import Worker
from nlbench.benchmark.executors.options import TrainOptions
from nlbench.benchmark.executors.rehearse import rehearse_suite
from nlbench.benchmark.executors.train_suite import Trained, train_suite
from nlbench.benchmark.reliability import study as small
from nlbench.benchmark.reliability.writers import left_behind
from nlbench.benchmark.store.claims import Claim, Held
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.suites import suite as suites
from nlbench.benchmark.suites.suite import Suite
from nlbench.cli import main
from tests.helpers.dask_cluster import REPOSITORY, Cluster
from tests.helpers.runs import HERE, tiny

real = pytest.mark.skipif(find_spec("distributed") is None, reason="nlbench[dask] is not there")
NOISE = ("clean", "symmetric:0.4")
BOUND = 240  # seconds


def study(seeds: int = 2, epochs: int = 2) -> Suite:
    return suites.parse(small.study(noise=NOISE, seeds=seeds, epochs=epochs), "study", "study.toml")


class Caller:
    """A call of train_suite in a thread, and what it said."""

    def __init__(
        self,
        suite: Suite,
        results: Path,
        address: str,
        wait: float = 60,
        run_timeout: float | None = None,
    ) -> None:
        self.said, self.found = io.StringIO(), list[Trained | UserError]()
        self.results = results
        how = TrainOptions(device="cpu", scheduler=address, worker_wait=wait)
        how = replace(how, run_timeout=run_timeout)
        self.thread = threading.Thread(target=self._train, args=(suite, how), daemon=True)
        self.thread.start()

    def _train(self, suite: Suite, how: TrainOptions) -> None:
        try:
            self.found.append(train_suite(suite, self.results, how, self.said))
        except UserError as error:
            self.found.append(error)

    def wait_for(self, happened: Callable[[], bool]) -> None:
        until = time.monotonic() + BOUND
        while not happened():
            assert self.thread.is_alive(), self.said.getvalue()
            assert time.monotonic() < until, self.said.getvalue()
            time.sleep(0.01)

    def says(self, words: str) -> Callable[[], bool]:
        return lambda: words in self.said.getvalue()

    def end(self) -> Trained | UserError:
        self.thread.join(BOUND)
        assert self.found, self.said.getvalue()
        return self.found[0]

    @property
    def records(self) -> int:
        return len(list((self.results / "runs").glob("??/*.json")))


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[Cluster]:
    folder.mkdir()
    with Cluster(folder) as made:
        for _ in range(workers):
            made.add()
        yield made


@real
def test_records_are_those_of_a_serial_call(tmp_path: Path) -> None:
    """One that has no nlbench trains nothing."""
    suite = study()
    serial = TrainOptions(device="cpu", workers=1)
    assert train_suite(suite, tmp_path / "serial", serial, io.StringIO()).complete
    with cluster(tmp_path / "dask", workers=1) as made:
        made.add(PYTHONPATH=without_nlbench(tmp_path))
        found = Caller(suite, tmp_path / "results", made.address)
        assert isinstance(ended := found.end(), Trained)
    assert ended.complete
    assert "trains, 1 in all" in found.said.getvalue()
    one, other = (Store.open(tmp_path / name / "runs") for name in ("serial", "results"))
    assert list(other.ids()) == sorted(spec.run_id for spec in suite.specs)
    for record in other.records():
        twin = one.read(record.run_id)
        assert twin is not None
        assert record.science() == twin.science()
        assert record.environment == twin.environment  # the same machine, asked in its own process
    assert left_behind(tmp_path / "results") == ()


# Carries out a command in mounts of its own, where a folder is empty and cannot be written to.
HIDE = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o ro none "$0" && exec "$@"')


def can_hide(folder: Path) -> bool:
    try:
        done = subprocess.run([*HIDE, str(folder), "true"], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return done.returncode == 0


@real
def test_workers_need_no_folder_of_the_caller(tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    if not can_hide(results):
        pytest.skip("mounts of its own for a process: needs Linux and its administrator")
    suite = study()
    with cluster(tmp_path / "dask", workers=0) as made:
        made.add(*HIDE, str(results))
        ended = Caller(suite, results, made.address).end()
    assert isinstance(ended, Trained)
    assert ended.complete
    assert len(list((results / "runs").glob("??/*.json"))) == len(suite.specs)


def without_nlbench(folder: Path) -> str:
    """A path that hides nlbench, also where an editable install finds what is inside of it."""
    package = folder / "bare" / "nlbench"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'nlbench'\")")
    return str(package.parent)


def data(root: Path, brightest: int) -> Path:
    images = np.arange(90 * 64).reshape(90, 8, 8) % brightest
    labels = np.arange(90) % 3
    root.mkdir()
    np.savez(root / "mine.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    return root


@real
def test_no_worker_can_train_and_each_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has no nlbench, one has no data, one has other data of the same name."""
    monkeypatch.setenv("NLBENCH_DATA", str(data(tmp_path / "mine", 256)))
    text = small.study(noise=NOISE, seeds=1, epochs=1).replace('"digits"', '"npz:mine"')
    suite = suites.parse(text, "study", "study.toml")
    with cluster(tmp_path / "dask", workers=0) as made:
        made.add(PYTHONPATH=without_nlbench(tmp_path))
        made.add(NLBENCH_DATA=str(tmp_path / "nowhere"))
        made.add(NLBENCH_DATA=str(data(tmp_path / "other", 200)))
        made.wait(workers=3)
        found = Caller(suite, tmp_path / "results", made.address)
        error = found.end()
    head, _, reasons = str(error).partition(" can train this: ")
    assert head == f"no worker of dask scheduler {made.address}"
    assert len(re.findall(r"tcp://127\.0\.0\.1:\d+: ", reasons)) == 3
    assert "its check failed (ModuleNotFoundError: No module named 'nlbench'" in reasons
    assert "data set 'npz:mine' is not to be had (" in reasons
    assert re.search(r"data set 'npz:mine' [0-9a-f]{16}, here [0-9a-f]{16}", reasons)
    assert found.records == 0


@real
@pytest.mark.slow
def test_a_worker_is_killed_and_another_comes_late(tmp_path: Path) -> None:
    suite = study(seeds=3, epochs=20)
    with cluster(tmp_path / "dask", workers=1) as made:
        found = Caller(suite, tmp_path / "results", made.address)
        found.wait_for(lambda: found.records >= 2)
        made.workers[0].kill()
        found.wait_for(found.says("is gone, 0 left; its"))
        made.add()
        assert isinstance(ended := found.end(), Trained)
    assert ended.complete
    assert found.said.getvalue().count("trains, 1 in all") == 2
    assert "has no worker: waiting 60 s" in found.said.getvalue()
    assert left_behind(tmp_path / "results") == ()


@real
def test_the_scheduler_is_killed(tmp_path: Path) -> None:
    suite = study(seeds=4, epochs=30)
    with cluster(tmp_path / "dask", workers=1) as made:
        found = Caller(suite, tmp_path / "results", made.address)
        found.wait_for(lambda: found.records >= 1)
        assert made.scheduler is not None
        made.scheduler.kill()
        assert isinstance(error := found.end(), UserError)
    assert str(error) == (
        f"dask scheduler {made.address}: the connection is lost; what is done is kept, the same"
        " command goes on"
    )
    assert 0 < found.records < len(suite.specs)
    assert left_behind(tmp_path / "results") == ()


HANGING = """
from dataclasses import dataclass
from nlbench.baselines import Method

@dataclass(frozen=True, kw_only=True)
class Hanging(Method):
    def per_sample(self, logits, targets):
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass
"""


@real
@pytest.mark.slow
def test_a_run_that_hangs_is_recorded_and_ends_its_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lnl_hanging.py").write_text(HANGING)
    monkeypatch.syspath_prepend(tmp_path)
    text = small.study(noise=NOISE, seeds=1, epochs=1).replace('"gce"', '"lnl_hanging:Hanging"')
    suite = suites.parse(text.replace(', "symmetric:0.4"', ""), "study", "study.toml")
    with cluster(tmp_path / "dask", workers=0) as made:
        path = os.pathsep.join((str(REPOSITORY), str(tmp_path)))
        made.add(PYTHONPATH=path)
        made.add(PYTHONPATH=path)
        made.wait(workers=2)
        # The other run takes 0.2 s, on a busy machine more than 1.
        found = Caller(suite, tmp_path / "results", made.address, run_timeout=4)
        ended = found.end()
    assert isinstance(ended, Trained)
    assert ended.counts == {"ok": 1, "failed": 1}
    (record,) = ended.failed
    assert "it was not done after 4 s" in record.facts.message
    assert "is gone, 1 left; its 1 runs are for others" in found.said.getvalue()


@real
def test_no_worker_comes(tmp_path: Path) -> None:
    with cluster(tmp_path / "dask", workers=0) as made:
        how = TrainOptions(device="cpu", scheduler=made.address)
        (left,) = rehearse_suite(study(), tmp_path / "results", how).rehearse()
        assert left == "whether the scheduler's workers can train this: the run asks each of them"
        found = Caller(study(), tmp_path / "results", made.address, wait=2)
        assert isinstance(error := found.end(), UserError)
    assert "no worker for 2 s; what is done is kept" in str(error)
    assert f"`dask worker {made.address}` starts it" in found.said.getvalue()


@real
def test_no_scheduler_and_no_dask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "quick", "--seeds", "0", "--device", "cpu", "--results", str(tmp_path)]
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "nonsense://nowhere")
    for more in ([], ["--dry-run"]):
        assert main([*words, *more]) == 2
        said = capsys.readouterr().err
        assert "--scheduler nonsense://nowhere: no dask scheduler answers there" in said
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main([*words, "--scheduler", "tcp://127.0.0.1:1"]) == 2
    assert "pip install 'nlbench[dask]'" in capsys.readouterr().err


class Made(Connected):
    """A cluster in this process; each worker does what its name says."""

    def __init__(self, *workers: str) -> None:
        self.workers = list(workers)
        self.asked: list[tuple[str, Callable[..., Any], Any]] = []
        self.tasks: list[tuple[str, int]] = []
        self.sent = b""

    def there(self) -> set[str]:
        return set(self.workers)

    def ask(self, worker: str, function: Callable[..., Any], *args: Any) -> Any:
        self.asked.append((worker, function, args))
        self.sent += call_elsewhere(function, *args)[1]
        if function is cluster_worker.trained:
            self.tasks.append((worker, len(args[0])))
        return self.asked[-1]

    def answered(self, seconds: float) -> tuple[str, Any] | None:
        del seconds
        if not self.asked:
            return None
        found = self.asked.pop(0)
        worker, function, _ = found
        if function is cluster_worker.trained and worker.startswith("mortal"):
            self.workers.remove(worker)
            return None
        return worker, found

    def result(self, future: Any) -> Any:
        worker, function, args = future
        if function is cluster_worker.trained and worker == "broken":
            raise WorkerError("OSError: no space")
        return function(*args)

    def last_words(self) -> Iterator[bytes]:
        yield from ()

    def forget(self, futures: Any) -> None:
        del futures


@pytest.fixture
def trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Made, int], tuple[int, str]]:
    """Train so many runs on a made cluster: how many records there are, and what was said."""
    monkeypatch.setattr(dask, "LOOK", 0.0)

    def train(made: Made, runs: int) -> tuple[int, str]:
        @contextmanager
        def connected(_address: str) -> Iterator[Made]:
            yield made

        monkeypatch.setattr(dask, "connected", connected)
        store, said = Store.open(tmp_path / "runs", create=True), list[str]()
        how = Dask("made", patience=0.1, say=said.append)
        try:
            how.run(Worker(store, HERE), [tiny(seed=seed) for seed in range(runs)])
        except UserError as error:
            said.append(f"error: {error}")
        assert left_behind(tmp_path) == ()
        return len(list(store.ids())), "\n".join(said)

    return train


Trains = Callable[[Made, int], tuple[int, str]]


def test_short_runs_share_a_task(trains: Trains, tmp_path: Path) -> None:
    made = Made("one")
    records, _ = trains(made, 12)
    assert records == 12
    sizes = [size for _, size in made.tasks]
    assert sizes[0] == sizes[-1] == 1  # their time is not known yet; none waits for the last
    assert max(sizes) > 1
    assert sum(sizes) == 12
    assert str(tmp_path).encode() not in made.sent  # no worker knows the store


@pytest.mark.parametrize(
    ("pace", "waiting", "workers", "most", "expected"),
    [
        (None, 1000, 2, 100, 1),
        (1.0, 1000, 2, 100, 5),
        (60.0, 1000, 2, 100, 1),
        (1.0, 12, 2, 100, 3),
        (1.0, 1, 2, 100, 1),
        (0.0, 100, 5, 100, 10),
        (1.0, 1000, 200, 824, 2),
        (1.0, 1000, 2000, 824, 1),
        # 10,000 answers in 340 s, each 17 ms: half of a processor.
        (1.0, 10**8, 10_000, 10**7, 340),
    ],
)
def test_a_task_is_long_enough_for_the_one_who_hands_them_out(
    pace: float | None, waiting: int, workers: int, most: int, expected: int
) -> None:
    assert dask.bundle(pace, waiting, workers, most) == expected


def test_no_more_runs_are_out_than_files_may_be_open(
    trains: Trains, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask, "most_open_files", lambda: dask.SPARE + 2)
    held: list[int] = []
    take = Held.take

    def counted(self: Held, run_id: str) -> Claim | None:
        taken = take(self, run_id)
        held.append(len(self))
        return taken

    monkeypatch.setattr(Held, "take", counted)
    records, _ = trains(Made("one", "two", "three", "four"), 12)
    assert records == 12
    assert max(held) == 2


def test_a_worker_that_fails_is_left_out(trains: Trains) -> None:
    made = Made("broken", "sound")
    records, said = trains(made, 6)
    assert records == 6
    assert "dask worker broken is left out: a task failed (OSError: no space)" in said
    assert [worker for worker, _ in made.tasks].count("broken") == 1


def test_all_workers_fail(trains: Trains) -> None:
    records, said = trains(Made("broken"), 2)
    assert records == 0
    assert "error: no worker of dask scheduler made can train this: broken: a task failed" in said


def test_a_run_that_kills_its_workers_is_given_up(trains: Trains) -> None:
    made = Made("mortal1", "mortal2", "mortal3")
    records, said = trains(made, 1)
    assert records == 0
    assert [worker for worker, _ in made.tasks] == ["mortal1", "mortal2", "mortal3"]
    assert "error: given up after 3 tries on workers: digits mlp ce symmetric:0.4 seed 0" in said


def test_the_last_worker_dies(trains: Trains) -> None:
    records, said = trains(Made("mortal"), 2)
    assert records == 0
    assert "dask worker mortal is gone, 0 left; its 1 runs are for others" in said
    assert "error: dask scheduler made: no worker for 0.1 s" in said


@pytest.mark.parametrize(
    ("option", "value"),
    [("workers", 2), ("executor", "loky"), ("gpus", "all"), ("checkpoint", 1.0)],
)
def test_what_a_cluster_cannot_do_is_refused(option: str, value: object) -> None:
    given: dict[str, Any] = {option: value}
    how = replace(TrainOptions(scheduler="tcp://head:8786", device="cpu"), **given)
    with pytest.raises(UserError, match=f"leave --{option} out"):
        how.resolve()


def test_the_device_is_that_of_the_workers() -> None:
    found = TrainOptions(scheduler="tcp://head:8786", device="cuda").resolve()
    assert found.device.type == "cuda"
    assert found.words == "cuda of the workers of dask scheduler tcp://head:8786"
    with pytest.raises(UserError, match="--worker-wait 0 must be"):
        TrainOptions(scheduler="tcp://head:8786", device="cpu", worker_wait=0).resolve()


def test_executor_dask_asks_for_a_scheduler() -> None:
    with pytest.raises(UserError, match="--scheduler tcp://host:port"):
        registry.create("dask", 2)


def test_differences_are_named() -> None:
    need = Need.of([tiny("gce")], HERE, download=False)
    here = cluster_worker.facts(need)
    assert set(here) >= {"nlbench", "torch", "data set 'digits'", "method 'gce'", "device"}
    assert cluster_worker.usable(here, here) == ""
    other = {**here, "torch": "1.0", "data set 'digits'": "is not to be had (no file)"}
    other["device"] = "is not to be had (no GPU)"
    torch, data = here["torch"], here["data set 'digits'"]
    assert cluster_worker.usable(other, here) == (
        f"torch 1.0, here {torch}; data set 'digits' is not to be had (no file), here {data};"
        " device is not to be had (no GPU)"
    )
    assert cluster_worker.usable({**here, "a part": "is missing"}, here) == "a part is missing"
    outside = replace(need, parts=(tiny(noise="nowhere:Noise"),))
    assert "is not to be had (" in str(cluster_worker.facts(outside))
    absent = replace(need, data=("cifar10",), root=Path("nowhere"))
    assert "is not to be had (" in cluster_worker.facts(absent)["data set 'cifar10'"]
