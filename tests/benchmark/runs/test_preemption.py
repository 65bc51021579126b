"""Expected times under preemption against a simulation, known values and limits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nlbench.benchmark.runs.preemption import Pace, expected, expected_in_parts
from nlbench.benchmark.store.index import facts_of
from nlbench.benchmark.store.outcomes import Outcome
from tests.helpers.records import sound
from tests.helpers.runs import tiny


def simulated(work: float, mean: float, part: float, draws: np.random.Generator) -> float:
    """Time until all parts are done, each begun anew when a machine is taken away within it."""
    clock, done, taken = 0.0, 0.0, draws.exponential(mean)
    while done < work:
        now = min(part, work - done)
        if clock + now <= taken:
            clock, done = clock + now, done + now
        else:
            clock, taken = taken, taken + draws.exponential(mean)
    return clock


@pytest.mark.parametrize(
    ("work", "mean", "part"), [(2.0, 1.0, 2.0), (2.0, 1.0, 0.3), (5.0, 2.0, 1.0), (1.0, 10.0, 0.5)]
)
def test_it_is_the_mean_of_many_simulated_runs(work: float, mean: float, part: float) -> None:
    draws = np.random.Generator(np.random.Philox(7))
    times = [simulated(work, mean, part, draws) for _ in range(4000)]
    error = float(np.std(times)) / math.sqrt(len(times))
    assert abs(float(np.mean(times)) - expected_in_parts(work, mean, part)) < 4 * error


def test_known_values_and_limits() -> None:
    assert expected(5.0, 2.0) == pytest.approx(22.365, abs=1e-3)  # hours: 5 h take 22 h
    assert expected(1.0, 1e12) == pytest.approx(1.0)
    assert expected_in_parts(5.0, 2.0, 5.0) == pytest.approx(expected(5.0, 2.0))
    assert expected_in_parts(5.0, 2.0, 1e-6) == pytest.approx(5.0, rel=1e-5)
    assert expected(1e6, 1.0) == math.inf


def test_the_pace_is_that_of_runs_that_ended_well() -> None:
    assert Pace.of([]) is None
    good = sound(tiny())
    pace = Pace.of([Outcome(good.spec, 0, *facts_of(good))])
    assert pace is not None
    assert pace.run == good.timing["seconds"]
    assert pace.epoch == pace.run / good.spec.recipe.epochs
