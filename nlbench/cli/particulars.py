"""The lines of ``nlbench run --verbose``: on what, with what and where a suite is trained."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nlbench.benchmark import datasets
from nlbench.benchmark.executors.options import TrainOptions
from nlbench.benchmark.machine.device import resolve
from nlbench.benchmark.machine.environment import environment_here
from nlbench.benchmark.suites.suite import Suite


def particulars(suite: Suite, results: Path, how: TrainOptions) -> Iterator[str]:
    """What each record states of where it was made, and the folders of this call."""
    device = resolve(how.device, here=how.scheduler is None)
    if how.scheduler is None:
        facts = environment_here(str(device))
        yield "; ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
    yield f"data in {(how.data or datasets.default_root()).absolute()}"
    yield f"records in {(results / 'runs').absolute()}, a log of this call in its folder logs"
    yield f"suite {suite.name}, SHA-256 {suite.sha256}, {len(suite.specs)} runs selected"
