"""The tests marked gpu, one process a file, side by side; a failure stops none of them.

Off a GPU they are all skipped: then one process sees that they can be collected.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlbench.benchmark.machine.device import cores, resolve
from tools.gpu_check import words

TABLE = "tests.json"
ROOT = Path(__file__).resolve().parents[2]
# pytest's: nothing was collected, or all of it deselected.
NOTHING = 5
MARK = re.compile(r"^(@|pytestmark = )pytest\.mark\.gpu", re.MULTILINE)


@dataclass
class Shard:
    """The tests of some files in a process of their own."""

    files: Sequence[Path]
    junit: Path
    process: subprocess.Popen[bytes]

    def result(self) -> dict[str, Any]:
        """Counts and failures from its junit file; without a whole one, that it did not end."""
        status = self.process.returncode
        counts = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
        failed: list[str] = []
        for suite in _suites(self.junit):
            counts = {name: counts[name] + int(suite.get(name, 0)) for name in counts}
            cases = (c for c in suite.iter("testcase") if {"failure", "error"} & {x.tag for x in c})
            failed += [case.get("name", "") for case in cases]
        state = "out of time" if status is None else "died" if status < 0 else "ended"
        facts = {"file": named(self.files), "state": state, "status": status}
        return {**facts, **counts, "failed": failed}


def _suites(junit: Path) -> list[ET.Element]:
    """What a junit file holds; nothing if it was not written to its end."""
    try:
        return list(ET.parse(junit).iter("testsuite"))
    except (FileNotFoundError, ET.ParseError):
        return []


def marked(folder: Path) -> list[Path]:
    """The test files that have a test marked gpu: only they are read, whatever others import."""
    return sorted(p for p in folder.rglob("test_*.py") if MARK.search(p.read_text("utf-8")))


def named(files: Sequence[Path]) -> str:
    """Their names."""
    return ", ".join(path.name for path in files)


def run(
    groups: Sequence[Sequence[Path]], tables: Path, logs: Path, until: float, beside: int
) -> list[dict[str, Any]]:
    """One result per group of files; those still running when the time is over are ended."""
    waiting, running, results = deque(groups), list[Shard](), list[dict[str, Any]]()
    while (waiting or running) and time.monotonic() < until:
        while waiting and len(running) < beside:
            running.append(_start(waiting.popleft(), tables, logs))
        time.sleep(0.1)
        for shard in [s for s in running if s.process.poll() is not None]:
            running.remove(shard)
            results.append(shard.result())
            words.write(tables / TABLE, results)
    for shard in running:
        results.append(shard.result())
        shard.process.kill()
        shard.process.wait()
    results += [{"file": named(rest), "state": "not begun", "status": None} for rest in waiting]
    words.write(tables / TABLE, results)
    return results


def _start(files: Sequence[Path], tables: Path, logs: Path) -> Shard:
    tables.mkdir(parents=True, exist_ok=True)
    logs.mkdir(parents=True, exist_ok=True)
    name = files[0].stem
    junit = tables / f"junit-{name}.xml"
    junit.unlink(missing_ok=True)  # of an earlier call
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-p", "no:cacheprovider", "-v"]
    with (logs / f"tests-{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--junitxml={junit}", *map(str, files)], cwd=ROOT, stdout=log, stderr=log
        )
    return Shard(files, junit, process)


def sound(result: dict[str, Any]) -> bool:
    """Whether all tests of a group passed, or were skipped."""
    return result["state"] == "ended" and result["status"] in (0, NOTHING)


def main() -> int:
    """Run them; the exit status is 1 if a test failed or a file did not come to its end."""
    parser = words.options(__doc__ or "")
    parser.add_argument("--logs", type=Path, required=True)
    args = parser.parse_args()
    files = marked(ROOT / "tests")
    groups = [[path] for path in files] if resolve(args.device).type == "cuda" else [files]
    results = run(groups, args.tables, args.logs, words.end(args), max(1, cores() // 2))
    for result in results:
        print(result)
    return 0 if all(map(sound, results)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
