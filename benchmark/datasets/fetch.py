"""Run a torchvision download and turn what can go wrong into one line for the user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nlbench.benchmark.datasets.registry import Source
from nlbench.benchmark.errors import UserError


def fetch(source: Source, download: Callable[[], Any], looked: str, hint: str) -> None:
    """Create the data root and call ``download``, which shows its own progress.

    Raises:
        UserError: no network, a mirror fails, the file is damaged, or the root is not writable.
    """
    try:
        source.root.mkdir(parents=True, exist_ok=True)
        download()
    except (OSError, RuntimeError) as error:  # URLError and time-outs are OSErrors
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"data set {source.name!r} is not there and could not be downloaded to "
            f"{source.root} ({reason}); looked in {looked}; {hint}, or name another data root"
        ) from error
