"""The option --checkpoint, from the command line to the workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.executors.options import TrainOptions
from nlbench.cli.main import main


def test_a_suite_trains_with_checkpoints_and_leaves_none(tmp_path: Path) -> None:
    words = ["run", "quick", "--methods", "ce", "--noise", "clean", "--seeds", "0"]
    assert main([*words, "--checkpoint", "0", "--workers", "1", "--results", str(tmp_path)]) == 0
    assert list((tmp_path / "runs" / "checkpoints").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"checkpoint": -1.0}, "at least 0"),
        ({"checkpoint": float("nan")}, "at least 0"),
        ({"checkpoint": 1.0, "backend": "stack"}, "backend 'stack' writes none"),
    ],
)
def test_what_cannot_be_is_one_line(options: dict[str, float], line: str) -> None:
    with pytest.raises(UserError, match=line):
        TrainOptions(device="cpu", **options).resolve()  # type: ignore[arg-type]
