"""A run that takes too long is stopped and recorded, whatever it is waiting for."""

from __future__ import annotations

import contextlib
import importlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nlbench.baselines.methods.ce import CE
from nlbench.benchmark.runs.limit import Limit, RunTimeout
from nlbench.benchmark.runs.run import train, train_pack
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.training import GraphBackend, LoopBackend
from tests.helpers.runs import HERE, tiny


def never(_: object) -> None:
    raise AssertionError("it was interrupted, and did not hang")


def spin() -> None:
    while True:
        sum(range(1000))


@pytest.mark.parametrize("wait", [spin, lambda: time.sleep(60)])
def test_the_main_thread_is_interrupted(wait: Callable[[], None]) -> None:
    before = signal.getsignal(signal.SIGALRM)
    limit, begun = Limit(0.05, never), time.monotonic()
    with pytest.raises(RunTimeout, match=r"0.05 s, its --run-timeout"):
        wait()
    limit.end()
    assert time.monotonic() - begun < 20
    assert signal.getsignal(signal.SIGALRM) is before


@pytest.mark.parametrize("main", [True, False])
def test_an_import_is_not_broken_off(
    main: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that takes longer than the limit, and than the grace after it."""
    name = f"lnl_slow_import_{main}"
    (tmp_path / f"{name}.py").write_text("import time\nfor _ in range(40): time.sleep(0.01)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    seen: list[str] = []

    def work() -> None:
        limit = Limit(0.05, never, grace=0.3)
        try:
            importlib.import_module(name)
            seen.append("imported")
            spin()
        except RunTimeout:
            seen.append("interrupted")
        limit.end()

    if main:
        work()
    else:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(60)
    assert seen == ["imported", "interrupted"]


def test_another_thread_is_interrupted_and_one_that_has_ended_is_not() -> None:
    ended: list[object] = []

    def work() -> None:
        limit = Limit(0.05, never)
        try:
            spin()
        except RunTimeout as error:
            ended.append(error)
        limit.end()
        quick = Limit(0.05, never)
        quick.end()
        time.sleep(0.2)
        ended.append("quiet")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert len(ended) == 2


LIMITS = """
import sys, threading
from nlbench.benchmark.runs.limit import Limit, RunTimeout

def ended():
    Limit(60, print).end()

def interrupted():
    limit = Limit(0.05, print)
    try:
        while True:
            pass
    except RunTimeout:
        limit.end()

for target in (ended, interrupted):
    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
sys.setprofile(lambda frame, event, arg: None)
ended()
sys.setprofile(None)
print("gone on")
"""


def test_limits_of_threads_leave_no_thread_looking_for_errors() -> None:
    """Before Python 3.12 the profiled call would never return then."""
    words = [sys.executable, "-c", LIMITS]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "gone on\n", done.stderr


def test_an_interruption_that_comes_with_the_end_is_dropped() -> None:
    seen: list[str] = []

    def work() -> None:
        limit = Limit(60, never)
        with contextlib.suppress(RunTimeout):  # it may be raised before the end takes it
            threading.Thread(target=limit._interrupt).start()
            limit.end()
        limit.end()
        sum(range(1000))
        seen.append("quiet")

    for _ in range(50):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(60)
    assert seen == ["quiet"] * 50


def test_who_swallows_the_interruption_is_said_to_hang() -> None:
    hung = threading.Event()
    limit = Limit(0.02, lambda _: hung.set(), grace=0.02)
    try:
        assert hung.wait(30)
        time.sleep(0.1)
    except RunTimeout:
        assert hung.wait(30)
    limit.end()


def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let training with CE wait for ever."""

    def step(_self: CE, _batch: object) -> Any:
        spin()

    monkeypatch.setattr(CE, "step", step)


def test_a_run_is_recorded_as_failed_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch)
    context = replace(HERE, run_timeout=0.3)
    (record,) = train_pack([tiny()], context)
    assert record.status == "failed"
    assert record.error is not None
    assert record.error["message"] == "RunTimeout: it was not done after 0.3 s, its --run-timeout"
    assert record.environment["backend"] == "loop"
    assert record.timing["seconds"] >= 0.3
    assert train(tiny("gce"), replace(HERE, run_timeout=300)).status == "ok"


def test_runs_side_by_side_are_asked_between_steps() -> None:
    specs = [tiny(epochs=500), tiny(seed=1)]
    backend = GraphBackend(2, capture=False)
    records = list(train_pack(specs, replace(HERE, run_timeout=0.2), backend, never))
    late = {record.spec.seed: record for record in records}[0]
    assert late.status == "failed"
    assert "RunTimeout" in str(late.error)


def test_a_run_that_hangs_is_handed_over_in_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlbench.benchmark.runs.limit.GRACE", 0.05)
    monkeypatch.setattr(Limit.__init__, "__defaults__", (True, 0.05))
    given: list[RunRecord] = []

    def step(_self: CE, _batch: object) -> Any:
        until = time.monotonic() + 30
        while not given and time.monotonic() < until:
            try:
                time.sleep(0.01)
            except RunTimeout:
                continue
        raise KeyError("let go")

    monkeypatch.setattr(CE, "step", step)
    (record,) = train_pack([tiny()], replace(HERE, run_timeout=0.2), LoopBackend(), given.append)
    assert "let go" in str(record.error)
    assert "RunTimeout" in str(given[0].error)
    assert given[0].run_id == record.run_id


def test_a_method_that_ends_the_program_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def step(_self: CE, _batch: object) -> Any:
        raise SystemExit(0)

    monkeypatch.setattr(CE, "step", step)
    for backend in (LoopBackend(), GraphBackend(2, capture=False)):
        first, second = sorted(
            train_pack([tiny(), tiny("gce")], HERE, backend), key=lambda r: r.spec.method.name
        )
        assert (first.status, second.status) == ("failed", "ok")
        assert "sys.exit(0) was called" in str(first.error)
