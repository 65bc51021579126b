"""Context: what a run needs besides its spec."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlbench.benchmark.machine.environment import environment_here
from nlbench.benchmark.training import BackendConfig
from nlbench.benchmark.training.checkpoint import Checkpoints

LOOP = BackendConfig("loop")


@dataclass(frozen=True)
class Context:
    """What a run needs besides its spec, and what must not change its result.

    Attributes:
        root: data folder, ``None`` for the default one.
        device: as :func:`nlbench.benchmark.machine.device.resolve` names it.
        threads: CPU threads of this worker.
        environment: versions, commit and hardware, for the record; ``None``: as they are where and
            when the run is trained, which may be another machine than the caller's.
        choice: training backend, as :meth:`BackendConfig.resolve` gives it.
        until: no run is started after this time (seconds since 1970), ``None`` = no limit.
        stop: once there is this file, no run is started, and one that writes checkpoints stops at
            the end of its epoch, without a record; ``None`` = never.
        loaders: threads that decode images of data sets in files; 0 = the one that trains.
        ahead: draw the next run's labels and weights in a second thread while a run is trained.
            Worth having where the device is not the CPU that draws.
        checkpoints: where runs write their state while they train, ``None``: nowhere.
        run_timeout: seconds that a run may take once it is prepared, ``None`` = no limit.
    """

    root: Path | None
    device: str
    threads: int
    environment: Mapping[str, Any] | None = None
    choice: BackendConfig = LOOP
    until: float | None = None
    stop: Path | None = None
    loaders: int = 0
    ahead: bool = False
    checkpoints: Checkpoints | None = None
    run_timeout: float | None = None

    @property
    def here(self) -> Mapping[str, Any]:
        """The environment of a run that is trained in this process."""
        return environment_here(self.device) if self.environment is None else self.environment

    @property
    def late(self) -> bool:
        """Whether no further run is to be started."""
        over = self.until is not None and time.time() > self.until
        return over or (self.stop is not None and self.stop.exists())
