from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_file() -> Callable[[str], Path]:
    """Find a file of the data folder, or skip the test with the reason."""
    default = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    root = Path(os.environ.get("NLBENCH_DATA", default))

    def find(name: str) -> Path:
        path = root / name
        if not path.exists():
            pytest.skip(f"{name} is not in the data folder {root} (set NLBENCH_DATA)")
        return path

    return find
