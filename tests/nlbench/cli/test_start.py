"""What the command line loads before it does anything: a command pays for itself only."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from nlbench.cli import main as run_main
from nlbench.cli.main import COMMANDS, parser

HEAVY = ("torch", "torchvision", "matplotlib", "pandas", "scipy", "sklearn", "numpy")
LOADED = """
import contextlib, io, json, sys
from nlbench.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(sys.argv[1:])
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def loaded(repository: Path, *words: str) -> set[str]:
    """The packages that a call of the command line leaves imported, in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["nosuch"], []])
def test_help_and_version_load_nothing_heavy(repository: Path, words: list[str]) -> None:
    assert loaded(repository, *words).isdisjoint(HEAVY)


@pytest.mark.parametrize(
    ("words", "needed", "spared"),
    [
        (["list", "--help"], set(), {"torch", "numpy", "pandas", "matplotlib"}),
        (["list", "noise"], {"numpy"}, {"torch", "pandas", "matplotlib", "sklearn"}),
        (["list", "datasets"], {"numpy"}, {"torch", "pandas", "matplotlib", "sklearn"}),
        (["list", "methods"], {"torch"}, {"torchvision", "pandas", "matplotlib", "sklearn"}),
    ],
)
def test_a_list_loads_what_it_lists(
    repository: Path, words: list[str], needed: set[str], spared: set[str]
) -> None:
    found = loaded(repository, *words)
    assert needed <= found
    assert found.isdisjoint(spared)


def test_the_table_of_commands_says_what_the_modules_say() -> None:
    whole = parser()._subparsers
    assert whole is not None
    (commands,) = (a for a in whole._group_actions if a.dest == "command")
    found = {choice.dest: choice.help for choice in commands._choices_actions}  # type: ignore[attr-defined]
    assert found == {name: summary for name, (_, summary) in COMMANDS.items()}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_whole_when_it_is_called(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        run_main([name, "--help"])
    assert stop.value.code == 0
    assert "examples:" in capsys.readouterr().out


def test_an_error_that_is_not_the_users_is_not_hidden(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_args: object) -> int:
        raise ValueError("a fault of ours")

    monkeypatch.setattr(importlib.import_module("nlbench.cli.listing"), "call", broken)
    assert run_main(["list"]) == 70
    assert "ValueError: a fault of ours" in capsys.readouterr().err
