"""Of a run, the most memory that was held during it, not by earlier runs of the same process."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from nlbench.benchmark.machine.allocator import keep_memory
from nlbench.benchmark.machine.peak import forget_peak, peak

MIB = 2**20
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can forget a peak")


def _held(mib: int) -> int:
    """The most memory counted while an array of so many MiB is held."""
    assert forget_peak("cpu")
    array = np.ones(mib * MIB, np.uint8)
    most = peak("cpu")
    assert most is not None
    del array  # held until it was counted
    return most


@pytest.mark.parametrize("kept", [False, True])
def test_an_earlier_run_is_forgotten(kept: bool) -> None:
    keep_memory(kept)
    try:
        before, large, small = _held(0), _held(300), _held(50)
        assert 280 < (large - before) / MIB < 320
        assert 30 < (small - before) / MIB < 70
    finally:
        keep_memory(False)
