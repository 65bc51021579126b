"""A suite that tunes, and records of it that nobody trained."""

from __future__ import annotations

from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.suites import suite

GOOD = """
methods = ["ce", "gce", "drainage", "coteaching"]
noise = ["clean", "symmetric:0.4"]
seeds = 2
model = "mlp"
[dataset]
name = "digits"
holdout = 0.1
[recipe]
epochs = 1
milestones = [3, 5]
[tune]
budget = 4
seeds = [7, 8, 9]
"""


def parse(text: str = GOOD) -> suite.Suite:
    return suite.parse(text, "mine", "mine.toml")


def records(tuning: suite.Suite, best: int, skip: int = 0) -> list[RunRecord]:
    """Records in which setting number `best` of each method leads by its mean, not in each seed."""
    number: dict[object, dict[object, int]] = {}
    made = []
    for spec in tuning.specs:
        known = number.setdefault((spec.noise, spec.method.name), {})
        at = known.setdefault((spec.method, spec.recipe), len(known))
        value = {7: 0.2, 8: 0.9, 9: 0.9}[spec.seed] if at == best else 0.5
        curves = {"val_noisy": (0.99, value), "test_accuracy": (0.1, 0.9 - value)}
        made.append(RunRecord(spec=spec, status="ok", data_label="Digits", curves=curves))
    return made[skip:]
