"""At home: the archive's records, reports and figures are taken in, and twice is once."""

from __future__ import annotations

import io
import json
import re
import shlex
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from nlbench.benchmark.runs.run import train
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.suites import suite as suites
from nlbench.cli.main import parser
from tests.helpers.runs import HERE
from tools.gpu_check import figures, package, take
from tools.gpu_check.__main__ import _parser, main
from tools.gpu_check.conduct import Done
from tools.gpu_check.facts import ROOT, code
from tools.gpu_check.steps import REHEARSAL, Place
from tools.gpu_check.words import write

FACTS: Mapping[str, Any] = {
    "started": "2099-01-01T18:00+00:00",
    "device": "a card",
    "commit": "0123456789",
    "dirty": False,
    "code": "c0de",
    "suites": [REHEARSAL],
}


def packed(folder: Path) -> Path:
    """The archive of a made-up call with two real records."""
    place = Place("cpu", folder / "work", None, 3.0)
    store = Store.open(place.results / "runs", create=True)
    for spec in suites.load(str(ROOT / REHEARSAL)).specs[:2]:
        store.write(train(spec, HERE))
    proof = {"case": "ce on cnn8", "ok": False, "tried": True, "reason": "no kernel"}
    more = [
        {**proof, "ok": True, "reason": ""},
        {**proof, "tried": False, "reason": "not tried: the time was over"},
        {**proof, "case": "plc on cnn8", "tried": False, "reason": "not tried: the time was over"},
        {**proof, "case": "a on cnn8", "tried": False, "reason": "skipped: it trains in stages"},
    ]
    write(place.tables / "proofs.json", [proof, *more])
    row = {"engine": "loop", "img/s": 20_000, "% of floor": 31.5, "s/run": 300, "peak GiB": 1.25}
    broken = {"engine": "graph, 1 slot(s)", "error": "RuntimeError: a | b"}
    late = [{"engine": name, "error": "not tried", "tried": False} for name in ("x, 1", "x, 2")]
    write(place.tables / "speed-cnn8.json", [row, broken, *late])
    counts = {"tests": 9, "failures": 1, "skipped": 2, "failed": ["test_of_a"]}
    tests = {"file": "test_a.py", "state": "ended", **counts}
    write(place.tables / "tests.json", [tests, {"file": "test_b.py", "state": "out of time"}])
    part = {"suite": "x", "backend": "graph", "slots": 4, "reason": "proved", "seconds": 200.0}
    parts = [
        {**part, "status": 1},
        {**part, "suite": "y", "status": 2, "seconds": 1.0},
        {**part, "suite": "z", "backend": "", "status": None, "reason": "passed over"},
        {**part, "suite": "w", "status": None},
    ]
    write(place.tables / "study.json", parts)
    done = [
        Done("facts", "python", "died", -11),
        Done("proofs", "python", "failed", 1),
        Done("tests", "python", "out of time"),
        Done("speed-cnn8", "python", "done", 0),
        Done("study", "python", "done", 0),
    ]
    return package.write(place, done, FACTS, folder / "out")


def taken(folder: Path, archive: Path) -> tuple[Path, str]:
    """The results folder, and the document, after taking the archive in."""
    doc = folder / "gpu.md"
    if not doc.exists():
        doc.write_text((ROOT / "docs" / "gpu.md").read_text("utf-8"), "utf-8")
    words = ["take", str(archive), "--results", str(folder / "results"), "--doc", str(doc)]
    assert main([*words, "--into", str(folder / "unpacked")]) == 0
    return folder / "results", doc.read_text("utf-8")


def test_one_command_takes_everything_in_and_twice_is_once(tmp_path: Path) -> None:
    archive = packed(tmp_path)
    results, text = taken(tmp_path, archive)
    assert len(list(Store.open(results / "runs").ids())) == 2
    assert [*(results / "reports" / "rehearsal").rglob("leaderboard.csv")]
    assert (tmp_path / "unpacked" / package.NAME / "tables" / "proofs.json").is_file()
    start = "| 2099-01-01 18:00 | 0123456 | a card |"
    assert (
        f"|---|---|---|---|---|\n"
        f"{start} facts | died (-11); no figures |\n"
        f"{start} proofs | failed (1); 1 of 2 cases proved, 5 in all; not: ce on cnn8 (no kernel);"
        " skipped: a; no case tried: plc |\n"
        f"{start} tests | out of time; 6 passed, 1 failed, 2 skipped; failed: test_of_a;"
        " not ended: test_b.py |\n"
        f"{start} speed-cnn8 | loop: 20,000 img/s, 31.5 % of the floor, 300 s a run, 1.25 GiB;"
        " graph, 1 slot(s): RuntimeError: a / b; no time for x, 1 / x, 2 |\n"
        f"{start} study | x: graph, 4 slots (proved), 200 s; y: graph, 4 slots (proved),"
        " refused (2) after 1 s; z: passed over; w: graph, 4 slots (proved), cut off; 2 records |\n"
    ) in text, "above the rows of earlier calls"
    assert taken(tmp_path, archive)[1] == text


