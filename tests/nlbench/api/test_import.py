"""``import nlbench`` loads nothing heavy; what it offers is loaded when it is asked for."""

from __future__ import annotations

import doctest
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import nlbench

HEAVY = {"torch", "torchvision", "matplotlib", "pandas", "scipy", "sklearn", "numpy"}
PRINT = "; import sys, json; print(json.dumps(sorted(m.partition('.')[0] for m in sys.modules)))"


def loaded(repository: Path, code: str) -> set[str]:
    """The packages that a line of code leaves imported, in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", code + PRINT],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


def link_published(repository: Path, folder: Path) -> None:
    """Put the published studies where examples look for them, which may write beside them."""
    (folder / "results").mkdir()
    (folder / "results" / "published").symlink_to(repository / "results" / "published")


def test_the_import_loads_nothing_heavy(repository: Path) -> None:
    assert loaded(repository, "import nlbench; dir(nlbench)").isdisjoint(HEAVY)


def test_noise_needs_no_torch_and_no_pandas(repository: Path) -> None:
    code = "import nlbench; nlbench.corrupt([0, 1] * 9, 'symmetric:0.4')"
    assert loaded(repository, code).isdisjoint(HEAVY - {"numpy", "scipy"})


def test_every_name_is_there_and_explains_itself() -> None:
    for name in nlbench.__all__:
        assert getattr(nlbench, name).__doc__
    assert set(nlbench.__all__) <= set(dir(nlbench))
    with pytest.raises(AttributeError, match="no attribute 'corupt'"):
        nlbench.corupt  # noqa: B018


@pytest.mark.parametrize("name", ["compare", "corrupt", "load", "run", "suspicious"])
def test_the_examples_of_a_docstring_are_true(
    name: str, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    link_published(repository, tmp_path)
    found = doctest.testmod(importlib.import_module(f"nlbench.api.{name}"))
    assert found.attempted
    assert found.failed == 0
