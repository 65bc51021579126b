"""Attacks on what is written: disks that fill up, readers beside a running report."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from nlbench import noise
from nlbench.benchmark.reliability.attack import Place, quietly, wrong_answer
from nlbench.benchmark.reliability.inputs import TINY

Files = dict[str, bytes]


def full_disks(place: Place) -> Iterator[str]:
    """Commands that write, on a disk with too little room: a tmpfs, or files that may not grow.

    Held: status 2 and a line, or status 0; every file is as before or as without the limit, and
    none else is there; the same command with room does the rest.
    """
    rng = noise.generator("nlbench-reliability", "disks", place.seed)
    results, suite = prepared(place)
    ground = place.folder / "ground"
    ground.mkdir()
    _fill(ground, results)
    jobs = _jobs(ground, results, suite)
    after = [_after(place, ground, words) for words in jobs]
    mounts = _can_mount(place.folder / "mounted")
    while True:
        job = int(rng.integers(len(jobs)))
        sizes = list(map(len, after[job].values()))
        mounted = mounts and bool(rng.integers(2))
        room = int(rng.integers(1, sum(sizes) if mounted else max(sizes)))
        before = _files(ground)
        at = place.folder / "mounted" if mounted else place.folder / "limited"
        with _tmpfs(at, before, room) if mounted else _folder(at, ground):
            words = [word.replace(str(ground), str(at)) for word in jobs[job]]
            with contextlib.nullcontext() if mounted else _no_larger(room):
                seen = wrong_answer(place.command, words, allowed=(0, 2))
            yield seen or _mixture(_files(at), before, after[job], f"{words[:2]}, room {room}")


def readers(place: Place) -> Iterator[str]:
    """Files of a report, read again and again while the report is made again and again.

    One text for each read; the report is the same each time, so every read must find the same.
    """
    results, suite = prepared(place)
    words = ["report", str(suite), "--results", str(results), "--workers", "1", "--only"]
    quietly(place, [*words, "leaderboard"])
    quietly(place, [*words, "tables"])
    folder = results / "reports" / "tiny"
    known = _files(folder)
    while True:
        report = threading.Thread(target=quietly, args=(place, [*words, "tables"]))
        report.start()
        try:
            while report.is_alive():
                for name, content in known.items():
                    path = folder / name
                    found = path.read_bytes() if path.exists() else None
                    torn = found != content
                    yield f"{name}: {found!r:.200} instead of {len(content)} bytes" if torn else ""
        finally:
            report.join()


def prepared(place: Place) -> tuple[Path, Path]:
    """A folder of results of a tiny suite, trained and reported, and the suite's file."""
    results, suite = place.folder / "results", place.folder / "tiny.toml"
    suite.write_text(TINY)
    quietly(
        place, ["run", str(suite), "--results", str(results), "--device", "cpu", "--workers", "1"]
    )
    where = ["--results", str(results), "--workers", "1", "--only", "leaderboard"]
    quietly(place, ["report", str(suite), *where])
    return results, suite


def _fill(ground: Path, results: Path) -> None:
    """What is there before: a label set, a leaderboard twice, an archive that is another."""
    labels = noise.make("symmetric:0.3", [k % 10 for k in range(500)], num_classes=10, seed=1)
    labels.save(ground / "labels.npz")
    (ground / "labels.csv").write_text("an earlier one\n")
    board = results / "reports" / "tiny" / "leaderboard.csv"
    for name in ("mine.csv", "yours.csv"):
        shutil.copy(board, ground / name)
    (ground / "piece.tar.gz").write_bytes(b"an earlier one")


def _jobs(ground: Path, results: Path, suite: Path) -> list[list[str]]:
    mine, yours = str(ground / "mine.csv"), str(ground / "yours.csv")
    here = ["--results", str(results)]
    report = ["report", str(suite), *here, "--workers", "1", "--out", str(ground / "report")]
    return [
        ["leaderboard", "merge", mine, yours, "--out", mine],
        ["noise", "export", str(ground / "labels.npz"), str(ground / "labels.csv")],
        ["noise", "make", "pair:0.2", "--dataset", "digits", "--out", str(ground / "labels.npz")],
        ["store", "export", str(ground / "piece.tar.gz"), *here],
        [*report, "--only", "leaderboard"],
        [*report, "--only", "tables"],
    ]


def _after(place: Place, ground: Path, words: Sequence[str]) -> Files:
    """What a command leaves where there is room."""
    with _folder(place.folder / "roomy", ground) as at:
        quietly(place, [word.replace(str(ground), str(at)) for word in words])
        return _files(at)


def _mixture(found: Files, before: Files, after: Files, where: str) -> str:
    """What is wrong with the files, empty if nothing is."""
    for name, content in found.items():
        if name.endswith("nlbench-files.txt"):
            continue
        if content not in (before.get(name), after.get(name)):
            return f"{where}: {name} is neither as before nor as after ({len(content)} bytes)"
    lost = [name for name in before if name not in found]
    return f"{where}: {lost[0]} is lost" if lost else ""


def _files(folder: Path) -> Files:
    paths = (path for path in folder.rglob("*") if path.is_file())
    # Merging names the files that rows are from, by their paths.
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().replace(str(folder).encode(), b".")
        for path in paths
    }


@contextlib.contextmanager
def _folder(at: Path, like: Path) -> Iterator[Path]:
    shutil.rmtree(at, ignore_errors=True)
    shutil.copytree(like, at)
    yield at


@contextlib.contextmanager
def _no_larger(size: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def _tmpfs(at: Path, holds: Files, room: int) -> Iterator[None]:
    """A disk in memory that holds these files and has so much room beside them, by the page."""
    page = os.sysconf("SC_PAGE_SIZE")
    pages = sum(-(-len(content) // page) for content in holds.values()) + 2 + room // page
    size = f"size={pages * page}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "none", str(at)], check=True)
    try:
        for name, content in holds.items():
            (at / name).parent.mkdir(parents=True, exist_ok=True)
            (at / name).write_bytes(content)
        yield
    finally:
        subprocess.run(["umount", str(at)], check=True)


def _can_mount(at: Path) -> bool:
    at.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(at)]
    if shutil.which("mount") is None or os.geteuid() != 0:
        return False
    if subprocess.run(words, check=False, capture_output=True).returncode:
        return False
    subprocess.run(["umount", str(at)], check=True)
    return True
