"""The steps of the call, in the order in which they are worth having."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# Kept back at the end for the last records and the archive.
RESERVE = 15.0
# The shortest cap of a step: Python and torch alone take some seconds to start.
LEAST = 20.0
# In the order of what they are worth. The last one's runs take seconds: they fill the time in which
# no run of 120 epochs ends.
SUITES = ("l1-budget", "headline", "cifar10-jpeg", "field")
# Their replacement where there is no GPU: the same kinds of runs, of seconds.
REHEARSAL = "tools/gpu_check/rehearsal.toml"


@dataclass(frozen=True)
class Place:
    """Where and on what the call works.

    Attributes:
        device: ``cuda``, ``cuda:N`` or ``cpu``.
        work: folder of logs, tables and the store of records.
        data: folder of data sets, ``None`` for the default one.
        minutes: for everything.
    """

    device: str
    work: Path
    data: Path | None
    minutes: float

    @property
    def on_card(self) -> bool:
        """Whether this is a GPU."""
        return self.device.startswith("cuda")

    @property
    def tables(self) -> Path:
        """Folder of what steps find out, as files."""
        return self.work / "tables"

    @property
    def logs(self) -> Path:
        """Folder of what steps print."""
        return self.work / "logs"

    @property
    def results(self) -> Path:
        """Results folder of the study."""
        return self.work / "results"


@dataclass(frozen=True)
class Step:
    """One process.

    Attributes:
        name: of its log.
        words: after ``python -m``; ``--until TIME`` is added.
        seconds: told to end after so many, it is ended soon after; ``None``: whatever is left.
    """

    name: str
    words: tuple[str, ...]
    seconds: float | None


def steps(place: Place) -> Iterator[Step]:
    """Facts, proofs, tests, speed, study; caps shrink with the minutes, but not below LEAST."""
    share = min(1.0, place.minutes / 10)

    def step(name: str, module: str, seconds: float, *words: str) -> Step:
        common = ("--device", place.device, "--tables", str(place.tables))
        cap = max(LEAST, share * seconds)
        return Step(name, (f"tools.gpu_check.{module}", *common, *words), cap)

    yield step("facts", "facts", 30)
    yield step("proofs", "proofs", 120)
    yield step("tests", "shards", 70, "--logs", str(place.logs))
    for name, model, compiled, seconds in _speeds(place.on_card):
        yield step(name, "speed", seconds, "--model", model, *compiled)
    data = () if place.data is None else ("--data", str(place.data))
    study = ("--results", str(place.results), *data, *suites(place.on_card))
    yield Step("study", (*step("study", "study", 0).words, *study), None)


def suites(on_card: bool) -> Sequence[str]:
    """The studies, the first first."""
    return SUITES if on_card else (REHEARSAL,)


def _speeds(on_card: bool) -> Iterator[tuple[str, str, tuple[str, ...], float]]:
    """Compiled ones last: a compilation takes half a minute and can take the process along."""
    if not on_card:
        yield "speed-cnn_small", "cnn_small", (), 60
        return
    for model, plain, compiled in (("cnn8", 40, 30), ("resnet18", 40, 30)):
        yield f"speed-{model}", model, (), plain
        yield f"speed-{model}-compiled", model, ("--compiled",), compiled
