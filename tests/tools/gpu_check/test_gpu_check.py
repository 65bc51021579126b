"""The GPU call: whatever a step does, the others are begun and what is known is in the archive."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nlbench.benchmark.runs.run import train
from nlbench.benchmark.store import archive
from nlbench.benchmark.store.merge import merge
from nlbench.benchmark.store.store import Store
from tests.helpers.runs import HERE, tiny
from tools.gpu_check import conduct, log, package, steps
from tools.gpu_check.__main__ import main
from tools.gpu_check.conduct import Done, carry_out
from tools.gpu_check.steps import Place, Step


def step(how: str, seconds: float = 60.0) -> Step:
    return Step(how, ("tests.tools.gpu_check.made_up", how), seconds)


def place_in(folder: Path, minutes: float = 10.0) -> Place:
    return Place("cpu", folder / "work", None, minutes)


def carried(
    folder: Path, todo: Sequence[Step], seconds: float = 120.0
) -> tuple[list[Done], list[list[tuple[str, str]]]]:
    """What became of the steps, and every state that was saved."""
    saved: list[list[tuple[str, str]]] = []
    done = carry_out(
        todo,
        place_in(folder),
        lambda now: saved.append([(d.name, d.state) for d in now]),
        lambda _line: None,
        time.monotonic() + seconds,
    )
    return done, saved


def test_every_end_of_a_step_is_told_and_ends_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conduct, "GRACE", 0.5)
    todo = [step("works"), step("fails"), step("dies"), step("hangs", 8.0), step("works")]
    start = time.monotonic()
    done, saved = carried(tmp_path, todo)
    assert [(d.name, d.state, d.status) for d in done] == [
        ("works", "done", 0),
        ("fails", "failed", 1),
        ("dies", "died", -signal.SIGSEGV),
        ("hangs", "out of time", None),
        ("works", "done", 0),
    ]
    assert time.monotonic() - start < 300
    logs = {path.name: path.read_text() for path in (tmp_path / "work" / "logs").iterdir()}
    assert len(logs) == 5
    assert "ValueError: an error of its own" in logs["2-fails.log"]
    assert all("this is" in text for text in logs.values())
    # Known at each moment: what had ended, and what was running.
    assert [("works", "done"), ("fails", "running")] in saved
    assert saved[-1] == [(d.name, d.state) for d in done]


def test_nothing_that_a_step_started_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conduct, "GRACE", 0.5)
    carried(tmp_path, [step("hangs", 2.0)])
    sleeping = "import time; time.sleep(600)"
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert sleeping not in running.stdout


def test_what_a_step_leaves_running_is_ended_with_it(tmp_path: Path) -> None:
    """It also holds the pipe that the log is read from."""
    start = time.monotonic()
    (done,), _ = carried(tmp_path, [step("leaves")])
    assert (done.state, done.status) == ("done", 0)
    assert time.monotonic() - start < 60
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert "import time; time.sleep(601)" not in running.stdout


def test_a_step_that_cannot_be_started_has_failed_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = subprocess.Popen

    def refused(words: list[str], **more: Any) -> subprocess.Popen[bytes]:
        if "fails" in words:
            raise BlockingIOError("Resource temporarily unavailable")
        return original(words, **more)

    monkeypatch.setattr(subprocess, "Popen", refused)
    done, _ = carried(tmp_path, [step("fails"), step("works")])
    assert [(d.state, d.status) for d in done] == [("failed", None), ("done", 0)]
    assert "unavailable" in (tmp_path / "work" / "logs" / "1-fails.log").read_text()


def test_a_full_disk_ends_no_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    done, _ = carried(tmp_path, [step("works")])
    assert done[0].state == "done"
    assert not list((tmp_path / "work" / "logs").iterdir())


def test_what_is_known_is_saved_when_the_call_is_ended_from_outside(tmp_path: Path) -> None:
    saved: list[list[str]] = []

    def save(now: Sequence[Done]) -> None:
        saved.append([d.state for d in now])
        if saved[-1] == ["done", "running"]:
            raise SystemExit(143)  # as the handler of a signal does, wherever it finds the call

    todo = [step("works"), step("hangs")]
    with pytest.raises(SystemExit):
        carry_out(todo, place_in(tmp_path), save, lambda _line: None, time.monotonic() + 120)
    assert saved[-1] == ["done", "ended from outside"]
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert "tests.tools.gpu_check.made_up hangs" not in running.stdout


def test_of_megabytes_both_ends_are_kept(tmp_path: Path) -> None:
    """60 MB printed."""
    done, _ = carried(tmp_path, [step("shouts")])
    assert done[0].state == "done"
    (path,) = (tmp_path / "work" / "logs").iterdir()
    text = path.read_bytes()
    assert len(text) < 2 * log.KEPT + 100
    assert text.startswith(b"this is shouts")
    assert text.endswith(b"the last line\n")
    (lost,) = re.findall(rb"\n... (\d+) bytes left out ...\n", text)
    note = len(b"\n...  bytes left out ...\n") + len(lost)
    assert len(text) - note + int(lost) == len("this is shouts\nthe last line\n") + 3000 * 20_007


def test_a_long_file_is_packed_by_its_ends(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a" * 600 + b"b" * 600)
    packed = package.bounded(path, 1000)
    assert packed == b"a" * 500 + b"\n... 200 bytes left out ...\n" + b"b" * 500


def test_a_short_file_is_packed_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 1000)
    assert package.bounded(path, 1000) == b"x" * 1000


def test_what_there_is_no_time_for_is_not_begun(tmp_path: Path) -> None:
    done, saved = carried(tmp_path, [step("works"), step("works")], seconds=steps.RESERVE + 1)
    assert [d.state for d in done] == ["not begun", "not begun"]
    assert len(saved) == 2
    assert not list((tmp_path / "work" / "logs").iterdir())


def test_the_last_step_has_whatever_is_left(tmp_path: Path) -> None:
    endless = Step("works", ("tests.tools.gpu_check.made_up", "works"), None)
    (done,), _ = carried(tmp_path, [endless], seconds=200.0)
    told = float(done.command.split()[-1]) - time.time()
    most = 200 - steps.RESERVE - conduct.GRACE
    assert most - 60 < told <= most


def test_while_a_step_runs_the_archive_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conduct, "SAVE", 0.3)
    _, saved = carried(tmp_path, [step("slow")])
    assert saved.count([("slow", "running")]) >= 3


# --- the archive ----------------------------------------------------------------------------------


def filled(folder: Path, records: int = 2) -> Place:
    """A place with a log, a table and a store."""
    place = place_in(folder)
    for path, text in ((place.logs / "1-a.log", "log\n"), (place.tables / "facts.json", "{}\n")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    store = Store.open(place.results / "runs", create=True)
    for seed in range(records):
        store.write(train(tiny(seed=seed), HERE))
    return place


def test_the_archive_holds_summary_logs_tables_and_records(tmp_path: Path) -> None:
    place = filled(tmp_path)
    done = [Done("a", "python -m a", "failed", 1, 2.5)]
    path = package.write(place, done, {"started": "now"}, tmp_path / "out")
    with tarfile.open(path) as tar:
        tar.extractall(tmp_path / "home", filter="data")
    folder = tmp_path / "home" / package.NAME
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["started"] == "now"
    assert summary["notes"] == []
    assert summary["steps"][0]["state"] == "failed"
    assert (folder / "logs" / "1-a.log").read_text() == "log\n"
    assert (folder / "tables" / "facts.json").is_file()
    store = Store.open(tmp_path / "mine", create=True)
    assert len(merge(store, archive.read(folder / "records.tar.gz")).added) == 2
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [path.name, "summary.json"]


def test_what_does_not_fit_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = filled(tmp_path)
    (place.results / "runs" / "ab").mkdir(exist_ok=True)
    (place.results / "runs" / "ab" / f"ab{14 * '0'}.json").write_text("damaged")
    size = package.write(place, [], {}, tmp_path / "out").stat().st_size
    monkeypatch.setattr(package, "RECORDS_LIMIT", size * 2 // 3)
    monkeypatch.setattr(package, "TEXTS_LIMIT", 5)
    package.write(place, [], {}, tmp_path / "out")
    notes = json.loads((tmp_path / "out" / "summary.json").read_text())["notes"]
    assert any("ab00000000000000" in note for note in notes)
    assert "1 of 2 records do not fit" in notes
    assert "logs/1-a.log does not fit" in notes


def test_tables_come_first_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a long log two ends are kept; part of a table could not be read."""
    place = filled(tmp_path, records=0)
    table = json.dumps([{"traceback": 3000 * "line\n"}])
    (place.tables / "proofs.json").write_text(table)
    (place.tables / "junit-a.xml").write_text(2000 * "x")
    (place.tables / ".study.json").write_text("[{")  # killed while it wrote
    monkeypatch.setattr(package, "TEXT_LIMIT", 1000)
    with tarfile.open(package.write(place, [], {}, tmp_path / "out")) as tar:
        names = [name.removeprefix("gpu-check/") for name in tar.getnames()]
        tar.extractall(tmp_path / "home", filter="data")
    assert names == [
        "summary.json", "tables/facts.json", "tables/proofs.json", "tables/junit-a.xml",
        "logs/1-a.log",
    ]  # fmt: skip
    home = tmp_path / "home" / "gpu-check" / "tables"
    assert (home / "proofs.json").read_text() == table
    assert "bytes left out" in (home / "junit-a.xml").read_text()


