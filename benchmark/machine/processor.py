"""Which vector and matrix units the processor has, as far as the system reports them."""

from __future__ import annotations

import contextlib
from pathlib import Path

import torch

CPUINFO = Path("/proc/cpuinfo")
# As Linux names them, on x86 and on ARM, and as everybody else does.
UNITS = {
    "avx2": "AVX2",
    "avx512f": "AVX512",
    "avx512_bf16": "AVX512_BF16",
    "amx_tile": "AMX",
    "asimd": "NEON",
    "sve": "SVE",
    "bf16": "BF16",
}


def units(cpuinfo: Path = CPUINFO) -> str:
    """In words: the units that Linux lists, where it does, and the set that torch uses.

    They explain a speed; :mod:`nlbench.benchmark.speed.precision` measures it.
    """
    found = [name for flag, name in UNITS.items() if flag in _flags(cpuinfo)]
    used = f"torch uses {torch.backends.cpu.get_cpu_capability()}"
    return f"{', '.join(found)} ({used})" if found else used


def _flags(cpuinfo: Path) -> set[str]:
    """Of the first processor; none where the file is not there or lists none."""
    with contextlib.suppress(OSError), cpuinfo.open() as lines:
        for line in lines:
            name, _, values = line.partition(":")
            if name.strip() in ("flags", "Features"):
                return set(values.split())
    return set()
