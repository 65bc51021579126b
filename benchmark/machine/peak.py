"""The most memory held since it was last asked to forget: of the GPU, or of this process."""

from __future__ import annotations

import re
from pathlib import Path

import torch

from nlbench.benchmark.machine.allocator import release_memory

# proc(5): "5" written to clear_refs resets VmHWM, the most resident memory of the process.
_FORGET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def forget_peak(device: str) -> bool:
    """Count from now on; whether that can be done here (a GPU, or Linux)."""
    if device.startswith("cuda"):
        torch.cuda.init()  # type: ignore[no-untyped-call]  # before it, a numbered GPU is refused
        torch.cuda.reset_peak_memory_stats(device)
        return True
    release_memory()
    try:
        _FORGET.write_text("5")
    except OSError:
        return False
    return True


def peak(device: str) -> int | None:
    """Bytes: of a GPU those of tensors, of a CPU all of the process; ``None`` if not counted."""
    if device.startswith("cuda"):
        return int(torch.cuda.max_memory_allocated(device))
    try:
        found = re.search(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    except OSError:
        return None
    return None if found is None else 1024 * int(found[1])