def test_a_rehearsal_is_named_one_in_each_row() -> None:
    steps = [{"name": name, "state": "done", "status": 0} for name in ("facts", "study")]
    found = figures.rows({**FACTS, "rehearsal": "less", "steps": steps}, {}, "1234567", 0)
    assert [row.split(" | ")[-1] for row in found] == [
        "a rehearsal, no GPU: no figures |",
        "a rehearsal, no GPU: no suite begun; 0 records |",
    ]
    real = figures.rows({**FACTS, "rehearsal": None, "steps": steps}, {}, "1234567", 0)
    assert "rehearsal" not in "".join(real)


def changed(archive: Path, name: str, content: bytes) -> Path:
    """The archive with one of its files replaced."""
    path = archive.with_name("changed.tar.gz")
    with tarfile.open(archive) as old, tarfile.open(path, "w:gz") as new:
        for member in old.getmembers():
            kept = old.extractfile(member)
            assert kept is not None
            text = content if member.name.endswith(f"/{name}") else kept.read()
            member.size = len(text)
            new.addfile(member, io.BytesIO(text))
    return path


def test_a_table_that_was_cut_is_named_and_the_others_are_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = changed(packed(tmp_path), "proofs.json", b'[{"case": "ce')
    _, text = taken(tmp_path, archive)
    assert "| proofs | failed (1); no proofs |" in text
    assert "| speed-cnn8 | loop: 20,000 img/s" in text
    assert re.search(r"proofs\.json: no table \(", capsys.readouterr().err)


def test_figures_are_noted_whatever_becomes_of_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(take, "nlbench", lambda _words: 2)
    archive, doc = packed(tmp_path), tmp_path / "gpu.md"
    doc.write_text((ROOT / "docs" / "gpu.md").read_text("utf-8"), "utf-8")
    words = ["take", str(archive), "--results", str(tmp_path / "results"), "--doc", str(doc)]
    assert main([*words, "--into", str(tmp_path / "unpacked")]) == 2
    assert "| a card | proofs | failed (1); 1 of 2" in doc.read_text("utf-8")


def test_a_summary_without_what_is_taken_from_it_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = {name: value for name, value in FACTS.items() if name not in ("device", "code")}
    archive = changed(packed(tmp_path), "summary.json", json.dumps(summary).encode())
    assert main(["take", str(archive), "--into", str(tmp_path / "unpacked")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "its summary lacks code, device, steps" in line
    assert not (tmp_path / "unpacked").exists()


def test_rows_of_other_calls_stay() -> None:
    table = "## Done\n\n| a | b | c | d | e |\n|---|---|---|---|---|\n"
    old = "| 2026-01-01 | 1 | card | facts | x |\n"
    row = "| 2026-02-02 | 2 | card | facts | y |"
    assert take.noted(f"text\n{table}{old}", [row], "gpu.md") == f"text\n{table}{row}\n{old}"
    both = f"text\n{table}{row}\n{old}"
    assert take.noted(f"text\n{table}{row}\n", [old.strip()], "gpu.md") == both, "newest first"
    with pytest.raises(ValueError, match=r"gpu\.md: has no table"):
        take.noted("no table", [row], "gpu.md")


def test_the_commit_of_a_copied_tree_is_that_of_equal_code(monkeypatch: pytest.MonkeyPatch) -> None:
    copied = {"commit": None, "dirty": None, "code": code()}
    monkeypatch.setattr(take, "commit_of", lambda _root: ("f" * 40, False))
    assert take._commit(copied) == "fffffff"
    assert take._commit({**copied, "code": "another"}) == "unknown (code another)"
    monkeypatch.setattr(take, "commit_of", lambda _root: ("f" * 40, True))
    assert take._commit(copied).startswith("unknown")
    assert take._commit({"commit": "a" * 40, "dirty": True, "code": ""}) == "aaaaaaa, changed"


def test_the_code_of_a_tree_is_its_files(tmp_path: Path) -> None:
    (tmp_path / "benchmark").mkdir()
    (tmp_path / "benchmark" / "a.py").write_text("1")
    first = code(tmp_path)
    (tmp_path / "benchmark" / "notes.md").write_text("no code")
    assert code(tmp_path) == first
    (tmp_path / "benchmark" / "a.py").write_text("2")
    assert code(tmp_path) != first


def test_what_is_no_archive_of_a_call_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.tar.gz"
    path.write_bytes(b"no archive")
    assert main(["take", str(path)]) == 2
    assert "not one of tools.gpu_check" in capsys.readouterr().err


def test_the_commands_of_the_document_can_be_given() -> None:
    """Nothing in docs/gpu.md is a command that this version does not know."""
    text = (ROOT / "docs" / "gpu.md").read_text("utf-8")
    commands = re.findall(r"(?:^|`)python -m ([\w.]+) ([^`\n]*)", text, re.MULTILINE)
    assert len(commands) >= 10
    for program, words in commands:
        given = shlex.split(words, comments=True)
        if program == "nlbench":
            assert callable(parser().parse_args(given).call), words
        elif given[0] != "take":
            assert _parser().parse_args(given).data == Path("DIR")
    assert {program for program, _ in commands} == {"nlbench", "tools.gpu_check"}
    assert figures.key(text.splitlines()[-1])[0] != "date"
