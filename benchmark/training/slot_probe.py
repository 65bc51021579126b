"""Probe: how many runs side by side train fastest here, timed for a moment before the first run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from nlbench.benchmark.training.interleave import out_of_memory, release
from nlbench.benchmark.training.task import Task

# Most runs at once that are tried; more are not expected to give more runs an hour.
MOST = 8
# Twice as many runs at once must train so much faster together, else the smaller number is kept:
# it needs less memory, and a pack ends with fewer idle slots.
GAIN = 1.03
# Steps of each slot that are timed at once, and how often; the best time counts.
ROUNDS = 30
REPEATS = 3


class Paced(Protocol):
    """What can be timed: something that hands numbered steps to the device, and can wait."""

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        ...

    def step(self, number: int) -> None:
        """Hand one step to the device without waiting."""
        ...

    def wait(self) -> None:
        """Wait until all of them are done."""
        ...


S = TypeVar("S", bound=Paced)


@dataclass(frozen=True)
class Probe:
    """What was measured and chosen.

    Attributes:
        slots: runs side by side.
        rates: runs side by side -> steps a second of all of them together.
    """

    slots: int
    rates: Mapping[int, float]


def probe(
    build: Callable[[], S], room: Callable[[], bool], clock: Callable[[], float], most: int = MOST
) -> tuple[Probe, list[S]]:
    """Try 1, 2, 4, ... slots for as long as doubling them is faster and fits in memory.

    Args:
        build: makes one more slot, ready to step; may raise for lack of memory.
        room: whether another like the last one would fit; called before each but the first.
        clock: seconds.
        most: largest number tried.

    Returns:
        The choice, and the slots that it keeps; the others are released.

    Raises:
        Exception: whatever the first slot raises; and of a later one what is not lack of memory.
    """
    slots: list[S] = []
    rates: dict[int, float] = {}
    count = 1
    while count <= most and _grow(slots, count, build, room):
        rates[count] = pace(slots, clock)
        if rates[count] < GAIN * rates.get(count // 2, 0.0):
            break
        count *= 2
    chosen = choose(rates)
    if len(slots) > chosen:
        del slots[chosen:]
        release()
    return Probe(chosen, rates), slots


def pace(slots: Sequence[Paced], clock: Callable[[], float]) -> float:
    """Steps a second of all slots together, a step of each in turn; one untimed round first."""
    best = float("inf")
    for rounds in (1, *[ROUNDS] * REPEATS):
        start = clock()
        for number in range(rounds):
            for slot in slots:
                slot.step(number % slot.steps)
        for slot in slots:
            slot.wait()
        if rounds > 1:
            best = min(best, clock() - start)
    return ROUNDS * len(slots) / best


def choose(rates: Mapping[int, float]) -> int:
    """The smallest number of slots that no measured number beats by a factor of GAIN."""
    best = max(rates.values())
    return min(count for count, rate in rates.items() if rate * GAIN > best)


def speed_key(task: Task) -> tuple[object, ...]:
    """What decides the speed of a step: device, network but for its head, and kind of recipe."""
    recipe = task.recipe
    shapes = [
        (name, tuple(value.shape))
        for name, value in task.network.state_dict().items()
        if not name.startswith("head.")
    ]
    return (
        task.device,
        type(task.network),
        tuple(shapes),
        task.data.dataset.in_shape,
        (recipe.batch_size, recipe.precision, recipe.augment),
        (recipe.optimizer, recipe.momentum > 0, recipe.l1 > 0, recipe.clip_norm > 0),
    )


def _grow(slots: list[S], count: int, build: Callable[[], S], room: Callable[[], bool]) -> bool:
    """Make it ``count`` slots; False where memory does not allow it."""
    while len(slots) < count:
        if slots and not room():
            return False
        try:
            slots.append(build())
        except Exception as error:
            if not slots or not out_of_memory(error):
                raise
            error.__traceback__ = None  # it holds the tensors that are to be freed
            release()
            return False
    return True
