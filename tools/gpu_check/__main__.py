"""``python -m tools.gpu_check``: all checks that need a GPU; ``take`` imports the results."""

from __future__ import annotations

import argparse
import math
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.machine.device import resolve
from nlbench.benchmark.machine.environment import environment
from nlbench.benchmark.store import archive
from nlbench.benchmark.store.merge import merge
from nlbench.benchmark.store.store import Store
from tools.gpu_check import package, take
from tools.gpu_check.conduct import Done, carry_out
from tools.gpu_check.facts import code
from tools.gpu_check.steps import Place, Step, steps, suites

TEXT = """\
Do all of docs/gpu.md within --minutes: facts of the GPU, proofs of backend graph, the tests marked
gpu, speed, and the study for as long as there is time. A step that fails, hangs or is killed ends
alone. OUT/gpu-check.tar.gz holds logs, tables and records; it is written anew after each step and
every 20 seconds, so what a killed call had found out is there. At home:

  python -m tools.gpu_check take gpu-check.tar.gz

The exit status is 0 if every step ended well, 1 if one did not, 2 for bad input.
"""


# First line of the summary of a rehearsal.
REDUCED = """\
On a CPU less is done: proofs of one method of each kind on cnn_small, of steps that are not
recorded; the tests marked gpu are only collected; of the ways to train four are timed for a step
each; the study is a suite of seconds. No figure is one of a GPU."""


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one call, or take in its archive."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return take.main(words[1:]) if words[:1] == ["take"] else _call(_parser().parse_args(words))
    except UserError as error:
        print(f"gpu_check: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.gpu_check",
        description=TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of data sets")
    parser.add_argument("--minutes", type=float, default=10.0, metavar="M", help="default 10")
    parser.add_argument("--device", default="cuda", help="cuda (default), cuda:N; cpu: a rehearsal")
    parser.add_argument(
        "--out", type=Path, default=Path("gpu-out"), metavar="DIR", help="default gpu-out"
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("gpu-work"),
        metavar="DIR",
        help="folder to work in (default gpu-work); its records are gone on from",
    )
    parser.add_argument(
        "--done", nargs="*", default=(), type=Path, metavar="FILE", help="records to go on from"
    )
    parser.add_argument("--only", metavar="A,B", help="only these steps, with the tables there are")
    return parser


def _call(args: argparse.Namespace) -> int:
    if not 0 < args.minutes < math.inf:
        raise UserError(f"--minutes {args.minutes} must be a number above 0")
    deadline = time.monotonic() + 60 * args.minutes
    if args.data is not None and not args.data.is_dir():
        raise UserError(f"--data {args.data}: no such folder")
    place = Place(args.device, args.work, args.data, args.minutes)
    todo = _chosen(list(steps(place)), args.only)
    facts = _facts(place)
    for name, folder in (("--work", args.work), ("--out", args.out)):
        _make(name, folder)
    _prepare(place, args.done, afresh=args.only is None)
    # Ended from outside, what runs is ended too, and what is known is packed.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: sys.exit(128 + number))

    def save(done: Sequence[Done]) -> None:
        try:
            package.write(place, done, facts, args.out)
        except (OSError, UserError) as error:  # the next time may go better
            _say(f"the archive could not be written: {error}")

    done = carry_out(todo, place, save, _say, deadline)
    _say(f"{args.out / package.NAME}.tar.gz")
    return 0 if all(step.state == "done" for step in done) else 1


def _chosen(todo: list[Step], only: str | None) -> list[Step]:
    names = [step.name for step in todo]
    wanted = names if only is None else only.split(",")
    for name in wanted:
        if name not in names:
            raise unknown("step", name, names, "--only")
    return [step for step in todo if step.name in wanted]


def _facts(place: Place) -> dict[str, Any]:
    return {
        "started": datetime.now(UTC).isoformat(timespec="minutes"),
        "minutes": place.minutes,
        "suites": list(suites(place.on_card)),
        "rehearsal": None if place.on_card else REDUCED,
        "code": code(),
        **environment(resolve(place.device)),
    }


def _make(option: str, folder: Path) -> None:
    """Make a folder, and see before anything is done that files can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f"{option} {folder}: cannot be written ({error.strerror})") from error


def _prepare(place: Place, earlier: Sequence[Path], afresh: bool) -> None:
    """No logs and tables of an earlier call, but its records, and those of ``earlier``."""
    shutil.rmtree(place.logs, ignore_errors=True)
    if afresh:
        shutil.rmtree(place.tables, ignore_errors=True)
    for path in earlier:
        store = Store.open(place.results / "runs", create=True)
        merge(store, archive.read(path))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
