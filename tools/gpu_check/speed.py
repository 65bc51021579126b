"""Speed of the ways to train one network, a few steps of each; the table grows row by row."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nlbench.benchmark.machine.device import cores, repeatable, resolve
from nlbench.benchmark.speed.engines import Contestant, contestants, measured
from nlbench.benchmark.speed.peak_flops import peak_flops, training_flops
from nlbench.benchmark.speed.table import compare_with_plain, failed, line
from tools.gpu_check import words

# Steps of a round and rounds: on a GPU about a second with compilation and recording left out.
STEPS = {"cuda": (100, 3), "cpu": (1, 1)}
# Which of a GPU's ways are tried on a CPU, whose figures mean nothing.
REHEARSED = (
    "plain loop (DataLoader, float32)",
    "loop, bf16",
    "graph, 1 slot(s)",
    "graph, 2 slot(s)",
)
BACKENDS = ("loop", "graph")


@dataclass(frozen=True)
class Way:
    """How runs are trained.

    Attributes:
        backend: loop or graph.
        slots: runs side by side.
        wall: seconds for that many runs.
    """

    backend: str
    slots: int
    wall: float


def table(model: str, compiled: bool) -> str:
    """Name of the file of one process."""
    return f"speed-{model}{'-compiled' if compiled else ''}.json"


def chosen(compiled: bool, on_card: bool = True) -> list[Contestant]:
    """Of the ways to train on a GPU those that are compiled, or those that are not.

    After the first, which the others are compared with, those with most runs at once: they decide
    how a study is trained, and time may end before all are timed.
    """
    ways = contestants(torch.device("cuda"))
    wanted = [way for way in ways if way.name.endswith("compiled") == compiled]
    wanted = wanted[:1] + sorted(wanted[1:], key=lambda way: -way.runs)
    return wanted if on_card else [way for way in wanted if way.name in REHEARSED]


def rows(
    model: str, ways: list[Contestant], device: torch.device, until: float
) -> Iterator[dict[str, Any]]:
    """A row for each, until the time is over; one that raises has its error in its row."""
    steps, rounds = STEPS[device.type]
    peak, flops = peak_flops(device), training_flops(model)
    for way in ways:
        if time.monotonic() > until:
            late = TimeoutError("not tried: the time was over")
            yield {**failed(model, way.name, device, late), "tried": False}
            continue
        start = time.monotonic()
        try:
            speed, memory = measured(model, way, device, steps, rounds)
        except Exception as error:  # noqa: BLE001  # the others are still worth knowing
            yield failed(model, way.name, device, error)
            continue
        row = line(model, way.name, device, speed, flops, peak, memory)
        yield {**row, "runs": way.runs, "took": round(time.monotonic() - start, 1)}


def fastest(path: Path, seconds: float, backends: Sequence[str] = BACKENDS) -> Way | None:
    """Of some backends the way that ends most bf16 runs within so many seconds; not compiled.

    ``None`` where none of them was timed.
    """
    names = {"loop, bf16": "loop", **{f"graph, {k} slot(s)": "graph" for k in (1, 2, 4, 8)}}
    timed = [row for row in words.read(path) or () if names.get(row["engine"]) in backends]
    # Runs side by side share the GPU: each takes as long as all of them. A test pass per epoch
    # and the start of a run come on top.
    ways = [
        Way(names[row["engine"]], row["runs"], 1.15 * row["s/run"] * row["runs"])
        for row in timed
        if "s/run" in row
    ]
    return max(ways, key=lambda w: (int(seconds / w.wall) * w.slots, -w.wall), default=None)


def main() -> int:
    """Time them; the exit status is 1 if one that was tried raised."""
    parser = words.options(__doc__ or "")
    parser.add_argument("--model", required=True)
    parser.add_argument("--compiled", action="store_true")
    args = parser.parse_args()
    device = resolve(args.device)
    found: list[dict[str, Any]] = []
    with repeatable(cores() if device.type == "cpu" else 1):
        ways = chosen(args.compiled, on_card=device.type == "cuda")
        for row in rows(args.model, ways, device, words.end(args)):
            found.append(row)
            if not args.compiled:
                compare_with_plain(found)
            words.write(args.tables / table(args.model, args.compiled), found)
            print(row)
    return 1 if any("error" in row and row.get("tried", True) for row in found) else 0


if __name__ == "__main__":
    raise SystemExit(main())
