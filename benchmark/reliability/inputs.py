"""Attacks with broken input: whatever is given, a command answers with a status and a line."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nlbench import noise
from nlbench.benchmark.reliability import mutations
from nlbench.benchmark.reliability.attack import Place, quietly, wrong_answer
from nlbench.benchmark.store.store import Store

TINY = """
title = "Tiny"
methods = ["ce", "gce"]
noise = ["clean", "symmetric:0.4"]
seeds = 2
model = "mlp"
[dataset]
name = "digits"
train_per_class = 10
holdout = 0.2
[recipe]
epochs = 1
"""
HOSTS = ("noisy", "label", "clean", "", "a,b", '"', "=1+1", "é", "nan", "1", "\t")


def broken_suites(place: Place) -> Iterator[str]:
    """``status`` of mutated TOML files, and of one in ten the dry run and the report."""
    rng = noise.generator("nlbench-reliability", "suites", place.seed)
    store = ["--results", str(_results(place.folder))]
    path = place.folder / "mutated.toml"
    for number, content in enumerate(mutations.suites(rng)):
        path.write_bytes(content)
        seen = wrong_answer(place.command, ["status", str(path), *store])
        if not seen and number % 10 == 0:
            nothing = ["--data", str(place.folder / "nothing"), "--no-download"]
            dry = ["run", str(path), *store, *nothing, "--device", "cpu", "--dry-run"]
            report = ["report", str(path), *store, "--workers", "1"]
            seen = wrong_answer(place.command, dry) or wrong_answer(place.command, report)
        yield seen and f"{seen} [{content[:2000]!r}]"


def broken_noise_lines(place: Place) -> Iterator[str]:
    """``noise make`` of lines put together from words that lines have."""
    rng = noise.generator("nlbench-reliability", "noise", place.seed)
    words = ["--dataset", "digits", "--train-per-class", "20", "--out", str(place.folder / "a.npz")]
    for line in mutations.noise_lines(rng):
        yield wrong_answer(place.command, ["noise", "make", line, *words])


def broken_label_files(place: Place) -> Iterator[str]:
    """Label files, matrices and maps with changed headers, cells and bytes; damaged label sets."""
    rng = noise.generator("nlbench-reliability", "labels", place.seed)
    sound = place.folder / "sound.npz"
    clean = noise.make("symmetric:0.2", np.arange(200) % 10, num_classes=10, seed=0)
    clean.save(sound)
    files = dict(_label_files(clean, place.folder))
    made = ["--dataset", "digits", "--train-per-class", "20", "--out", str(place.folder / "b.npz")]
    names = list(files)
    while True:
        name = names[int(rng.integers(len(names)))]
        content = mutations.broken(files[name], rng)
        if name.endswith("csv") and rng.integers(2):
            head = ",".join(HOSTS[int(rng.integers(len(HOSTS)))] for _ in range(rng.integers(4)))
            content = head.encode() + b"\n" + files[name].partition(b"\n")[2]
        path = place.folder / f"mutated.{name.rpartition('.')[2]}"
        path.write_bytes(content)
        if name == "sound.npz":
            verbs: tuple[list[str], ...] = (
                ["inspect", str(path)],
                ["verify", str(path)],
                ["audit", str(path)],
                ["compare", str(sound), str(path)],
                ["export", str(path), str(place.folder / "c.csv")],
            )
            words = ["noise", *verbs[int(rng.integers(len(verbs)))]]
        else:
            lines = (f"file:{path}", f"transition:{path}", f"asymmetric:0.2:map={path}")
            words = ["noise", "make", lines[int(rng.integers(3))], *made]
        yield wrong_answer(place.command, words)


def broken_tables(place: Place) -> Iterator[str]:
    """``leaderboard merge`` and ``compare`` of mutated CSV files."""
    rng = noise.generator("nlbench-reliability", "tables", place.seed)
    results = _results(place.folder)
    suite = place.folder / "tiny.toml"
    suite.write_text(TINY)
    quietly(
        place, ["run", str(suite), "--results", str(results), "--device", "cpu", "--workers", "1"]
    )
    where = ["--results", str(results), "--workers", "1", "--only", "leaderboard"]
    quietly(place, ["report", str(suite), *where])
    board = results / "reports" / "tiny" / "leaderboard.csv"
    rows = [f"{m},{c},{s},0.{s + 5}" for m in ("ce", "gce") for c in ("a", "b") for s in range(3)]
    own = "\n".join(["method,condition,seed,accuracy", *rows]).encode()
    path, out = place.folder / "mutated.csv", place.folder / "out.csv"
    while True:
        which = bool(rng.integers(2))
        path.write_bytes(mutations.broken(board.read_bytes() if which else own, rng))
        words = ["leaderboard", "merge", str(board), str(path), "--out", str(out)]
        if not which:
            to = ["--out", str(place.folder / "own"), "--workers", "1", "--only", "leaderboard"]
            words = ["compare", str(path), *to]
        yield wrong_answer(place.command, words)


def broken_command_lines(place: Place) -> Iterator[str]:
    """Commands, options and values in any order."""
    rng = noise.generator("nlbench-reliability", "words", place.seed)
    _results(place.folder)
    (place.folder / "tiny.toml").write_text(TINY)
    (place.folder / "empty").mkdir(exist_ok=True)
    with contextlib.chdir(place.folder):
        for words in mutations.command_lines(rng):
            yield wrong_answer(place.command, words)


def _label_files(labels: noise.NoisyLabels, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Files of every kind that commands read, by name."""
    for kind in ("csv", "json", "npy"):
        path = noise.export(labels, folder / f"labels.{kind}")
        yield path.name, path.read_bytes()
    yield "sound.npz", (folder / "sound.npz").read_bytes()
    columns, matrix = io.BytesIO(), io.BytesIO()
    np.savez(columns, noisy=labels.noisy, clean=labels.clean)
    yield "columns.npz", columns.getvalue()
    np.save(matrix, np.full((10, 10), 0.1))
    yield "matrix.npy", matrix.getvalue()
    yield "matrix.csv", "\n".join([",".join(["0.1"] * 10)] * 10).encode()
    yield "map.json", b'{"0": 1, "1": 0, "2": 3}'
    yield "map.csv", b"source,target\n0,1\n1,0\n"


def _results(folder: Path) -> Path:
    """A folder of results with an empty store."""
    (folder / "nothing").mkdir(exist_ok=True)
    Store.open(folder / "results" / "runs", create=True)
    return folder / "results"
