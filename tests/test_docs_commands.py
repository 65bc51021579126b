"""Every command in a block of the README and the documents is one that the parser understands."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest

from nlbench.benchmark.errors import UserError
from nlbench.cli.main import parser

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
# Language and content of a block; all are taken, so that no end is mistaken for a beginning.
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
SHELLS = ("", "sh", "powershell")
START = re.compile(
    r"^\s*!?(?:[A-Z_]+=\S+ )*(?:\.venv\S+|python -m )?\bnlbench ([a-z].*)", re.MULTILINE
)
# What follows is no part of the command: a comment, the next command, what takes its output.
END = re.compile(r"\s+#.*|\s*(?:&&|\||>|;).*")


@pytest.fixture(scope="module")
def understood() -> argparse.ArgumentParser:
    return parser()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_are_understood(page: Path, understood: argparse.ArgumentParser) -> None:
    blocks = BLOCK.findall(page.read_text("utf-8").replace("\\\n", " "))
    for command in START.findall("\n".join(text for kind, text in blocks if kind in SHELLS)):
        try:
            understood.parse_args(shlex.split(END.sub("", command)))
        except UserError as error:
            pytest.fail(f"nlbench {command}: {error}")
