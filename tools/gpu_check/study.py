"""The study until the time is over: one suite after the other, by what proved itself.

A suite of which no run would end in the time left is passed over, but for the last one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from nlbench.benchmark.machine.device import resolve
from nlbench.benchmark.suites import suite as suites
from nlbench.cli import main as nlbench
from tools.gpu_check import words
from tools.gpu_check.proofs import MODELS, unproved
from tools.gpu_check.proofs import TABLE as PROOFS
from tools.gpu_check.speed import fastest, table

TABLE = "study.json"


@dataclass(frozen=True)
class Part:
    """How a suite was trained.

    Attributes:
        suite: name or path.
        backend: what trained it; empty if it was passed over.
        slots: runs side by side; ``None`` = the backend's own choice.
        reason: why this backend, or why none.
        status: exit status of ``nlbench run``: 1 means missing runs, as after any time limit;
            ``None``: it has not ended.
        seconds: it took.
    """

    suite: str
    backend: str
    slots: int | None
    reason: str
    status: int | None = None
    seconds: float = 0.0


def plan(name: str, device: str, tables: Path, left: float) -> tuple[Part, float]:
    """How a suite is to be trained in the seconds left, and how long no run may be begun for."""
    if resolve(device).type != "cuda":
        return Part(name, "loop", None, "there is no GPU"), left
    model = suites.load(name).specs[0].model
    if model not in MODELS["cuda"]:
        return Part(name, "auto", None, f"{model} is not among the proofs: it proves itself"), left
    reason = unproved(words.read(tables / PROOFS), model)
    # The loop is what everything else is proved against.
    proved = ("loop",) if reason else ("loop", "graph")
    way = fastest(tables / table(model, compiled=False), left, proved)
    if reason:
        part = Part(name, "loop", None, f"graph is not proved: {reason}")
    elif way is None:
        part = Part(name, "graph", None, "proved; nothing was timed")
    elif way.backend == "loop":
        part = Part(name, "loop", None, "graph is proved, but the loop ends more runs in time")
    else:
        part = Part(name, "graph", way.slots, "proved, ends most runs in time")
    return part, left - (0.0 if way is None else way.wall)


def carry_out(
    names: Sequence[str],
    device: str,
    tables: Path,
    run: Callable[[Part, float], int],
    until: float,
) -> list[Part]:
    """Suite after suite; ``run`` is given minutes after which no run is begun.

    A suite that graphs do not train after all is tried with the loop, and the next one goes on
    from there. The table is written whenever one is begun or ends.
    """
    done: list[Part] = []

    def save(*running: Part) -> None:
        words.write(tables / TABLE, [asdict(part) for part in (*done, *running)])

    for name in names:
        if (left := until - time.monotonic()) < 0:
            break
        part, left = plan(name, device, tables, left)
        if left < 0 and name != names[-1]:
            done.append(Part(name, "", None, "passed over: no run ends in the time left"))
            save()
            continue
        for way in _ways(part):
            start = time.monotonic()
            if start > until:
                break
            save(way)
            # Of the last suite a run is begun in any case: it may be faster.
            status = run(way, max(0.02, left / 60))
            done.append(replace(way, status=status, seconds=round(time.monotonic() - start, 1)))
            save()
            if status in (0, 1):
                break
            left = until - time.monotonic()
    return done


def _ways(part: Part) -> list[Part]:
    """How a suite is tried to be trained, one after the other."""
    if part.backend == "loop":
        return [part]
    return [part, Part(part.suite, "loop", None, f"{part.backend} ended with an error")]


def main() -> int:
    """Train; the exit status is 1 if ``nlbench run`` refused a suite."""
    parser = words.options(__doc__ or "")
    parser.add_argument("suites", nargs="+")
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    args = parser.parse_args()

    def run(part: Part, minutes: float) -> int:
        command = ["run", part.suite, "--device", args.device, "--backend", part.backend]
        command += ["--results", str(args.results), "--no-download", "--minutes", f"{minutes:.3f}"]
        command += [] if args.data is None else ["--data", str(args.data)]
        command += [] if part.slots is None else ["--slots", str(part.slots)]
        print(f"{part}\nnlbench {' '.join(command)}")
        return nlbench(command)

    done = carry_out(args.suites, args.device, args.tables, run, words.end(args))
    return 0 if all(part.status in (0, 1) or not part.backend for part in done) else 1


if __name__ == "__main__":
    raise SystemExit(main())
