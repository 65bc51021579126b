"""Processes that open a new store at the same time, and one that dies at a file operation.

A program of its own, since it forks hundreds of times, which only a process of one thread may:
``python store_race.py FOLDER`` prints as JSON what became of the processes.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
from pathlib import Path
from typing import Any

from nlbench.benchmark.store.store import MARKER, TEMPORARY, Store

PROCESSES, STORES = 8, 50
DIED, REFUSED = 77, 1
# What Python reports to audit hooks of the store's dealings with files.
WATCHED = {"open", "os.mkdir", "os.listdir", "os.scandir", "os.chmod", "os.rename", "os.fsync"}


def die_at(operation: int) -> None:
    """End this process, with nothing flushed or tidied, instead of its n-th file operation."""
    count = itertools.count(1)

    def watch(event: str, _: Any) -> None:
        if event in WATCHED and next(count) == operation:
            os._exit(DIED)

    # The one operation that is not reported; waiting for the disk 400 times would take long.
    os.fsync = lambda fd: sys.audit("os.fsync", fd)
    sys.addaudithook(watch)


def child(root: Path, start: int, operation: int = 0) -> int:
    """Fork a process that opens the store when ``start`` is closed; its number."""
    number = os.fork()
    if number:
        return number
    try:
        os.read(start, 1)
        die_at(operation)
        Store.open(root, create=True)
    except BaseException as error:  # noqa: BLE001  # whatever it is, the child must end here
        sys.stderr.write(f"{error!r}\n")
        os._exit(REFUSED)
    os._exit(0)


def together(root: Path, operations: list[int]) -> list[int]:
    """Exit statuses of processes that open one store at once, each dying at its operation."""
    start, hold = os.pipe()
    numbers = [child(root, start, operation) for operation in operations]
    os.write(hold, b"." * len(numbers))
    statuses = [os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) for number in numbers]
    os.close(start)
    os.close(hold)
    return statuses


def state(root: Path) -> str:
    """What is in the folder, once all are done."""
    if not root.is_dir():
        return "nothing"
    names = {"leftover" if TEMPORARY.fullmatch(p.name) else p.name for p in root.iterdir()}
    return ", ".join(sorted(names)) or "empty"


def killed_alone(root: Path, operation: int) -> dict[str, Any]:
    """One process dies; then the store is opened, and once more."""
    (status,) = together(root, [operation])
    left = state(root)
    (next_status,) = together(root, [0])
    Store.open(root, create=True)
    return {"status": status, "left": left, "next": next_status, "later": state(root)}


def main(folder: Path) -> dict[str, Any]:
    """All of it: alone at every operation, then eight processes in fifty stores."""
    alone: list[dict[str, Any]] = []
    while not alone or alone[-1]["status"] == DIED:
        alone.append(killed_alone(folder / f"alone{len(alone)}", len(alone) + 1))
    rush = []
    for number in range(STORES):
        operation = number % len(alone)  # 0: nobody dies
        root = folder / f"rush{number}"
        rush.append(together(root, [operation, *[0] * (PROCESSES - 1)]))
        assert (root / MARKER).is_file()
    return {"alone": alone, "rush": rush}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))))
