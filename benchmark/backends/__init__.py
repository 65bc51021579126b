"""Training backends: ways to run the same training; each must match ``loop`` in float64."""

from benchmark.backends.loop import LoopBackend
from benchmark.backends.task import Backend, Outcome, Task

__all__ = ["Backend", "LoopBackend", "Outcome", "Task"]
