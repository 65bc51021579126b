"""Speed of the ways to train one network, a few steps of each; the table grows row by row."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from nlbench.benchmark.machine.device import cores, repeatable, resolve
from nlbench.benchmark.speed.engines import Contestant, contestants, measured
from nlbench.benchmark.speed.peak_flops import peak_flops, training_flops
from nlbench.benchmark.speed.table import compare_with_plain, failed, line
from tools.gpu_check import words

# Steps of a round and rounds: on a card about a second with compilation and recording left out.
STEPS = {"cuda": (100, 3), "cpu": (1, 1)}


def table(model: str, compiled: bool) -> str:
    """Name of the file of one process."""
    return f"speed-{model}{'-compiled' if compiled else ''}.json"


def chosen(compiled: bool) -> list[Contestant]:
    """Of the ways to train on a card those that are compiled, or those that are not."""
    return [c for c in contestants(torch.device("cuda")) if c.name.endswith("compiled") == compiled]


def rows(
    model: str, ways: list[Contestant], device: torch.device, until: float
) -> Iterator[dict[str, Any]]:
    """A row for each, until the time is over; one that raises has its error in its row."""
    steps, rounds = STEPS[device.type]
    peak, flops = peak_flops(device), training_flops(model)
    for way in ways:
        if time.monotonic() > until:
            error = TimeoutError("not tried: the time was over")
            yield failed(model, way.name, device, error)
            continue
        start = time.monotonic()
        try:
            speed, memory = measured(model, way, device, steps, rounds)
        except Exception as error:  # noqa: BLE001  # the others are still worth knowing
            yield failed(model, way.name, device, error)
            continue
        row = line(model, way.name, device, speed, flops, peak, memory)
        yield {**row, "runs": way.runs, "took": round(time.monotonic() - start, 1)}


def fastest(path: Path, seconds: float) -> tuple[int, float] | None:
    """How many slots end most runs within so many seconds, and how many one run then takes.

    ``None`` where no graph was timed.
    """
    timed = [row for row in words.read(path) or () if row["engine"].startswith("graph,")]
    # Runs side by side share the card: each takes as long as all of them. A test pass per epoch
    # and the start of a run come on top.
    walls = {row["runs"]: 1.15 * row["s/run"] * row["runs"] for row in timed if "s/run" in row}
    if not walls:
        return None
    slots = max(walls, key=lambda count: (int(seconds / walls[count]) * count, -walls[count]))
    return slots, walls[slots]


def main() -> int:
    """Time them; the exit status is 1 if one raised."""
    parser = words.options(__doc__ or "")
    parser.add_argument("--model", required=True)
    parser.add_argument("--compiled", action="store_true")
    args = parser.parse_args()
    device = resolve(args.device)
    found: list[dict[str, Any]] = []
    with repeatable(cores() if device.type == "cpu" else 1):
        for row in rows(args.model, chosen(args.compiled), device, words.end(args)):
            found.append(row)
            if not args.compiled:
                compare_with_plain(found)
            words.write(args.tables / table(args.model, args.compiled), found)
            print(row)
    return 1 if any("error" in row for row in found) else 0


if __name__ == "__main__":
    raise SystemExit(main())
