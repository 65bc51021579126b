"""Backends by name, and the choice of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch

from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.training.cuda_graph import GraphBackend
from nlbench.benchmark.training.loop import LoopBackend
from nlbench.benchmark.training.stacked import StackBackend
from nlbench.benchmark.training.task import Backend

AUTO = "auto"


@dataclass(frozen=True)
class BackendConfig:
    """A backend and its settings, as they are sent to workers.

    Attributes:
        name: of :func:`names`.
        slots: runs side by side; ``None`` = the backend's own number.
        strict: equal bits on every call (see :func:`nlbench.benchmark.machine.device.repeatable`).
        compiled: let inductor fuse what ``graph`` records.
    """

    name: str = AUTO
    slots: int | None = None
    strict: bool = True
    compiled: bool = False

    def resolve(self, device: torch.device) -> BackendConfig:
        """The choice with ``auto`` replaced by ``loop``, the reference.

        On CUDA ``nlbench run`` puts ``graph`` in its place where it has just proved itself
        (runs/backend_check.py). On a CPU it stays ``loop``, also where ``stack`` is faster: a
        run's bits must not depend on how many others there are to train.

        Raises:
            UserError: unknown name, a backend that cannot work on this device, or settings that
                it does not have.
        """
        name = self.name
        if name == AUTO:
            name = LoopBackend.name
        if name not in _MAKERS:
            raise unknown("backend", name, names(), "--backend")
        if name == "graph" and device.type != "cuda":
            raise UserError(f"backend 'graph' records CUDA graphs: it does not work on {device}")
        if self.compiled and name != "graph":
            raise UserError(f"--compile is for backend 'graph', not for {name!r}")
        if self.slots is not None and self.slots < 1:
            raise UserError(f"--slots {self.slots} must be at least 1")
        if self.slots not in (None, 1) and name == "loop":
            raise UserError(f"backend 'loop' trains one run at a time, not --slots {self.slots}")
        return BackendConfig(name, self.slots, self.strict, self.compiled)


_MAKERS: dict[str, Callable[[BackendConfig], Backend]] = {
    "loop": lambda _choice: LoopBackend(),
    "graph": lambda choice: GraphBackend(choice.slots, compiled=choice.compiled),
    "stack": lambda choice: StackBackend(choice.slots or StackBackend.slots),
}


def names() -> tuple[str, ...]:
    """What ``--backend`` takes."""
    return (AUTO, *_MAKERS)


@lru_cache(maxsize=1)
def create(choice: BackendConfig) -> Backend:
    """The backend of a resolved choice; the same object again, which keeps what it recorded."""
    return _MAKERS[choice.name](choice)
