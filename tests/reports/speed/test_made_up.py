"""Made-up records are what an engine could have written; memory is that of its time."""

from __future__ import annotations

import numpy as np

from nlbench.benchmark.store.problems import problems
from nlbench.reports.speed.bench import Peak
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


def test_peak_is_of_what_was_held_meanwhile() -> None:
    with Peak() as before:
        pass
    with Peak() as during:
        held = np.ones(8 * 1024**2)
    assert held.nbytes == 64 * 1024**2
    assert during.megabytes > before.megabytes + 50
