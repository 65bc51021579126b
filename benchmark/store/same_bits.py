"""Must two records of one run have the same bits? By what they state of where they were made."""

from __future__ import annotations

from nlbench.benchmark.store.record import RunRecord

# All of it is stated, and the same. A CPU's name does not show which instructions it has, so of
# CPUs the same bits may be hoped for and are not asked for.
SAME = ("commit", "device", "torch", "numpy", "backend", "threads", "slots", "deterministic")


def alike(one: RunRecord, other: RunRecord) -> bool:
    """Whether both were made by the same code, strictly, on devices of the same name."""
    a, b = one.environment, other.environment
    stated = all(a.get(key) is not None and a.get(key) == b.get(key) for key in SAME)
    return stated and a["deterministic"] is True


def must_be_same(one: RunRecord, other: RunRecord) -> bool:
    """Whether both were, and on the same kind of GPU."""
    return alike(one, other) and not str(one.environment["device"]).startswith("cpu")
