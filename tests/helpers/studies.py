"""Small studies whose records a test sets one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from nlbench.benchmark.spec.canonical_json import sha256_of
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.spec.run_spec import DatasetSpec, MethodSpec, RunSpec
from nlbench.benchmark.store.record import RunRecord
from nlbench.reports.read.study import Study
from tests.helpers.records import SIZE, label_facts

Values = Mapping[tuple[str, str], Sequence[float | None]]


@dataclass
class Made:
    """A study and its records; a test may change either before building."""

    study: Study
    records: list[RunRecord] = field(default_factory=list)

    def change(self, method: str, line: str, seed: int, **changes: Any) -> None:
        """Replace fields of one record."""
        for i, record in enumerate(self.records):
            spec = record.spec
            if (spec.method.name, spec.noise, spec.seed) == (method, line, seed):
                self.records[i] = replace(record, **changes)
                return
        raise AssertionError(f"no record of {method} {line} {seed}")


def make(values: Values, **words: Any) -> Made:
    """A study from accuracies in percent: (method, noise line) -> one value per seed.

    ``None`` is a declared run without a record.
    """
    methods = list(dict.fromkeys(method for method, _ in values))
    seeds = max(len(v) for v in values.values())
    lines = list(dict.fromkeys(line for _, line in values))
    holdout = words.pop("holdout", 0.0)
    specs, records = [], []
    for line, seed, method in product(lines, range(seeds), methods):
        if (method, line) not in values or seed >= len(values[method, line]):
            continue
        spec = RunSpec(
            dataset=DatasetSpec("digits", None, holdout),
            model="mlp",
            method=MethodSpec.of(method, {}),
            noise=line,
            seed=seed,
            recipe=Recipe(epochs=2),
        )
        specs.append(spec)
        value = values[method, line][seed]
        if value is not None:
            records.append(record(spec, value))
    fields: dict[str, Any] = {
        "name": "small",
        "title": "A small study",
        "description": "Four words only.",
        "baseline": methods[0],
        **words,
    }
    digest = sha256_of(sorted(s.run_id for s in specs))
    return Made(Study(specs=tuple(specs), sha256=digest, **fields), records)


def record(spec: RunSpec, percent: float, **changes: Any) -> RunRecord:
    """A whole record; fingerprints depend on condition and seed, not on the method."""
    place = [spec.noise, spec.seed]
    words = spec.noise.split(":")
    stated = len(words) > 1 and words[0] != "human"
    nominal = float(words[1]) if stated else 0.0
    accuracy = percent / 100
    noisy = spec.noise != "clean"
    values: dict[str, Any] = {
        "status": "ok",
        "data_label": "Digits",
        "metrics": {
            "last": accuracy,
            "noisy_val": None,
            "clean_val": None,
            "oracle": accuracy,
            "oracle_epoch": 2,
        },
        "curves": {
            "train_loss": (2.0, 1.0),
            "test_accuracy": (0.5 * accuracy, accuracy),
            "clean_fit": (0.5, 0.9),
            "flipped_fit_given": (0.1, 0.4) if noisy else (None, None),
            "flipped_fit_true": (0.5, 0.4) if noisy else (None, None),
        },
        "noise": {**label_facts(spec), "nominal": nominal, "realised": nominal},
        "pairing": {
            key: sha256_of([key, *place])
            for key in ("data", "labels", "split", "init", "order", "augment")
        },
        "test_size": SIZE,
        "environment": {
            "nlbench": "0.1.0",
            "python": "3.11.2",
            "torch": "2.6.0",
            "device": "cpu",
            "threads": 1,
            "backend": "loop",
            "deterministic": True,
            "commit": "0123456789abcdef0123456789abcdef01234567",
            "dirty": False,
        },
        "timing": {"started": "2026-01-01T00:00:00+00:00", "seconds": 1.5},
        **changes,
    }
    return RunRecord(spec=spec, **values)
