"""nlbench: learning with noisy labels, compared fairly.

``corrupt`` draws label noise, ``run`` trains a suite, ``load`` gives its runs as a table,
``compare`` tests such a table, and ``suspicious`` finds labels that look wrong. What is wrong with
an argument is a ``ValueError`` of one line.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nlbench.api.compare import Compared, compare
    from nlbench.api.corrupt import corrupt
    from nlbench.api.load import load
    from nlbench.api.run import Ran, run
    from nlbench.api.suspicious import suspicious
    from nlbench.benchmark.errors import UserError

# Loaded when asked for: with torch and the statistics an import would take seconds.
_HOME = {
    "Compared": "api.compare",
    "Ran": "api.run",
    "UserError": "benchmark.errors",
    "compare": "api.compare",
    "corrupt": "api.corrupt",
    "load": "api.load",
    "run": "api.run",
    "suspicious": "api.suspicious",
}

__all__ = [
    "Compared",
    "Ran",
    "UserError",
    "compare",
    "corrupt",
    "load",
    "run",
    "suspicious",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
