"""Where a run computes: device by name, threads, and the switches that make it repeatable."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import joblib
import torch

from nlbench.benchmark.errors import UserError


def cores() -> int:
    """CPU cores this process may use (affinity and container limits respected)."""
    return int(joblib.cpu_count())


def resolve(name: str, here: bool = True) -> torch.device:
    """``auto`` (a GPU if there is one), ``cpu``, ``cuda`` (the first one) or ``cuda:N``.

    A GPU of this machine has its number in what is returned, as tensors on it have it: to torch
    ``cuda`` and ``cuda:0`` are not equal.

    Args:
        name: of the device.
        here: on this machine: a GPU that it does not have is refused. Otherwise it is another's.

    Raises:
        UserError: a name unknown to torch, or a GPU that is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"device {name!r}: should be auto, cpu, cuda or cuda:N") from error
    if device.type not in ("cpu", "cuda"):
        raise UserError(f"device {name!r}: nlbench trains on cpu and cuda")
    if device.type != "cuda" or not here:
        return device
    count = torch.cuda.device_count()
    if count == 0:
        raise UserError(f"device {name!r}: torch {torch.__version__} finds no CUDA GPU here")
    number = device.index or 0
    if number >= count:
        raise UserError(f"device {name!r}: there are {count} GPUs, cuda:0 to cuda:{count - 1}")
    return torch.device("cuda", number)


def describe(device: torch.device) -> str:
    """Name of the hardware for records: the GPU's, or ``cpu`` and the machine type."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu ({cpu_name()})"


def cpu_name() -> str:
    """The kind of this machine's processors."""
    with contextlib.suppress(OSError), Path("/proc/cpuinfo").open() as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return os.uname().machine if hasattr(os, "uname") else "unknown"


def check_precision(precision: str, device: torch.device) -> None:
    """Refuse ``tf32`` on a device that has none: it would be float32 under another name.

    Raises:
        UserError: the device is no CUDA GPU of compute capability 8.0 or later.
    """
    if precision != "tf32":
        return
    if device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0):
        return
    raise UserError(
        f"recipe: precision = 'tf32' needs a CUDA GPU of compute capability 8.0 or later;"
        f" {describe(device)} would compute in float32: write that"
    )


@contextlib.contextmanager
def full_precision() -> Iterator[None]:
    """Within, no product is rounded to TF32, whatever the recipe allows its training."""
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    try:
        _allow_tf32(False, False)
        yield
    finally:
        _allow_tf32(*before)


@contextlib.contextmanager
def repeatable(threads: int, strict: bool = True, tf32: bool = False) -> Iterator[None]:
    """Within: so many threads, deterministic algorithms; what was set before comes back after.

    The thread count is part of what must be equal for equal bits: sums are split over threads.

    Args:
        threads: CPU threads.
        strict: equal bits on every call. Otherwise a GPU may choose algorithms by timing and add in
            any order; precisions stay those of the recipe.
        tf32: whether a GPU may round the factors of products to TF32.
    """
    before = (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.backends.cudnn.benchmark,
        torch.backends.cudnn.allow_tf32,
        torch.backends.cuda.matmul.allow_tf32,
        torch.utils.deterministic.fill_uninitialized_memory,  # type: ignore[attr-defined]
    )
    # cuBLAS reads this at its first use; without it deterministic mode refuses matrix products.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    try:
        # Nothing here reads memory before it is written, so none needs to be filled for that case.
        _switch(threads, strict, not strict, tf32, tf32, False)
        yield
    finally:
        _switch(*before)


def _switch(
    threads: int, strict: bool, benchmark: bool, conv_tf32: bool, tf32: bool, fill: bool
) -> None:
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(strict)
    torch.backends.cudnn.benchmark = benchmark
    _allow_tf32(conv_tf32, tf32)
    torch.utils.deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]


def _allow_tf32(convolutions: bool, products: bool) -> None:
    torch.backends.cudnn.allow_tf32 = convolutions
    torch.backends.cuda.matmul.allow_tf32 = products
