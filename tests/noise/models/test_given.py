"""Labels of unknown truth: nothing may be claimed of them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from nlbench import noise
from nlbench.noise import NoiseError

LABELS = np.arange(60) % 10


def test_the_labels_stay_and_nothing_is_claimed_of_them() -> None:
    made = noise.make("given", LABELS, num_classes=10, seed=3, dataset="animal10n")
    assert np.array_equal(made.noisy, LABELS)
    assert not made.truth_known
    assert math.isnan(made.realised_rate)
    facts = json.loads(json.dumps(made.describe(), allow_nan=False))
    unknown = ("nominal", "realised", "per_class", "transition", "flipped")
    assert [facts[name] for name in unknown] == [None] * 5
    assert facts["details"] == {"truth": "unknown", "estimated_rate": 0.08}
    clean = noise.make("clean", LABELS, num_classes=10, seed=3)
    assert clean.truth_known
    assert clean.describe()["realised"] == 0.0
    assert clean.describe()["flipped"] == 0


def test_an_estimate_is_only_there_where_one_was_published() -> None:
    made = noise.make("given", LABELS, num_classes=10, seed=0, dataset="clothing1m")
    assert made.describe()["details"] == {"truth": "unknown"}


def test_a_file_of_them_is_read_again(tmp_path: Path) -> None:
    made = noise.make("given", LABELS, num_classes=10, seed=0)
    again = noise.NoisyLabels.load(made.save(tmp_path / "given.npz"))
    assert again.fingerprint == made.fingerprint
    assert not again.truth_known


def test_what_needs_the_truth_is_refused() -> None:
    with pytest.raises(NoiseError, match="true labels are unknown"):
        noise.make("given+symmetric:0.2", LABELS, num_classes=10, seed=0)
    with pytest.raises(NoiseError, match="true labels are not known"):
        noise.audit(noise.make("given", LABELS, num_classes=10, seed=0))
