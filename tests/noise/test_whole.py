"""Files are whole or not there: whatever breaks off, and whoever reads meanwhile."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from nlbench.noise import whole

DIES = """
import itertools, os, sys
from nlbench.noise import whole
count = itertools.count(1)
def watch(event, _):
    if event in ("open", "os.scandir", "os.chmod", "os.rename", "os.fsync") and (
        next(count) == int(sys.argv[2])
    ):
        os._exit(77)
fsync = os.fsync
os.fsync = lambda fd: (sys.audit("os.fsync", fd), fsync(fd))
sys.addaudithook(watch)
whole.write_bytes(sys.argv[1], b"new" * 1000)
"""


def test_a_write_that_dies_anywhere_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    target, status, operation, left = tmp_path / "table.csv", 77, 0, 0
    while status == 77:
        operation += 1
        target.write_bytes(b"old")
        words = [sys.executable, "-c", DIES, str(target), str(operation)]
        status = subprocess.run(words, check=False, timeout=60).returncode
        assert target.read_bytes() == (b"old" if status == 77 else b"new" * 1000)
        left += len(list(tmp_path.iterdir())) - 1
        whole.write_text(target, "next")
        assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]
    assert status == 0
    assert operation >= 4
    assert left >= 1  # so that there was something to remove


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "merged.csv"
    target.write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            whole.write_bytes(target, bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"merged.csv": b"old"}


def test_an_exception_in_the_block_changes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with pytest.raises(ZeroDivisionError), whole.writing(target) as file:
        file.write(b"half" * (1 // 0))
    assert list(tmp_path.iterdir()) == []


def test_readers_never_see_a_part(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    whole.write_bytes(target, bytes(100_000))
    seen: set[int] = set()
    end = threading.Event()

    def read() -> None:
        while not end.is_set():
            seen.add(len(target.read_bytes()))

    reader = threading.Thread(target=read)
    reader.start()
    for size in (50_000, 100_000) * 20:
        whole.write_bytes(target, bytes(size))
    end.set()
    reader.join()
    assert seen <= {50_000, 100_000}


def test_links_modes_and_devices_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    whole.write_text(real, "one")
    umask = os.umask(0)
    os.umask(umask)
    assert real.stat().st_mode & 0o777 == 0o666 & ~umask
    real.chmod(0o640)
    link.symlink_to(real)
    whole.write_text(link, "two")
    assert link.is_symlink()
    assert real.read_text() == "two"
    assert real.stat().st_mode & 0o777 == 0o640
    whole.write_text(Path(os.devnull), "three")
    assert Path(os.devnull).is_char_device()
    with pytest.raises(IsADirectoryError):
        whole.write_text(tmp_path, "four")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.csv", "real.csv"]
    assert sorted(p.name for p in tmp_path.parent.glob(f".{tmp_path.name}.*")) == []


def test_what_is_being_written_is_no_leftover(tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    stranger = tmp_path / ".a.csv.backup"
    stranger.write_text("mine")
    with whole.writing(target) as file:
        file.write(b"slow")
        whole.write_bytes(target, b"fast")
        old = time.time() - 2 * whole.OLD
        (on_its_way,) = tmp_path.glob(".a.csv.????????")
        os.utime(on_its_way, (old, old))
        whole.remove_leftovers(target)
    assert target.read_bytes() == b"slow"
    assert sorted(p.name for p in tmp_path.iterdir()) == [".a.csv.backup", "a.csv"]


def test_text_that_is_no_unicode_is_escaped(tmp_path: Path) -> None:
    whole.write_text(tmp_path / "a.txt", "caf\udce9\n")
    assert (tmp_path / "a.txt").read_bytes() == b"caf\\udce9\n"
