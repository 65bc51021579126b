"""Training backends: ways to run the same training; each must match ``loop`` in float64."""

from benchmark.backends.graph import GraphBackend
from benchmark.backends.loop import LoopBackend
from benchmark.backends.pack import BackendError
from benchmark.backends.registry import Choice, create, names
from benchmark.backends.stack import StackBackend
from benchmark.backends.task import Backend, Job, Outcome, Task

__all__ = [
    "Backend",
    "BackendError",
    "Choice",
    "GraphBackend",
    "Job",
    "LoopBackend",
    "Outcome",
    "StackBackend",
    "Task",
    "create",
    "names",
]
