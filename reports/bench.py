"""How long a full report of many records takes, and how much memory."""

from __future__ import annotations

import multiprocessing
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmark.store import Store
from reports.assemble import build
from reports.reading import read
from reports.synthetic import declared, made_up

# Share of the made-up seeds whose data set leaves classes unknown.
OPEN = 0.2


def run(n: int = 100_000) -> list[dict[str, Any]]:
    """Time full reports of ``n`` synthetic records in a store on disk, all tables and figures.

    Twice, each in a process of its own, from declaring the study to the last file: when nothing
    has been read before, and after one record in a hundred has changed.

    Returns:
        Per report ``records``, ``new``, ``seconds``, ``cpu_seconds`` (what it takes of a processor,
        whatever else runs), ``peak_mb`` (largest resident memory of the process) and ``files``.
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
        return pool.submit(timed, root, n).result()


def timed(root: Path, n: int) -> dict[str, Any]:
    """One report of the synthetic study from the store under ``root``."""
    clock, used = time.perf_counter(), time.process_time()
    study = declared(n, open_share=OPEN)
    found = read(study, Store.open(root / "runs"))
    built = build(study, found.intake, root / "report")
    seconds = time.perf_counter() - clock
    return {
        "records": len(found.intake.taken),
        "new": found.fresh,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(time.process_time() - used, 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "files": len(built.files),
    }
