"""The attack on stores: crafted records beside sound ones, and every command that reads records."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlbench.benchmark.reliability import crafted
from nlbench.benchmark.reliability.crafted import Craft
from nlbench.benchmark.store import archive
from nlbench.benchmark.store.store import Store

Command = Callable[[Sequence[str]], int]
# Trained in two seconds; its records hold every part that there is.
SUITE = """\
title = "Attacked"
baseline = "ce"
methods = ["ce", "drainage"]
noise = ["symmetric:0.4"]
seeds = 2
model = "mlp"

[dataset]
name = "digits"
train_per_class = 20
holdout = 0.2
unknown = "classes:2"

[recipe]
epochs = 2
batch_size = 32
lr = 0.05
"""
STATUS, REPORT, EXPORT, IMPORT, MERGE, RUN = "status", "report", "export", "import", "merge", "run"
COMMANDS = (STATUS, REPORT, EXPORT, IMPORT, MERGE, RUN)


@dataclass(frozen=True)
class Case:
    """One crafted file.

    Attributes:
        name: what is wrong with it.
        craft: puts it in place.
        text: its content, where it has one: an archive can hold it too.
        must_fail: whether no reader may take it for a record.
        kept: whether it must stay where it is.
    """

    name: str
    craft: Craft
    text: bytes | None = None
    must_fail: bool = True
    kept: bool = False


@dataclass(frozen=True)
class Ground:
    """A trained suite whose records are attacked.

    Attributes:
        command: the command line, as a function of its words.
        folder: of all that the attack writes.
        victim: run id of the record in whose place crafted ones are put.
        sound: its text.
    """

    command: Command
    folder: Path
    victim: str
    sound: bytes

    @property
    def suite(self) -> str:
        """Path of the suite."""
        return str(self.folder / "attacked.toml")

    @property
    def clean(self) -> Path:
        """The results folder as it was trained."""
        return self.folder / "clean"


def prepare(command: Command, folder: Path) -> Ground:
    """Train the suite.

    Raises:
        RuntimeError: that did not succeed.
    """
    suite, clean = folder / "attacked.toml", folder / "clean"
    suite.write_text(SUITE)
    words = ["run", str(suite), "--results", str(clean), "--device", "cpu", "--workers", "1"]
    status, said = _called(command, words)
    if status != 0:
        raise RuntimeError(f"{' '.join(words)}: exit status {status}: {said}")
    store = Store.open(clean / "runs")
    # Of the method with an extra output and of seed 0: it holds pictures too.
    wanted = (
        r.run_id for r in store.records() if (r.spec.method.name, r.spec.seed) == ("drainage", 0)
    )
    victim = next(wanted)
    return Ground(command, folder, victim, store.path(victim).read_bytes())


def cases(ground: Ground) -> Iterator[Case]:
    """Every crafted file: what is no record first, then a value of another type at every place."""
    outside = ground.folder / "outside"
    outside.mkdir(exist_ok=True)
    for name, craft in crafted.files(outside).items():
        yield Case(name, craft)
    for name, text in crafted.texts(ground.sound):
        yield Case(name, _written(text), text)
    text = crafted.newer(ground.sound)
    yield Case("a newer schema", _written(text), text, kept=True)
    for name, text in crafted.replaced(ground.sound):
        yield Case(name, _written(text), text, must_fail=False)


def tries(
    command: Command, folder: Path, commands: Sequence[str] = COMMANDS, every: int = 1
) -> Iterator[str]:
    """A text for each case and command: empty where the promise held, else what was seen.

    Held: no exception; the crafted file named in one line and set aside (a newer record left alone,
    a file in an archive refused), exit status 1; the other records read. ``run`` repeats what it
    set aside and ends with 0.

    Args:
        command: the command line, as a function of its words.
        folder: an empty one.
        commands: of :data:`COMMANDS`.
        every: how many of the cases are taken: each, or each so many-th.
    """
    ground = prepare(command, folder)
    for number, case in enumerate(itertools.islice(cases(ground), 0, None, every)):
        for name in commands:
            if name != IMPORT or case.text is not None:
                yield attempt(ground, case, name, folder / f"try-{number}-{name}")


def attempt(ground: Ground, case: Case, name: str, place: Path) -> str:
    """One case and one command; what is wrong with what it did, empty if nothing is."""
    shutil.copytree(ground.clean, place)
    store = Store.open(place / "runs")
    path = store.path(ground.victim)
    try:
        words = _words(ground, case, name, place, path)
        status, said = _called(ground.command, words)
        wrong = _wrong(ground, case, name, status, said) or _left(case, name, path)
        return f"{case.name}, {name}: {wrong}"[:600] if wrong else ""
    finally:
        _remove(place)


def _words(ground: Ground, case: Case, name: str, place: Path, path: Path) -> list[str]:
    """Lays the case out and gives the command."""
    here, other = ["--results", str(place)], ["--results", str(place / "other")]
    if name == IMPORT:
        packed = place / "piece.tar.gz"
        texts = {
            r.run_id: r.to_json().encode() for r in Store.open(ground.clean / "runs").records()
        }
        archive.pack(packed, {**texts, ground.victim: case.text or b""})
        return ["store", "import", str(packed), *other]
    path.unlink()
    case.craft(path, ground.sound)
    return {
        STATUS: ["status", ground.suite, *here],
        REPORT: ["report", ground.suite, "--only", "leaderboard", "--workers", "1", *here],
        EXPORT: ["store", "export", str(place / "piece.tar.gz"), *here],
        MERGE: ["store", "merge", str(place), *other],
        RUN: ["run", ground.suite, "--device", "cpu", "--workers", "1", *here],
    }[name]


def _wrong(ground: Ground, case: Case, name: str, status: int | str, said: str) -> str:
    if isinstance(status, str):
        return status
    named = [line for line in said.splitlines() if ground.victim in line]
    right = 0 if name == RUN and not case.kept else 1
    if status != right and (case.must_fail or status not in (0, 1)):
        return f"exit status {status}: {said[-300:]}"
    if status == 1 and not named:
        return f"exit status 1, and nothing names {ground.victim}: {said[-300:]}"
    times = 2 if case.kept and name == REPORT else 1  # it is in the notes of the report itself too
    if case.must_fail and len(named) != times:
        return f"{len(named)} lines name the file instead of {times}: {said[-300:]}"
    return ""


def _left(case: Case, name: str, path: Path) -> str:
    """What is wrong with what lies in the record's place afterwards."""
    there = os.path.lexists(path)
    if case.kept or name in (EXPORT, MERGE, IMPORT):
        return "" if there else "the file is gone"
    if case.must_fail and there != (name == RUN):
        return "the file is not set aside" if there else "the run was not repeated"
    return ""


def _called(command: Command, words: Sequence[str]) -> tuple[int | str, str]:
    """Exit status, or the exception in words, and all that was printed."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            return command(words), said.getvalue()
        except SystemExit as end:
            return f"SystemExit {end.code}", said.getvalue()
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what is looked for
            return f"{type(error).__name__}: {error}", said.getvalue()


def _written(text: bytes) -> Craft:
    def craft(path: Path, _sound: bytes) -> None:
        path.write_bytes(text)

    return craft


def _remove(place: Path) -> None:
    for path in place.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o600)
    shutil.rmtree(place, ignore_errors=True)
