"""One file per method or family of methods; each registers itself when imported."""

from __future__ import annotations

import importlib
import pkgutil


def load_all() -> None:
    """Import every file of this folder, so that all methods are registered."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(module.name)
