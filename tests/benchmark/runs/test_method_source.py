"""Which edits make a method another one: its own files, what they import, and nothing else."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nlbench import baselines
from nlbench.baselines.methods.gce import GCE
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.runs.method_source import method_source
from nlbench.benchmark.runs.run import train
from nlbench.benchmark.store.record import RunRecord
from tests.helpers.records import sound
from tests.helpers.runs import HERE, tiny

LOSS = """
from __future__ import annotations
from dataclasses import dataclass
from typing import TYPE_CHECKING
from nlbench.baselines import Method, hyper
from . import scale
import lnl_beside_for_test

@dataclass(frozen=True, kw_only=True)
class Mine(Method):
    factor: float = hyper(1.0, "multiplies the loss", "(0, 1]")

    def per_sample(self, logits, targets):
        from .deep.inner import power
        picked = logits.log_softmax(1).gather(1, targets[:, None]).squeeze(1)
        return -self.factor * scale.SCALE * picked ** power()
"""
FILES = {
    "lnl_mine_for_test/__init__.py": "",
    "lnl_mine_for_test/losses.py": LOSS,
    "lnl_mine_for_test/scale.py": "SCALE = 2\n",
    "lnl_mine_for_test/deep/__init__.py": "",
    "lnl_mine_for_test/deep/inner.py": "import lnl_mine_for_test.far as far\npower = far.power\n",
    "lnl_mine_for_test/far.py": "def power():\n    return 1\n",
    "lnl_mine_for_test/unused.py": "print('never imported')\n",
    "lnl_beside_for_test.py": "import torch\n",
    "lnl_other_for_test.py": "",
}
NAME = "lnl_mine_for_test.losses:Mine"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with a method, importable for the length of a test."""
    write(tmp_path / "here", FILES)
    monkeypatch.syspath_prepend(str(tmp_path / "here"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path / "here"
    forget()


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())


def forget() -> None:
    for name in [m for m in sys.modules if m.startswith("lnl_")]:
        del sys.modules[name]
    importlib.invalidate_caches()


def after(package: Path, name: str, text: str) -> str:
    """The source of the method once one file has this text."""
    (package / name).write_bytes(text.encode())
    forget()
    return method_source(NAME)


@pytest.mark.parametrize(
    "name",
    ["losses.py", "__init__.py", "scale.py", "deep/__init__.py", "deep/inner.py", "far.py"],
)
def test_an_edit_of_what_the_class_imports_from_its_package_counts(
    package: Path, name: str
) -> None:
    path = f"lnl_mine_for_test/{name}"
    before = method_source(NAME)
    assert re.fullmatch("sha256:[0-9a-f]{64}", before)
    assert after(package, path, FILES[path] + "edited = True\n") != before
    assert after(package, path, FILES[path]) == before


def test_a_module_beside_the_package_counts_unless_packages_are_installed_there(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = method_source(NAME)
    assert after(package, "lnl_beside_for_test.py", "import torch  # edited\n") != before
    installed = package.with_name("site-packages")
    package.rename(installed)
    monkeypatch.syspath_prepend(str(installed))
    forget()
    alone = method_source(NAME)
    assert alone != before
    assert after(installed, "lnl_beside_for_test.py", "import torch\n") == alone


@pytest.mark.parametrize("name", ["lnl_mine_for_test/unused.py", "lnl_other_for_test.py"])
def test_what_is_not_imported_does_not_count(package: Path, name: str) -> None:
    before = method_source(NAME)
    assert after(package, name, "edited = True\n") == before


def test_line_endings_and_the_folder_do_not_count(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = method_source(NAME)
    elsewhere = package.with_name("elsewhere")
    write(elsewhere, {name: text.replace("\n", "\r\n") for name, text in FILES.items()})
    monkeypatch.syspath_prepend(str(elsewhere))
    forget()
    assert method_source(NAME) == before
    assert "elsewhere" in (sys.modules["lnl_mine_for_test"].__file__ or "")


@pytest.mark.usefixtures("package")
def test_what_else_a_process_has_imported_does_not_count() -> None:
    before = method_source(NAME)
    forget()
    importlib.import_module("lnl_other_for_test")
    importlib.import_module("lnl_mine_for_test.unused")
    assert method_source(NAME) == before


def test_a_class_in_memory_stays_what_it_was(package: Path) -> None:
    before = method_source(NAME)
    (package / "lnl_mine_for_test/losses.py").write_text(LOSS + "edited = True\n")
    assert method_source(NAME) == before


def test_built_in_methods_have_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {method_source(name) for name in ("ce", "gce", "drainage")} == {""}
    assert method_source("nlbench.baselines.methods.gce:GCE") == ""

    class Later(GCE):
        version = 2

    Later.__module__ = "nlbench.baselines.later"
    monkeypatch.setattr(baselines, "get", lambda _: Later)
    assert method_source("later") == "version 2"


def test_a_method_built_on_one_of_ours_follows_its_version(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = LOSS.replace(
        "nlbench.baselines import Method, hyper", "nlbench.baselines.methods.gce import GCE, hyper"
    )
    text = text.replace("class Mine(Method)", "class Mine(GCE)")
    before = after(package, "lnl_mine_for_test/losses.py", text)
    monkeypatch.setattr(GCE, "version", 2)
    forget()
    assert method_source(NAME) != before


def test_a_class_without_a_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nowhere(GCE):
        pass

    Nowhere.__module__ = "lnl_nowhere_for_test"
    monkeypatch.setattr(baselines, "get", lambda _: Nowhere)
    with pytest.raises(UserError, match="lnl_nowhere_for_test has no file"):
        method_source("nowhere")


@pytest.mark.usefixtures("package")
def test_the_record_carries_it_and_older_ones_keep_their_bytes() -> None:
    old = sound(tiny())
    assert "method_source" not in old.to_json()
    new = replace(old, method_source=method_source(NAME))
    assert RunRecord.from_json(new.to_json()) == new
    assert RunRecord.from_json(new.to_json()).method_source == method_source(NAME)
    assert new.run_id == old.run_id
    method = replace(old.spec.method, name=NAME, params=(("factor", 1.0),))
    trained = train(replace(old.spec, method=method), HERE)
    assert trained.status == "ok", trained.error
    assert trained.method_source == method_source(NAME)
