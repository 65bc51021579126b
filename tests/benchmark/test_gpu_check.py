"""Pieces of GPU work: their commands exist, a failure ends them, the archive comes all the same."""

from __future__ import annotations

import json
import re
import shlex
import tarfile
import time
from pathlib import Path

import pytest

from benchmark import archive, pieces
from benchmark.cli import gpu_check, main
from benchmark.cli.main import parser
from benchmark.pieces import Done, Place, Step
from benchmark.store import Store
from benchmark.training import train
from tests.benchmark.helpers import HERE, tiny

FINE = Step("fine", ("platform",))
BROKEN = Step("broken", ("json.tool", "no-such-file"))
SLOW = Step("slow", ("timeit", "-n1", "-r1", "import time; time.sleep(120)"))
CARD = Step("card", ("platform",), card=True)


def carried(tmp_path: Path, steps: list[Step], minutes: float = 1.0) -> tuple[list[Done], Place]:
    place = Place("cpu", tmp_path / "work", None, minutes)
    return pieces.carry_out(steps, place, lambda _line: None, pieces.now), place


@pytest.mark.parametrize("piece", pieces.PIECES)
@pytest.mark.parametrize("data", [None, Path("DIR")])
def test_every_command_of_a_piece_can_be_given(piece: str, data: Path | None) -> None:
    steps = list(pieces.PIECES[piece](Place("cuda", Path("W"), data, 8.0)))
    ours = [step for step in steps if step.words[0] == "benchmark"]
    assert ours
    for step in ours:
        assert callable(parser().parse_args(step.words[1:]).call)
    assert len({step.name for step in steps}) == len(steps)
    assert all(step.words[0] in ("benchmark", "pytest") for step in steps)


def test_the_commands_of_the_document_can_be_given(repository: Path) -> None:
    """Nothing in docs/gpu.md is a command that this version does not know."""
    text = (repository / "docs" / "gpu.md").read_text("utf-8")
    commands = re.findall(r"(?:^|`)python -m benchmark ([^`\n]*)", text, re.MULTILINE)
    assert len(commands) > 10
    for command in commands:
        assert callable(parser().parse_args(shlex.split(command, comments=True)).call), command


def test_the_document_names_every_piece(repository: Path) -> None:
    text = (repository / "docs" / "gpu.md").read_text("utf-8")
    assert all(f"gpu-check {piece}" in text for piece in pieces.PIECES)
    assert tuple(pieces.PIECES) == gpu_check.PIECES


def test_the_time_of_a_piece_is_shared_out() -> None:
    """The runs are told to stop before the piece is over; two modes have half of it each."""
    place = Place("cuda", Path("W"), None, 8.0)
    told = {
        step.name: float(step.words[step.words.index("--minutes") + 1])
        for piece in ("modes", "study")
        for step in pieces.PIECES[piece](place)
        if "--minutes" in step.words
    }
    assert told == {"strict": 3.25, "fast": 3.25, "study": 6.5}


def test_the_first_failure_ends_the_piece_and_what_needs_a_card_is_skipped(tmp_path: Path) -> None:
    done, place = carried(tmp_path, [FINE, CARD, BROKEN, FINE])
    assert [(d.name, d.status is None, d.failed) for d in done] == [
        ("fine", False, False), ("card", True, False), ("broken", False, True)
    ]  # fmt: skip
    logs = {path.name: path.read_text() for path in (place.work / "logs").iterdir()}
    assert set(logs) == {"1-fine.log", "3-broken.log"}
    assert "no-such-file" in logs["3-broken.log"]


def test_a_status_that_is_no_failure_goes_on(tmp_path: Path) -> None:
    status = carried(tmp_path, [BROKEN])[0][0].status
    assert status
    lenient = Step("lenient", BROKEN.words, sound=(0, status))
    done, _ = carried(tmp_path, [lenient, FINE])
    assert [d.failed for d in done] == [False, False]


def test_time_that_is_over_ends_a_step_with_its_children(tmp_path: Path) -> None:
    start = time.monotonic()
    (done,), _ = carried(tmp_path, [SLOW, FINE], minutes=1 / 60)
    assert (done.status, done.failed) == (-9, True)
    assert time.monotonic() - start < 60


def test_the_archive_holds_logs_summary_tables_and_importable_records(tmp_path: Path) -> None:
    done, place = carried(tmp_path, [FINE, BROKEN])
    store = Store.open(place.work / "study" / "runs", create=True)
    record = train(tiny(), HERE)
    store.write(record)
    (place.work / "bench").mkdir()
    (place.work / "bench" / "engines.csv").write_text("model\n")
    out = pieces.pack(place, "study", done, {"torch": "x"}, tmp_path / "out" / "piece.tar.gz")
    with tarfile.open(out) as tar:
        tar.extractall(tmp_path / "home", filter="data")
    folder = tmp_path / "home" / "gpu-study"
    summary = json.loads((folder / "summary.json").read_text())
    assert [step["failed"] for step in summary["steps"]] == [False, True]
    assert summary["torch"] == "x"
    assert (folder / "bench" / "engines.csv").is_file()
    assert {path.name for path in (folder / "logs").iterdir()} == {"1-fine.log", "2-broken.log"}
    mine = Store.open(tmp_path / "mine", create=True)
    merged = archive.merge(mine, archive.read(folder / "records-study.tar.gz"))
    assert merged.added == [record.run_id]


def test_a_rehearsal_on_the_cpu_by_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Suite modes needs a card: every step is skipped, earlier records travel on."""
    earlier = Store.open(tmp_path / "earlier", create=True)
    record = train(tiny(), HERE)
    earlier.write(record)
    archive.write(tmp_path / "earlier.tar.gz", [record])
    words = ["gpu-check", "modes", "--device", "cpu", "--work", str(tmp_path / "work")]
    words += ["--out", str(tmp_path / "piece.tar.gz"), "--done", str(tmp_path / "earlier.tar.gz")]
    assert main(words) == 0
    assert capsys.readouterr().err.count("skipped, it needs a GPU") == 3
    with tarfile.open(tmp_path / "piece.tar.gz") as tar:
        assert {"gpu-modes/records-strict.tar.gz", "gpu-modes/summary.json"} <= set(tar.getnames())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["chek"], "chek.*check"),
        (["check", "--minutes", "0"], "--minutes 0"),
        (["check", "--device", "cpu", "--done", "nowhere.tar.gz"], "nowhere.tar.gz: no such file"),
    ],
)
def test_mistakes_are_one_line(
    words: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gpu-check", *words, "--work", str(tmp_path / "work")]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert re.search(says, lines[0])
    assert not (tmp_path / "work").exists()
