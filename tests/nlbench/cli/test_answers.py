"""What a command answers when something is wrong: one line and a status, never a traceback."""

from __future__ import annotations

import argparse
import errno
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nlbench.benchmark.errors import UserError
from nlbench.cli import listing, main, options


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def call(_args: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr(listing, "call", call)


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (UserError("a\nb\x1b[2J"), 2, r"nlbench: a b\x1b[2J"),
        (OSError(errno.ENOSPC, "No space left", "/mine/a.csv"), 2, "/mine/a.csv: No space left"),
        (OSError(errno.EROFS, "Read-only file system"), 2, "nlbench: Read-only file system"),
        (MemoryError(), 2, "nlbench: not enough memory (no details)"),
        (
            ZeroDivisionError("half\nway"),
            70,
            "nlbench: a fault of nlbench: ZeroDivisionError: half way",
        ),
        (ValueError("no error of ours"), 70, "ValueError: no error of ours"),
    ],
)
def test_every_error_is_one_line(
    error: Exception,
    status: int,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    raising(monkeypatch, error)
    assert main(["list"]) == status
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line


def test_a_fault_shows_its_traceback_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, ZeroDivisionError("here"))
    monkeypatch.setenv("NLBENCH_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError, match="here"):
        main(["list"])


def test_an_ascii_or_closed_or_full_output_is_no_fault(tmp_path: Path) -> None:
    """In one process each, since standard output is the process's."""
    here = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": os.pathsep.join(sys.path)}
    script = (
        "import sys\n"
        "from nlbench.cli import listing, main\n"
        "listing.LISTS['models'] = lambda: (['model'], [['5 \\xb1 1']])\n"
        "sys.exit(main(['list', 'models']))\n"
    )
    (tmp_path / "a.py").write_text(script)
    command = f"{sys.executable} {tmp_path / 'a.py'}"
    for redirection, status, says in (
        ("", 0, b""),
        (">&- 2>&-", 0, b""),
        ("> /dev/full", 2, b"nlbench: No space left on device\n"),
    ):
        done = subprocess.run(
            ["sh", "-c", f"{command} {redirection}"], env=here, capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (status, says)
        assert redirection or b"5 \\xb1 1" in done.stdout


@pytest.mark.parametrize(
    ("read", "text", "says"),
    [
        (lambda t: options.whole("--workers", t, 1, 1024, ", or auto"), "0", "from 1 to 1,024, or"),
        (lambda t: options.whole("--n", t, 1), "9" * 5000, "from 1 on"),
        (lambda t: options.whole("--n", t, 1), "\u0663", "whole number"),
        (options.numbers, "0-999999999999", "more than 10,000 seeds"),
        (options.numbers, "1" * 5000, "a range such as 0-4"),
        (options.numbers, "0-\u00b2", "a range such as 0-4"),
    ],
)
def test_numbers_have_bounds(read: Callable[[str], object], text: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        read(text)
    assert len(str(caught.value)) < 200


def test_a_wrong_command_line_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ["nosuch"],
        [],
        ["run", "quick", "--minutes", "nan"],
        ["run", "quick", "--threads", "0"],
        ["noise", "make", "clean", "--dataset", "digits", "--out", "x", "--seed", "9" * 5000],
        ["run", "quick", "--nosuch\n"],
    ):
        assert main(words) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("nlbench: ")
        assert "--help` explains" in line


@pytest.mark.parametrize("text", ["nan", "-1", "inf", "1e999", "", "soon"])
def test_minutes_are_finite_and_not_negative(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="from 0 on"):
        options.amount(text)
    assert options.amount("1.5") == 1.5


def test_a_merge_on_a_full_disk_keeps_its_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = Path(__file__).resolve().parents[3] / "results/published/quick/leaderboard.csv"
    mine = tmp_path / "mine.csv"
    content = board.read_bytes()
    mine.write_bytes(content)
    words = ["leaderboard", "merge", str(mine), str(board), "--out", str(mine)]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        assert main(words) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{mine}: cannot be written (File too large)" in line
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"mine.csv": content}
    assert main(words) == 0
    assert mine.read_bytes() != content
