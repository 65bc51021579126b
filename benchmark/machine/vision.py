"""torchvision, loaded where it is needed, or one line with the reason why it cannot be."""

from __future__ import annotations

import importlib
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from nlbench.benchmark.errors import UserError


def torchvision(part: str) -> Any:
    """The module ``torchvision.PART``, such as ``datasets``.

    A build made for another torch fails with an error of operators or of shared libraries.

    Raises:
        UserError: it is not installed, or does not fit the torch that is.
    """
    try:
        return importlib.import_module(f"torchvision.{part}")
    except (ImportError, OSError, RuntimeError) as error:
        why = str(error).splitlines()[0]
        try:
            torch = version("torch")
        except PackageNotFoundError:
            torch = "(which is absent too)"
        raise UserError(
            f"torchvision cannot be loaded ({why}): it has to be there in the version and build"
            f" that belong to torch {torch}; install both together, in one command and"
            " from one index (docs/faq.md, Set-up)"
        ) from error
