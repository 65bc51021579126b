"""How fast bf16 is on this device: a small convolutional step against float32, timed.

A processor's list of units does not show it: bf16 without units for it is emulated and many times
slower, and with them its gain depends on the kernels that torch has for them. So it is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle

import torch
from torch.nn import functional as F

from nlbench import noise
from nlbench.benchmark import models
from nlbench.benchmark.machine.device import repeatable
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.speed.peak_flops import timed

BATCH = 32
SECONDS = 1.0
# A step that takes so much longer than its rival is slower; a busy machine alone may do less.
SLOWER = 1.25


@dataclass(frozen=True)
class Speeds:
    """Steps a second of the same step, at best.

    Attributes:
        float32: in float32.
        bf16: under bf16 autocast.
    """

    float32: float
    bf16: float

    @property
    def ratio(self) -> float:
        """How many times as fast bf16 is."""
        return self.bf16 / self.float32

    @property
    def faster(self) -> str:
        """The faster precision, or ``either`` within a clock's error."""
        if self.ratio > SLOWER:
            return "bf16"
        return "float32" if self.ratio * SLOWER < 1 else "either"

    def __str__(self) -> str:
        """Both speeds and their ratio."""
        return (
            f"bf16 is {self.ratio:.2f} times as fast as float32 ({self.bf16:.3g} against"
            f" {self.float32:.3g} steps a second of a small convolutional network)"
        )


def probe(device: torch.device, threads: int = 1, seconds: float = SECONDS) -> Speeds:
    """Time a training step of ``cnn_small`` in both precisions, in turn, for about ``seconds``.

    Args:
        device: where.
        threads: CPU threads, as the runs will have.
        seconds: what it may take; on a slow machine each step is timed once nevertheless.
    """
    with repeatable(threads):
        steps = {name: _step(device, name == "bf16") for name in ("float32", "bf16")}
        best = fastest(steps, lambda once: timed(once, device), seconds)
    return Speeds(float32=1 / best["float32"], bf16=1 / best["bf16"])


def fastest(
    steps: Mapping[str, Callable[[], None]],
    measure: Callable[[Callable[[], None]], float],
    seconds: float,
) -> dict[str, float]:
    """Shortest time of each step; they take turns, for a busy machine slows whoever is on.

    Args:
        steps: by name; the first call of each is not counted, libraries set themselves up in it.
        measure: seconds of one call.
        seconds: no new round is begun after that.
    """
    left = seconds - sum(measure(once) for once in steps.values())
    best = {name: measure(once) for name, once in steps.items()}
    left -= sum(best.values())
    for name in cycle(steps):
        if left <= 0:
            return best
        took = measure(steps[name])
        best[name], left = min(best[name], took), left - took
    return best


def slow_bf16(
    specs: Iterable[RunSpec],
    device: torch.device,
    threads: int,
    measure: Callable[[torch.device, int], Speeds] | None = None,
) -> str:
    """A warning where runs ask for bf16 on a CPU on which it is slower than float32; else empty.

    Nothing is measured where no run asks for it, or on a GPU.
    """
    asked = [spec.recipe.precision == "bf16" for spec in specs]
    if device.type != "cpu" or not any(asked):
        return ""
    found = (measure or probe)(device, threads)
    if found.faster != "float32":
        return ""
    return (
        f"{sum(asked)} of {len(asked)} runs ask for bf16, for which this processor has no fast"
        f' units: {found}. A suite with precision = "float32" trains faster here; its runs have ids'
        " of their own"
    )


def bf16_elsewhere(specs: Sequence[RunSpec], device: torch.device) -> str:
    """A warning where runs ask for bf16 on CPUs that are not this machine's; else empty."""
    asked = sum(spec.recipe.precision == "bf16" for spec in specs)
    if device.type != "cpu" or not asked:
        return ""
    return (
        f"{asked} of {len(specs)} runs ask for bf16, which is slow on processors without units for"
        " it; the workers' are not measured from here: `nlbench doctor` on one of them does"
    )


def _step(device: torch.device, half: bool) -> Callable[[], None]:
    """One forward and backward pass of ``cnn_small`` on grey 28x28 images."""
    draws = noise.generator("precision").normal(size=(BATCH, 1, 28, 28))
    images = torch.from_numpy(draws).to(device, torch.float32)
    targets = torch.arange(BATCH, device=device) % 10
    network = models.build("cnn_small", (1, 28, 28), 10).to(device)
    network = network.to(memory_format=torch.channels_last).train()

    def once() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            logits = network(images)
        network.zero_grad(set_to_none=True)
        F.cross_entropy(logits.float(), targets).backward()  # type: ignore[no-untyped-call]

    return once
