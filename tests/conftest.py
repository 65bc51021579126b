"""What every test shares: one thread each, repeatable examples, and where real data is."""

from __future__ import annotations

import os
from pathlib import Path

# Before anything imports NumPy or torch: test processes run side by side, and one thread each is
# both faster and the same on every machine.  Figures are drawn without a display.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["MPLBACKEND"] = "Agg"

import hypothesis
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]

# The same examples on every call; `--hypothesis-profile=explore` looks for new ones.
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=500)
hypothesis.settings.load_profile("repeatable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is marked ``gpu`` where there is no CUDA device."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="no CUDA device"))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the source tree."""
    return REPOSITORY


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real data sets: NLBENCH_DATA, else shared/data beside the tree, else a skip."""
    named = os.environ.get("NLBENCH_DATA")
    root = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not root.is_dir():
        pytest.skip(f"no real data: {root} is not a folder (NLBENCH_DATA names another)")
    return root
