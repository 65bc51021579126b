"""The software and the machine that made a record, as the record states them."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from nlbench.benchmark.machine.device import cpu_name, describe
from nlbench.benchmark.machine.version import version as version

CODE = ("nlbench", "noise", "baselines", "benchmark", "reports", "pyproject.toml")


def environment(device: torch.device) -> dict[str, Any]:
    """Versions, hardware and commit, as plain JSON values."""
    commit, dirty = commit_of(Path(__file__).resolve().parents[2])
    return {
        "nlbench": version(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "platform": f"{platform.system()} {platform.machine()}",
        "device": describe(device),
        "host": f"{cpu_name()}, {os.cpu_count()} cores",
        "commit": commit,
        "dirty": dirty,
    }


@functools.cache
def environment_here(device: str) -> Mapping[str, Any]:
    """The same, taken once in this process: what it has imported does not change."""
    return MappingProxyType(environment(torch.device(device)))


def commit_of(folder: Path) -> tuple[str | None, bool | None]:
    """The git commit of a checkout and whether its code differs from it; Nones outside one."""
    if not (folder / ".git").exists():
        return None, None
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--", *CODE)
    except (OSError, subprocess.CalledProcessError):
        return None, None
    return commit, bool(changed)


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
