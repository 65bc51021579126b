"""Completion of commands and options, in a real shell."""

from __future__ import annotations

import builtins
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from nlbench.cli import main


def completed(script: Path, line: str, folder: Path) -> list[str]:
    """What bash offers for a line that ends where the cursor stands."""
    words = line.split(" ")
    asked = (
        f"source {script}; COMP_WORDS=({' '.join(words[:-1])} '{words[-1]}');"
        f" COMP_CWORD={len(words) - 1}; _shtab_nlbench;"
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", asked], capture_output=True, text=True, cwd=folder, check=False
    )
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_bash_completes_commands_options_and_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("shtab", reason="needs shtab")
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "completion.sh"
    script.write_text(capsys.readouterr().out, "utf-8")
    (tmp_path / "mine.toml").touch()
    assert completed(script, "nlbench lead", tmp_path) == ["leaderboard"]
    assert completed(script, "nlbench noise ma", tmp_path) == ["make"]
    assert "--seeds" in completed(script, "nlbench run quick --se", tmp_path)
    assert completed(script, "nlbench run min", tmp_path) == ["mine.toml"]
    assert completed(script, "nlbench noise verify min", tmp_path) == ["mine.toml"]


def test_an_unknown_shell_and_a_missing_package_are_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["completion", "fish"]) == 2
    assert "should be one of bash, zsh, tcsh" in capsys.readouterr().err
    real = builtins.__import__

    def without(name: str, *args: Any, **words: Any) -> Any:
        if name == "shtab":
            raise ModuleNotFoundError(name)
        return real(name, *args, **words)

    monkeypatch.setattr(builtins, "__import__", without)
    assert main(["completion", "bash"]) == 2
    assert 'pip install "nlbench[completion]"' in capsys.readouterr().err
