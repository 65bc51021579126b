"""Attacks in small: each holds for a few tries, and each can fail."""

from __future__ import annotations

import itertools
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from nlbench.benchmark.reliability import attack, mutations
from nlbench.benchmark.reliability.attack import Attack, Place, Tally, carry_out, wrong_answer
from nlbench.benchmark.reliability.registry import ATTACKS
from nlbench.cli import main

SMALL = {
    "deaths": 30, "readers": 20, "suites": 25, "noise": 25, "labels": 25, "words": 25,
    "submissions": 25,
}  # fmt: skip


def unheard(_tally: Tally) -> None:
    pass


@pytest.mark.parametrize("name", SMALL)
def test_it_holds(name: str, tmp_path: Path) -> None:
    (wanted,) = (each for each in ATTACKS if each.name == name)
    tally = carry_out(wanted, Place(main, tmp_path, 1), SMALL[name], 120, unheard)
    assert tally.failures == ()
    assert tally.tried == SMALL[name]
    assert tally.row()["held"] == SMALL[name]


def says(text: str, status: int) -> attack.Command:
    def command(_words: Sequence[str]) -> int:
        sys.stderr.write(text)
        return status

    return command


def raises(error: BaseException) -> attack.Command:
    def command(_words: Sequence[str]) -> int:
        raise error

    return command


def slow(_words: Sequence[str]) -> int:
    time.sleep(5)
    return 0


@pytest.mark.parametrize(
    ("command", "seen"),
    [
        (says("", 0), ""),
        (says("nlbench: no such file\n", 2), ""),
        (says("nlbench: a note\nnlbench: no such file\n", 2), ""),
        (raises(SystemExit(0)), ""),
        (says("", 2), "without a line of explanation"),
        (says("nlbench: a fault of nlbench\n", 70), "exit status 70"),
        (says("Traceback (most recent call last):\n", 1), "a traceback"),
        (raises(ZeroDivisionError("half")), "ZeroDivisionError: half"),
        (raises(MemoryError()), "MemoryError"),
        (raises(SystemExit("stopped")), "exit status 'stopped'"),
        (slow, "still at it after 1 s"),
    ],
)
def test_what_is_wrong_with_an_answer(
    command: attack.Command, seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attack, "LIMIT", 1)
    found = wrong_answer(command, ["run", "x\ny"])
    assert bool(found) == bool(seen)
    assert seen in found
    assert "\n" not in found.split(":")[0]
    assert signal.getsignal(signal.SIGALRM) in (signal.SIG_DFL, None)


def test_tries_end_by_number_or_by_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(_place: Place) -> Iterator[str]:
        yield from itertools.cycle(["", "", "it broke"])

    broken = Attack("broken", 9, make, "nothing")
    place = Place(main, tmp_path, 0)
    said: list[Tally] = []
    tally = carry_out(broken, place, 9, 60, said.append)
    assert said == [tally]
    assert tally.row() == {"attack": "broken", "tried": 9, "held": 6, "failed": 3, "seconds": 0}
    assert carry_out(broken, place, 9, 0, unheard).tried == 1
    monkeypatch.setattr(attack, "OFTEN", 0)
    said.clear()
    carry_out(broken, place, 4, 60, said.append)
    assert [tally.tried for tally in said] == [1, 2, 3, 4]


def test_a_seed_gives_the_same_mutations_and_another_gives_others() -> None:
    def first(seed: int) -> list[object]:
        rng = np.random.Generator(np.random.Philox(key=seed))
        some = [mutations.suites(rng), mutations.noise_lines(rng), mutations.command_lines(rng)]
        return [list(itertools.islice(each, 20)) for each in some]

    assert first(1) == first(1)
    assert first(1) != first(2)


def test_a_failed_try_is_printed_and_gives_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def make(_place: Place) -> Iterator[str]:
        yield "lost a record"

    monkeypatch.setattr(
        "nlbench.benchmark.reliability.registry.ATTACKS", (Attack("one", 1, make, "nothing"),)
    )
    assert main(["bench", "reliability", "--tries", "1"]) == 1
    said = capsys.readouterr()
    assert "lost a record" in said.err
    assert "one" in said.out
    assert main(["bench", "reliability", "--attacks", "two"]) == 2
