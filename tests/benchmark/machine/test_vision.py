"""torchvision that is absent, or made for another torch, is one line and no traceback."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.machine.vision import torchvision
from nlbench.cli.main import main


class _Broken:
    """An importer by which torchvision fails as a build for another torch does."""

    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] == "torchvision":
            raise RuntimeError("operator torchvision::nms does not exist\nmore lines")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Broken(), *sys.meta_path])


def test_what_is_there_is_the_module() -> None:
    found = torchvision("datasets")
    assert isinstance(found, ModuleType)
    assert found.MNIST.__name__ == "MNIST"


@pytest.mark.usefixtures("broken")
def test_a_build_for_another_torch_is_named() -> None:
    with pytest.raises(UserError, match=r"\(operator torchvision::nms does not exist\).*torch \d"):
        torchvision("datasets")


@pytest.mark.usefixtures("broken")
def test_doctor_goes_on_without_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--data", str(tmp_path), "--results", str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    (line,) = [line for line in lines if line.startswith("!!")]
    assert line.split()[1] == "torchvision"
    assert any(line.startswith("ok") and "data digits" in line for line in lines)
