"""What ``nlbench run`` sees to before anything trains; a dry run checks the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from nlbench.benchmark import datasets
from nlbench.benchmark.runs import plan
from nlbench.benchmark.spec.run_spec import RunSpec


def fetch(specs: Sequence[RunSpec], root: Path | None, download: bool) -> None:
    """Have every data set on disk (UserError: one is not to be had)."""
    for name in _names(specs):
        datasets.find(name, root, download)


def rehearse(
    specs: Sequence[RunSpec], root: Path | None, download: bool, device: torch.device
) -> list[str]:
    """Refuse what the run would refuse, but download and train nothing.

    Returns:
        A line for each thing that only the run can check.

    Raises:
        UserError, noise.NoiseError: see :func:`plan.check`, or a data set is not there
            and the run would not download it.
    """
    absent = set()
    for name in _names(specs):
        try:
            datasets.find(name, root, download=False)
        except datasets.NotDownloadedError:
            if not download:
                raise
            absent.add(name)
    here = [spec for spec in specs if absent.isdisjoint(spec.dataset.names)]
    left = plan.check(here, root, device, train=False)
    lines = [f"data set {name!r} is not there yet: the run downloads it" for name in sorted(absent)]
    return lines + [
        f"noise {line!r} is drawn by the run: it trains a network first" for line in left
    ]


def _names(specs: Sequence[RunSpec]) -> Iterator[str]:
    return iter(dict.fromkeys(name for spec in specs for name in spec.dataset.names))
