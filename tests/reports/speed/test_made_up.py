"""Made-up records are what an engine could have written; memory is that of its time."""

from __future__ import annotations

import subprocess
import sys

from nlbench.benchmark.store.problems import problems
from nlbench.reports.speed.made_up_records import declared, made_up


def test_made_up_records_hold_together() -> None:
    study = declared(8, ("ce", "drainage"), ("clean", "symmetric:0.4"), open_share=0.5)
    records = list(made_up(study, parts=True))
    assert [record.run_id for record in records] == [spec.run_id for spec in study.specs]
    assert len(records) == 8
    assert [line for record in records for line in problems(record)] == []
    assert sum("open_set" in record.evaluations for record in records) == 4
    assert sum("detection" in record.evaluations for record in records) == 4
    assert list(made_up(study, parts=True)) == records


HOLDS = """
import numpy as np
from nlbench.reports.speed.bench import Peak
with Peak() as before:
    pass
with Peak() as during:
    held = np.ones(8 * 1024**2)
print(held.nbytes / 1024**2, before.megabytes, during.megabytes)
"""


def test_peak_is_of_what_was_held_meanwhile() -> None:
    # A fresh process: one that has run tests gives memory back at any time.
    done = subprocess.run([sys.executable, "-c", HOLDS], capture_output=True, text=True, check=True)
    held, before, during = map(float, done.stdout.split())
    assert held == 64
    assert before + 50 < during < before + 100