def test_the_largest_archive_fits_what_comes_back(tmp_path: Path) -> None:
    """Noise does not shrink: every log and every table as long as may be."""
    noise = bytes(range(256)) * 4096
    place = filled(tmp_path, records=0)
    from nlbench.benchmark.streams import Streams  # draws that no packer makes smaller

    for number in range(12):
        drawn = Streams(number).generator("order").bytes(2 * len(noise))
        (place.logs / f"{number}.log").write_bytes(drawn)
    path = package.write(place, [], {}, tmp_path / "out")
    assert path.stat().st_size > 4 * 2**20
    assert path.stat().st_size + package.RECORDS_LIMIT < 16 * 2**20


# --- the call -------------------------------------------------------------------------------------


def test_caps_of_a_card_leave_the_study_minutes() -> None:
    todo = list(steps.steps(Place("cuda", Path("W"), Path("D"), 10.0)))
    assert [s.name for s in todo] == [
        "facts", "proofs", "tests", "speed-cnn8", "speed-cnn8-compiled", "speed-resnet18",
        "speed-resnet18-compiled", "study",
    ]  # fmt: skip
    caps = [s.seconds for s in todo[:-1] if s.seconds is not None]
    assert caps[:3] == [30, 120, 70]
    assert sum(caps[3:]) == 140
    assert todo[-1].seconds is None
    assert 600 - sum(caps) - conduct.GRACE * len(todo) - steps.RESERVE > 180
    assert todo[-1].words[-len(steps.SUITES) :] == steps.SUITES
    assert steps.SUITES == ("l1-budget", "headline", "cifar10-jpeg", "field")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--minutes", "0"], "--minutes 0"),
        (["--minutes", "nan"], "--minutes nan"),
        (["--minutes", "inf"], "--minutes inf"),
        (["--out", __file__], "--out .*test_gpu_check.py: cannot be written"),
        (["--device", "cdua"], "cdua"),
        (["--data", "nowhere"], "nowhere: no such folder"),
        (["--only", "prof"], "prof.*proofs"),
        (["take", "nowhere.tar.gz"], "nowhere.tar.gz: no such file"),
        (["take", "nowhere.tar.gz", "--doc", "nowhere.md"], "nowhere.md: no such file"),
    ],
)
def test_mistakes_are_one_line(
    words: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = [] if words[0] == "take" else ["--work", str(tmp_path / "work")]
    device = [] if words[0] in ("take", "--device") else ["--device", "cpu"]
    assert main([*words, *place, *device]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert re.search(says, lines[0])
    assert not list(tmp_path.rglob("*.*"))


def _begin(folder: Path, minutes: str) -> subprocess.Popen[bytes]:
    words = ["--device", "cpu", "--minutes", minutes, "--only", "facts,study"]
    words += ["--work", str(folder / "work"), "--out", str(folder / "out")]
    return subprocess.Popen([sys.executable, "-m", "tools.gpu_check", *words])


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_call_that_is_killed_leaves_its_archive(tmp_path: Path, number: signal.Signals) -> None:
    process = _begin(tmp_path, "3")
    summary = tmp_path / "out" / "summary.json"
    try:
        for _ in range(1200):
            time.sleep(0.1)
            with contextlib.suppress(OSError, ValueError):
                if json.loads(summary.read_text())["steps"][0]["state"] == "done":
                    break
        process.send_signal(number)
        process.wait(30)
    finally:
        process.kill()
    with tarfile.open(tmp_path / "out" / "gpu-check.tar.gz") as tar:
        names = tar.getnames()
        inside = tar.extractfile("gpu-check/summary.json")
        assert inside is not None
        states = [s["state"] for s in json.loads(inside.read())["steps"]]
    assert states[0] == "done"
    if number == signal.SIGTERM:
        assert "running" not in states
    assert "gpu-check/tables/facts.json" in names


def test_the_second_call_goes_on_from_records(tmp_path: Path) -> None:
    """Records of earlier calls come in by --done; logs and tables of the last call do not stay."""
    from tools.gpu_check.__main__ import _prepare

    place = filled(tmp_path)
    archive.write(tmp_path / "earlier.tar.gz", [train(tiny(seed=7), HERE)])
    _prepare(place, [tmp_path / "earlier.tar.gz"], afresh=True)
    assert len(list(Store.open(place.results / "runs").ids())) == 3
    assert not place.logs.exists()
    assert not place.tables.exists()
    again = replace(place, minutes=1.0)
    assert again.results == place.results
