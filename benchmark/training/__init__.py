"""Training backends: ways to run the same training; each must match ``loop`` in float64."""

from nlbench.benchmark.training.cuda_graph import GraphBackend
from nlbench.benchmark.training.interleave import BackendError
from nlbench.benchmark.training.loop import LoopBackend
from nlbench.benchmark.training.registry import BackendConfig, create, names
from nlbench.benchmark.training.stacked import StackBackend
from nlbench.benchmark.training.task import Backend, Job, Outcome, Task

__all__ = [
    "Backend",
    "BackendConfig",
    "BackendError",
    "GraphBackend",
    "Job",
    "LoopBackend",
    "Outcome",
    "StackBackend",
    "Task",
    "create",
    "names",
]
