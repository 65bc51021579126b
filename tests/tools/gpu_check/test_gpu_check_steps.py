"""Tests, speed and study of the GPU call: side by side, in their time, by what proved itself."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from nlbench.benchmark.speed.engines import Contestant
from tools.gpu_check import proofs, shards, speed, study, words
from tools.gpu_check.proofs import STUDY
from tools.gpu_check.prove import Case, Proof
from tools.gpu_check.study import Part

TESTS = {
    "test_good.py": "def test_a():\n    pass\ndef test_b():\n    pass\n",
    "test_bad.py": "def test_a():\n    assert False\ndef test_b():\n    pass\n",
    "test_dies.py": "import os\ndef test_a():\n    os.abort()\n",
    "test_hangs.py": "import time\ndef test_a():\n    time.sleep(600)\n",
    "test_broken.py": "import no_such_library\ndef test_a():\n    pass\n",
}


def test_files_run_side_by_side_and_none_stops_another(tmp_path: Path) -> None:
    for name, text in TESTS.items():
        mark = "import pytest\npytestmark = pytest.mark.gpu\n"
        (tmp_path / name).write_text(mark + text)
    (tmp_path / "test_other.py").write_text("import no_such_library\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = gpu: a card\n")
    files = shards.marked(tmp_path)
    assert [path.name for path in files] == sorted(TESTS)
    tables, logs = tmp_path / "tables", tmp_path / "logs"
    hanging = [path for path in files if path.stem == "test_hangs"]
    others = [path for path in files if path not in hanging]
    results = shards.run(
        [[path] for path in others], tables, logs, time.monotonic() + 600, beside=2
    )
    by_name = {result["file"]: result for result in results}
    good, bad = by_name["test_good.py"], by_name["test_bad.py"]
    assert (good["state"], good["tests"], good["failures"]) == ("ended", 2, 0)
    assert (bad["status"], bad["tests"], bad["failures"]) == (1, 2, 1)
    assert (good["failed"], bad["failed"]) == ([], ["test_a"])
    assert by_name["test_dies.py"]["state"] == "died"
    assert by_name["test_broken.py"]["errors"] == 1
    assert [name for name, r in by_name.items() if shards.sound(r)] == ["test_good.py"]
    assert {path.name for path in tables.glob("junit-*")} >= {"junit-test_bad.xml"}
    assert "assert False" in (logs / "tests-test_bad.log").read_text()
    assert words.read(tables / shards.TABLE) == results
    cut = shards.run([hanging, others], tables, logs, time.monotonic() + 1, beside=1)
    assert cut[0]["state"] == "out of time"
    assert [result["state"] for result in cut[1:]] == ["not begun"]
    assert cut[1]["file"] == shards.named(others)


@pytest.mark.parametrize("text", [None, "", "<testsuites><testsuite tests='3'"])
def test_a_junit_file_that_is_not_whole_counts_nothing(tmp_path: Path, text: str | None) -> None:
    """Of a process that was killed before or while it wrote it."""
    junit = tmp_path / "junit.xml"
    if text is not None:
        junit.write_text(text)
    process = subprocess.Popen([sys.executable, "-c", "import os; os.abort()"])
    process.wait()
    result = shards.Shard([tmp_path / "test_a.py"], junit, process).result()
    assert (result["state"], result["tests"], result["failed"]) == ("died", 0, [])


def test_a_junit_file_of_an_earlier_call_is_not_counted(tmp_path: Path) -> None:
    tables, test = tmp_path / "tables", tmp_path / "test_dies.py"
    tables.mkdir()
    (tables / "junit-test_dies.xml").write_text("<testsuite tests='9' failures='0'/>")
    test.write_text("import os, pytest\n@pytest.mark.gpu\ndef test_a():\n    os.abort()\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = gpu: a card\n")
    (result,) = shards.run([[test]], tables, tmp_path / "logs", time.monotonic() + 300, beside=1)
    assert (result["state"], result["tests"]) == ("died", 0)


def test_the_projects_own_gpu_tests_are_found(repository: Path) -> None:
    found = {path.name for path in shards.marked(repository / "tests")}
    assert {"test_backends.py", "test_backend_check.py", "test_augment.py"} <= found
    assert "test_gpu_check_steps.py" not in found, "it only writes such tests"


# --- speed ----------------------------------------------------------------------------------------


def test_ways_of_a_card_are_all_there() -> None:
    plain, compiled = ([c.name for c in speed.chosen(flag)] for flag in (False, True))
    assert plain[0].startswith("plain loop")
    assert plain[1:4] == [f"graph, {k} slot(s)" for k in (8, 4, 2)], "most runs at once first"
    assert {f"graph, {k} slot(s)" for k in (1, 2, 4, 8)} <= set(plain)
    assert {c.name for c in speed.chosen(False, on_card=False)} == set(speed.REHEARSED)
    assert compiled[0] == "graph, 1 slot(s), compiled", "what the others are compared with"
    assert compiled[1:] == [f"graph, {k} slot(s), compiled" for k in (8, 4, 2)]


def test_rows_of_what_works_what_raises_and_what_is_too_late() -> None:
    def refuse(_tasks: object) -> None:
        raise RuntimeError("no graph here")

    graph = next(c for c in speed.chosen(False) if c.name == "graph, 2 slot(s)")
    ways = [graph, Contestant("refused", refuse)]  # type: ignore[arg-type]
    device = torch.device("cpu")
    works, refused = speed.rows("cnn_small", ways, device, time.monotonic() + 600)
    assert works["img/s"] > 0
    assert works["runs"] == 2
    assert refused["error"] == "RuntimeError: no graph here"
    (late,) = speed.rows("cnn_small", ways[:1], device, time.monotonic() - 1)
    assert "the time was over" in late["error"]
    assert (late["tried"], "tried" in refused) == (False, False)


@pytest.mark.parametrize(
    ("seconds", "slots"),
    # Runs of 20 s alone and 10 s of four together, 40 s each: from 46 s on four end in that time.
    [(30.0, 1), (50.0, 4), (1.0, 1)],
)
def test_slots_are_those_that_end_most_runs(tmp_path: Path, seconds: float, slots: int) -> None:
    table = [
        {"engine": "loop, bf16", "runs": 1, "s/run": 50.0},
        {"engine": "loop, float32", "runs": 1, "s/run": 1.0},
        {"engine": "graph, 8 slot(s), compiled", "runs": 8, "s/run": 1.0},
        {"engine": "graph, 1 slot(s)", "runs": 1, "s/run": 20.0},
        {"engine": "graph, 4 slot(s)", "runs": 4, "s/run": 10.0},
        {"engine": "graph, 8 slot(s)", "error": "no memory"},
    ]
    words.write(tmp_path / "speed.json", table)
    found = speed.fastest(tmp_path / "speed.json", seconds)
    assert found is not None
    assert (found.backend, found.slots) == ("graph", slots)
    assert found.wall == pytest.approx({1: 23.0, 4: 46.0}[slots])
    alone = speed.fastest(tmp_path / "speed.json", seconds, ["loop"])
    assert alone is not None
    assert (alone.backend, alone.slots) == ("loop", 1)
    assert alone.wall == pytest.approx(57.5)
    assert speed.fastest(tmp_path / "nothing.json", seconds) is None


# --- study ----------------------------------------------------------------------------------------


def tables_in(folder: Path, proved: bool, loop: float = 60.0) -> Path:
    ok = [
        asdict(Proof(str(Case(method, "cnn8", precision, True)), ok=proved, reason="no kernel"))
        for method in STUDY
        for precision in ("bf16", "float64")
    ]
    words.write(folder / proofs.TABLE, ok)
    rows = [
        {"engine": "loop, bf16", "runs": 1, "s/run": loop},
        {"engine": "graph, 2 slot(s)", "runs": 2, "s/run": 20.0},
    ]
    words.write(folder / "speed-cnn8.json", rows)
    return folder


@pytest.fixture
def _card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "resolve", lambda _name: torch.device("cuda"))


@pytest.mark.usefixtures("_card")
def test_graphs_train_where_proved_and_no_run_is_begun_that_cannot_end(tmp_path: Path) -> None:
    part, left = study.plan("l1-budget", "cuda", tables_in(tmp_path, proved=True), 200.0)
    assert (part.backend, part.slots, part.reason) == ("graph", 2, "proved, ends most runs in time")
    assert left == pytest.approx(200 - 1.15 * 40)


@pytest.mark.usefixtures("_card")
def test_the_loop_trains_where_graphs_are_not_proved_and_the_reason_is_said(
    tmp_path: Path,
) -> None:
    part, left = study.plan("l1-budget", "cuda", tables_in(tmp_path, proved=False), 200.0)
    assert (part.backend, part.slots) == ("loop", None)
    assert "no kernel" in part.reason
    assert left == pytest.approx(200 - 1.15 * 60)


@pytest.mark.usefixtures("_card")
def test_a_suite_of_another_network_proves_its_backend_itself(tmp_path: Path) -> None:
    part, left = study.plan("field", "cuda", tables_in(tmp_path, proved=True), 200.0)
    assert (part.backend, part.slots, left) == ("auto", None, 200.0)


@pytest.mark.usefixtures("_card")
def test_a_loop_that_is_faster_trains_though_graphs_are_proved(tmp_path: Path) -> None:
    tables = tables_in(tmp_path, proved=True, loop=10.0)
    part, left = study.plan("l1-budget", "cuda", tables, 200.0)
    assert (part.backend, part.slots) == ("loop", None)
    assert "the loop ends more runs" in part.reason
    assert left == pytest.approx(200 - 11.5)


@pytest.mark.usefixtures("_card")
def test_a_suite_that_graphs_refuse_is_trained_by_the_loop(tmp_path: Path) -> None:
    calls: list[str] = []

    def run(part: Part, _minutes: float) -> int:
        calls.append(f"{part.suite} {part.backend}")
        return 2 if part.backend == "graph" else 1

    until = time.monotonic() + 600
    done = study.carry_out(
        ["l1-budget", "headline"], "cuda", tables_in(tmp_path, proved=True), run, until
    )
    # Of headline's network there is no proof.
    assert calls == ["l1-budget graph", "l1-budget loop", "headline loop"]
    assert [part.status for part in done] == [2, 1, 1]
    assert words.read(tmp_path / study.TABLE) == [asdict(part) for part in done]


@pytest.mark.usefixtures("_card")
def test_runs_of_seconds_fill_the_time_in_which_no_long_run_ends(tmp_path: Path) -> None:
    """46 s two runs of l1-budget take side by side; there are 30."""
    calls: list[str] = []
    tables = tables_in(tmp_path, proved=True)

    def run(part: Part, _minutes: float) -> int:
        (*_, begun) = words.read(tables / study.TABLE)
        assert (begun["suite"], begun["status"]) == (part.suite, None), "known if it is killed"
        calls.append(part.suite)
        return 1

    until = time.monotonic() + 30
    done = study.carry_out(["l1-budget", "cifar10-jpeg", "field"], "cuda", tables, run, until)
    assert calls == ["field"]
    assert [(part.backend, part.status) for part in done] == [("", None), ("", None), ("auto", 1)]
    assert all("no run ends in the time left" in part.reason for part in done[:2])
    assert words.read(tables / study.TABLE) == [asdict(part) for part in done]
    alone = study.carry_out(["l1-budget"], "cuda", tables, run, until)
    assert [(part.backend, part.status) for part in alone] == [("graph", 1)], "it may be faster"


def test_no_suite_is_begun_after_the_time(tmp_path: Path) -> None:
    def run(*_: Any) -> int:
        raise AssertionError("the time is over")

    assert study.carry_out(["quick"], "cpu", tmp_path, run, time.monotonic() - 1) == []


def test_tables_are_whole_or_not_there(tmp_path: Path) -> None:
    words.write(tmp_path / "a" / "t.json", {"x": 1})
    assert json.loads((tmp_path / "a" / "t.json").read_text()) == {"x": 1}
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["t.json"]
    assert words.read(tmp_path / "b.json") is None
