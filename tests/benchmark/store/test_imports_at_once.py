"""Imports at the same time leave the record that either of them alone would prefer."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from nlbench.benchmark.store.merge import merge, preferred
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.store import Store
from tests.helpers.records import sound
from tests.helpers.runs import tiny


def test_the_preferred_record_stays_whoever_is_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    better, worse = sound(tiny()), sound(tiny(), environment={"dirty": True})
    assert preferred(better, worse) == better
    read = Store.read

    def slow(store: Store, run_id: str) -> RunRecord | None:
        found = read(store, run_id)
        time.sleep(0.02 if threading.current_thread().name == "late" else 0.0)
        return found

    monkeypatch.setattr(Store, "read", slow)
    for number in range(10):
        store = Store.open(tmp_path / f"store{number}" / "runs", create=True)
        barrier = threading.Barrier(2)

        def take(
            mine: RunRecord, store: Store = store, barrier: threading.Barrier = barrier
        ) -> None:
            barrier.wait()
            merge(store, [mine])

        threads = [
            threading.Thread(target=take, args=(better,)),
            threading.Thread(target=take, args=(worse,), name="late"),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert read(store, better.run_id) == better
        assert list((store.root / "claims").iterdir()) == []
