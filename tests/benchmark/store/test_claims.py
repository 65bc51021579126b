"""One process has a run at a time, and what a dead one had is anybody's."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from nlbench.benchmark.store import claims as module
from nlbench.benchmark.store.claim_file import Owner
from nlbench.benchmark.store.claims import Claim, Claims, Held

RUN = "0123456789abcdef"


@pytest.fixture
def claims(tmp_path: Path) -> Claims:
    return Claims(tmp_path / "claims")


def test_a_run_is_claimed_once_until_it_is_released(claims: Claims) -> None:
    assert claims.owner(RUN) is None
    mine = claims.claim(RUN)
    assert mine is not None
    assert not mine.inherited
    assert claims.claim(RUN) is None
    assert claims.owner(RUN) == Owner.here()
    assert str(os.getpid()) in str(Owner.here())
    other = claims.claim("another")
    assert other is not None
    mine.release()
    assert claims.owner(RUN) is None
    again = claims.claim(RUN)
    assert again is not None
    for claim in (again, other):
        claim.release()
    assert list(claims.folder.iterdir()) == []


CLAIM = """
import os, sys
from pathlib import Path
from nlbench.benchmark.store.claims import Claims
assert Claims(Path(sys.argv[1])).claim(sys.argv[2])
os._exit(0)
"""


def test_the_claim_of_a_process_of_this_machine_ends_with_it(
    claims: Claims, repository: Path
) -> None:
    words = [sys.executable, "-c", CLAIM, str(claims.folder), RUN]
    subprocess.run(words, check=True, cwd=repository)
    assert claims.abandoned() == (RUN,)
    taken = claims.claim(RUN)
    assert taken is not None
    assert taken.inherited
    assert claims.owner(RUN) == Owner.here()
    assert claims.abandoned() == ()
    assert len(list(claims.folder.iterdir())) == 1


def elsewhere(claims: Claims, age: float) -> Path:
    """The claim of another machine, renewed so many seconds ago by the file server's clock."""
    claims.folder.mkdir(exist_ok=True)
    path = claims.folder / f"{RUN}.claim"
    path.write_text('{"host": "far", "machine": "other", "process": 7}')
    renewed = path.stat().st_mtime - age
    os.utime(path, (renewed, renewed))
    return path


def test_the_claim_of_another_machine_ends_with_its_time(claims: Claims) -> None:
    elsewhere(claims, module.STALE - 5)
    assert claims.owner(RUN) == Owner("far", "other", 7)
    assert claims.claim(RUN) is None
    elsewhere(claims, module.STALE + 5)
    assert claims.owner(RUN) is None
    taken = claims.claim(RUN)
    assert taken is not None
    assert taken.inherited


def test_times_are_those_of_the_file_server(
    claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(claims, 5)
    monkeypatch.setattr(time, "time", lambda: 1e10)
    assert claims.claim(RUN) is None


@pytest.mark.parametrize("kind", ["text", "folder", "fifo", "link", "loop"])
def test_what_is_no_claim_is_one_until_it_is_old(claims: Claims, kind: str) -> None:
    claims.folder.mkdir()
    path = claims.folder / f"{RUN}.claim"
    if kind == "text":
        path.write_text('{"process": "x", "host": []}')
    elif kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if kind == "link" else path)
    assert claims.claim(RUN) is None
    assert claims.owner(RUN) is not None
    os.utime(path, (1, 1), follow_symlinks=False)
    assert claims.claim(RUN) is not None
    assert claims.owner(RUN) == Owner.here()


KILLED = """
import os, sys
from pathlib import Path
from nlbench.benchmark.store import claims
claims.lock = lambda descriptor: os._exit(0)
claims.Claims(Path(sys.argv[1])).claim(sys.argv[2])
"""


def test_the_claim_of_a_process_that_died_before_it_wrote_its_name_ends_soon(
    claims: Claims, repository: Path
) -> None:
    words = [sys.executable, "-c", KILLED, str(claims.folder), RUN]
    subprocess.run(words, check=True, cwd=repository)
    assert claims.claim(RUN) is None, "it may be about to write it"
    path = claims.folder / f"{RUN}.claim"
    old = path.stat().st_mtime - module.UNNAMED - 1
    os.utime(path, (old, old))
    with path.open("rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert claims.claim(RUN) is None, "it is writing it"
    taken = claims.claim(RUN)
    assert taken is not None
    assert taken.inherited


def test_a_claim_that_was_taken_is_not_released_by_its_first_owner(claims: Claims) -> None:
    first = claims.claim(RUN)
    assert first is not None
    path = claims.folder / f"{RUN}.claim"
    os.utime(path, (1, 1))  # as if it had slept
    second = claims.claim(RUN)
    assert second is not None
    first.renew()
    first.release()
    assert claims.claim(RUN) is None
    second.release()
    assert list(claims.folder.iterdir()) == []


def test_held_claims_are_renewed_and_released(claims: Claims) -> None:
    path = claims.folder / f"{RUN}.claim"
    with Held(claims, beat=0.02) as held:
        assert held.take(RUN)
        assert held.take(RUN) is None
        os.utime(path, (1, 1))
        until = time.monotonic() + 30
        while path.stat().st_mtime == 1 and time.monotonic() < until:
            time.sleep(0.01)
        assert path.stat().st_mtime > 1
        assert held.take("another")
        held.release(["another"])
        assert claims.owner("another") is None
    assert list(claims.folder.iterdir()) == []


def _steal(claims: Claims, barrier: threading.Barrier, taken: list[Claim]) -> None:
    barrier.wait()
    if (claim := claims.claim(RUN)) is not None:
        taken.append(claim)


def test_one_of_many_thieves_wins(claims: Claims) -> None:
    """Threads, for a lock goes with an open file and not with a process."""
    rounds, thieves = 60, 6
    won = 0
    for _ in range(rounds):
        elsewhere(claims, module.STALE + 5)
        taken: list[Claim] = []
        work = (claims, threading.Barrier(thieves), taken)
        threads = [threading.Thread(target=_steal, args=work) for _ in range(thieves)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        won += len(taken)
        for claim in taken:
            claim.release()
    assert won == rounds
    assert list(claims.folder.iterdir()) == []


def _hold(folder: Path, ready: object) -> None:
    assert Claims(folder).claim(RUN)
    ready.set()  # type: ignore[attr-defined]
    time.sleep(60)


def test_a_killed_owner_is_dead_at_once(claims: Claims) -> None:
    fork = multiprocessing.get_context("fork")
    ready = fork.Event()
    process = fork.Process(target=_hold, args=(claims.folder, ready))
    process.start()
    assert ready.wait(60)
    owner = claims.owner(RUN)
    assert owner is not None
    assert owner.process == process.pid
    assert claims.claim(RUN) is None
    process.kill()
    process.join()
    assert claims.owner(RUN) is None
    assert claims.claim(RUN) is not None
