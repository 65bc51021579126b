"""Of a run, the most memory that was held during it, not by earlier runs of the same process."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from nlbench.benchmark.machine.allocator import keep_memory
from nlbench.benchmark.machine.peak import forget_peak, peak

MIB = 2**20


def _held(mib: int) -> int:
    """The most memory counted while an array of so many MiB is held."""
    assert forget_peak("cpu")
    array = np.ones(mib * MIB, np.uint8)
    most = peak("cpu")
    assert most is not None
    del array  # held until it was counted
    return most


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can forget a peak")
@pytest.mark.parametrize("kept", [False, True])
def test_an_earlier_run_is_forgotten(kept: bool) -> None:
    keep_memory(kept)
    try:
        before, large, small = _held(0), _held(300), _held(50)
        assert 280 < (large - before) / MIB < 320
        assert 30 < (small - before) / MIB < 70
    finally:
        keep_memory(False)


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["cuda", "cuda:0"])
def test_it_is_counted_on_a_gpu_that_nothing_has_used_yet(name: str) -> None:
    code = (
        "import torch; from nlbench.benchmark.machine.peak import forget_peak, peak;"
        f" assert forget_peak({name!r}); x = torch.ones(2**20, device={name!r});"
        f" assert peak({name!r}) == 2**22"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
