"""The table of the bench of the engines, and the files it writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from nlbench.benchmark.machine.environment import environment
from nlbench.noise import whole

# The protocol: 50,000 images, 120 epochs.
IMAGES = 50_000 * 120
SPEED = "img/s"
SUITES = "in suites"
# Precisions of the shipped suites for a CPU and of those for a GPU.
PRECISIONS = {"cpu": ("float32",), "cuda": ("float32", "bf16")}
SLOWER = ", slower than the plain loop here"


def in_suites(precision: str | None, device: torch.device) -> str | None:
    """Whether shipped suites train in this precision on such a device; ``None``: nothing of ours.

    >>> in_suites("bf16", torch.device("cpu"))
    'no, none for a CPU asks for bf16'
    """
    if precision is None:
        return None
    kind = {"cpu": "CPU", "cuda": "GPU"}[device.type]
    asked = precision in PRECISIONS[device.type]
    return "yes" if asked else f"no, none for a {kind} asks for {precision}"


def marked(words: str | None, times: float) -> str | None:
    """What :func:`in_suites` says, with a mark where it is slower than the plain loop.

    Args:
        words: of :func:`in_suites`, perhaps marked already.
        times: how many times the speed of the plain loop it has.
    """
    if words is None or times >= 1:
        return words
    return words.removesuffix(SLOWER) + SLOWER


def line(
    model: str,
    engine: str,
    device: torch.device,
    speed: float,
    flops: int,
    peak: float,
    memory: float | None,
) -> dict[str, Any]:
    """The row of one engine.

    Args:
        model: name.
        engine: name.
        device: where.
        speed: images a second of all runs together.
        flops: operations of one image.
        peak: operations a second of this device at best.
        memory: peak GiB on the device, ``None`` on a CPU.
    """
    return {
        "model": model,
        "engine": engine,
        "device": str(device),
        SPEED: round(speed),
        "TFLOP/s": round(speed * flops / 1e12, 3),
        "% of floor": round(100 * speed * flops / peak, 1),
        "s/run": round(IMAGES / speed, 1),
        "runs/h": round(3600 * speed / IMAGES, 2),
        "peak GiB": None if memory is None else round(memory, 2),
    }


def failed(model: str, engine: str, device: torch.device, error: Exception) -> dict[str, Any]:
    """The row of an engine that raised: its error, and no figures."""
    words = f"{type(error).__name__}: {error}".splitlines()[0]
    return {"model": model, "engine": engine, "device": str(device), "error": words[:200]}


def compare_with_plain(rows: Sequence[dict[str, Any]]) -> None:
    """Add how many times the speed of its model's first engine each row has; mark the slower."""
    for row in rows:
        plain = next(r.get(SPEED) for r in rows if r["model"] == row["model"])
        if plain and SPEED in row:
            row["times plain"] = round(row[SPEED] / plain, 2)
            row[SUITES] = marked(row.get(SUITES), row[SPEED] / plain)


def write(rows: Sequence[dict[str, Any]], device: torch.device, out: Path) -> None:
    """engines.csv, and engines.png: runs per hour, engines that raised left out."""
    import matplotlib as mpl
    import pandas as pd

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    out.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame([{**row, **_facts(device)} for row in rows])
    whole.write_text(out / "engines.csv", table.to_csv(index=False))
    if SPEED not in table:
        return
    table = table.dropna(subset=[SPEED])
    names = list(dict.fromkeys(table["model"]))
    figure, axes = plt.subplots(
        1, len(names), figsize=(4 + 3 * len(names), 3.5), squeeze=False, layout="constrained"
    )
    for axis, name in zip(axes[0], names, strict=True):
        part = table[table["model"] == name].iloc[::-1]
        axis.barh(part["engine"], part["runs/h"], color="#4477aa")
        axis.set_title(f"{name} on {part['hardware'].iloc[0]}")
        axis.set_xlabel("runs of 120 epochs per hour")
    with whole.writing(out / "engines.png") as file:
        figure.savefig(file, dpi=150, format="png")
    plt.close(figure)


def _facts(device: torch.device) -> dict[str, Any]:
    """Hardware, torch and commit, for the file."""
    facts = environment(device)
    return {
        "hardware": facts["device"],
        **{key: facts[key] for key in ("torch", "commit", "dirty")},
    }
