"""What a store of many records costs: plan, status, progress, export and import, step by step.

Here and not in ``reports``, which makes up the records: suites and plans are needed too.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from nlbench.benchmark.executors.options import TrainOptions
from nlbench.benchmark.executors.rehearse import rehearse_suite
from nlbench.benchmark.runs.status import suite_status
from nlbench.benchmark.runs.watch import Watch
from nlbench.benchmark.store import archive, index
from nlbench.benchmark.store.merge import merge
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.suites import suite as suites
from nlbench.reports.speed.made_up_records import NOISE, made_up
from nlbench.studies import study_of

METHODS = ("ce", "gce", "drainage", "sce", "nce+rce", "elr", "mae", "taylor-ce", "js", "ael")
SUITE, ARCHIVE = "grown.toml", "grown.tar.gz"
LOOKS = 20
TEXT = """\
methods = [{methods}]
noise = [{noise}]
seeds = {seeds}
model = "cnn_small"
[dataset]
name = "fashion_mnist"
train_per_class = 1000
[recipe]
epochs = 20
"""


def run(n: int = 100_000) -> list[dict[str, Any]]:
    """Time each step with ``n`` made-up records, each in a process of its own.

    Returns:
        Per step ``records``, ``seconds``, ``cpu_seconds`` and ``more_mb``: how much memory it took
        beyond what the process had when it began.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _make(root, n)
        return [{"step": name, "records": n, **_apart(name, root)} for name in STEPS]


def _make(root: Path, n: int) -> None:
    """A suite of about ``n`` runs, and a store with a record of each."""
    values = {
        "methods": ", ".join(f'"{name}"' for name in METHODS),
        "noise": ", ".join(f'"{line}"' for line in NOISE),
        "seeds": max(1, n // (len(METHODS) * len(NOISE))),
    }
    (root / SUITE).write_text(TEXT.format(**values))
    store = Store.open(root / "runs", create=True)
    for record in made_up(study_of(_suite(root))):
        path = store.path(record.run_id)
        path.parent.mkdir(exist_ok=True)
        path.write_text(record.to_json())  # Store.write would wait for the disk each time


def _suite(root: Path) -> suites.Suite:
    return suites.load(str(root / SUITE))


def _first_status(root: Path) -> None:
    (root / "runs" / index.FILE).unlink(missing_ok=True)
    _status(root)


def _status(root: Path) -> None:
    suite_status(_suite(root), Store.open(root / "runs"))


def _dry_run(root: Path) -> None:
    rehearse_suite(_suite(root), root, TrainOptions(device="cpu")).rehearse()


def _polls(root: Path) -> Callable[[], object]:
    """Looks for as many runs again that are waited for, in the folders of a full store."""
    waited = (f"{spec.run_id[:2]}{number:014x}" for number, spec in enumerate(_suite(root).specs))
    watched = Watch(Store.open(root / "runs"), waited)
    list(watched.look())
    return lambda: [list(watched.look(60.0)) for _ in range(LOOKS)]


def _export(root: Path) -> None:
    found = archive.stored(Store.open(root / "runs"))
    archive.write(root / ARCHIVE, (item for item in found if isinstance(item, RunRecord)))


def _import(root: Path) -> None:
    merge(Store.open(root / "other" / "runs", create=True), archive.read(root / ARCHIVE))


# What is prepared for a step is not timed.
STEPS: Mapping[str, Callable[[Path], Callable[[], object]]] = {
    "suite alone": lambda root: partial(_suite, root),
    "status, the first": lambda root: partial(_first_status, root),
    "status": lambda root: partial(_status, root),
    "dry run": lambda root: partial(_dry_run, root),
    f"{LOOKS} polls": _polls,
    "export": lambda root: partial(_export, root),
    "import": lambda root: partial(_import, root),
}


def _apart(name: str, root: Path) -> dict[str, Any]:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_timed, name, root).result()


def _timed(name: str, root: Path) -> dict[str, Any]:
    before, step = _peak(), STEPS[name](root)
    clock, used = time.perf_counter(), time.process_time()
    step()
    return {
        "seconds": round(time.perf_counter() - clock, 2),
        "cpu_seconds": round(time.process_time() - used, 2),
        "more_mb": round(_peak() - before),
    }


def _peak() -> float:
    """The most memory this process has had, in MB."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (2**20 if sys.platform == "darwin" else 2**10)
