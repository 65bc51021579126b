"""How long a full report of many records takes, and how much memory."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
from joblib.externals.loky import get_reusable_executor

from nlbench.benchmark.store.store import Store
from nlbench.reports.build import build_report
from nlbench.reports.read.reader import read_records
from nlbench.reports.speed.made_up_records import declared, made_up

# Share of the made-up seeds whose data set leaves classes unknown.
OPEN = 0.2


def run(n: int = 100_000) -> list[dict[str, Any]]:
    """Time full reports of ``n`` synthetic records in a store on disk, all tables and figures.

    Twice, each in a process of its own, from declaring the study to the last file: when nothing
    has been read before, and after one record in a hundred has changed.

    Returns:
        Per report ``records``, ``new``, ``workers``, ``seconds``, ``cpu_seconds`` (of the main
        process), ``peak_mb`` (see :class:`Peak`) and ``files``.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        store = Store.open(root / "runs", create=True)
        again = []
        for at, record in enumerate(made_up(declared(n, open_share=OPEN), parts=True)):
            path = store.path(record.run_id)
            path.parent.mkdir(exist_ok=True)
            path.write_text(record.to_json())  # Store.write would wait for the disk each time
            if at % 100 == 0:
                again.append((path, replace(record, timing={**record.timing, "seconds": 2.0})))
        rows = [_apart(root, n)]
        for path, record in again:
            path.write_text(record.to_json())
        rows.append(_apart(root, n))
    return [{"report": name, **row} for name, row in zip(("first", "next"), rows, strict=False)]


def _apart(root: Path, n: int) -> dict[str, Any]:
    """One report in a fresh process, so that its memory is its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(timed, root, n, int(joblib.cpu_count())).result()


def timed(root: Path, n: int, workers: int) -> dict[str, Any]:
    """One report of the synthetic study from the store under ``root``."""
    clock, used = time.perf_counter(), time.process_time()
    with Peak() as peak:
        study = declared(n, open_share=OPEN)
        found = read_records(study, Store.open(root / "runs"), workers=workers)
        built = build_report(study, found.intake, root / "report", workers=workers)
    seconds = time.perf_counter() - clock
    # Idle workers would be waited for at the end of this process, for minutes.
    get_reusable_executor().shutdown(wait=True)
    return {
        "records": len(found.intake.taken),
        "new": found.fresh,
        "workers": workers,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(time.process_time() - used, 2),
        "peak_mb": round(peak.megabytes),
        "files": len(built.files),
    }


class Peak:
    """The most memory that this process and its children hold together, sampled every second.

    Linux reports how much each process holds with shared pages divided among those who share them;
    elsewhere it is the largest of this process alone.

    Attributes:
        megabytes: so far.
    """

    def __init__(self) -> None:
        self.megabytes = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(1.0):
            self.megabytes = max(self.megabytes, _held())
        self.megabytes = max(self.megabytes, _held())


def _held() -> float:
    proc = Path("/proc")
    if not (proc / "self/smaps_rollup").exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    total = 0
    for folder in proc.glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):  # a process that has ended
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if str(os.getpid()) in (folder.name, parent):
                memory = (folder / "smaps_rollup").read_text()
                total += int(memory.split("Pss:")[1].split()[0])
    return total / 1024
