from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlbench import noise
from nlbench.noise import NoiseError, NoisyLabels


def network(n: int, k: int, seed: int = 0, skill: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % k)
    logits = rng.normal(size=(n, k)) * 1.5
    logits[np.arange(n), labels] += skill
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return labels, e / e.sum(axis=1, keepdims=True)


def make(spec: str, labels: np.ndarray, softmax: np.ndarray, seed: int = 0) -> NoisyLabels:
    k = softmax.shape[1]
    return noise.make(spec, labels, num_classes=k, seed=seed, features=softmax)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 8), st.floats(0, 1, exclude_max=True), st.integers(0, 99))
def test_confidence_takes_the_highest_wrong_probabilities(k: int, rate: float, seed: int) -> None:
    labels, softmax = network(60, k, seed)
    made = make(f"confidence:{rate}", labels, softmax)
    assert abs(made.realised_rate - rate) <= 0.5 / 60 + 1e-12
    scored = []
    for i, y in enumerate(labels):
        wrong = [(p, c) for c, p in enumerate(softmax[i]) if c != y]
        score, target = max(wrong, key=lambda pair: (pair[0], -pair[1]))
        scored.append((-score, i, target))
    expected = labels.copy()
    for _, i, target in sorted(scored)[: int(made.flipped.sum())]:
        expected[i] = target
    assert np.array_equal(made.noisy, expected)


def test_confidence_sets_are_nested_and_do_not_depend_on_the_seed() -> None:
    labels, softmax = network(1000, 10)
    few, many = (make(f"confidence:{rate}", labels, softmax) for rate in (0.2, 0.4))
    assert np.array_equal(few.noisy[few.flipped], many.noisy[few.flipped])
    assert make("confidence:0.2", labels, softmax, seed=5).fingerprint == few.fingerprint
    assert "softmax_sha256" in few.details


@pytest.mark.parametrize("kind", ["1", "2", "3"])
@pytest.mark.parametrize("rate", [0.35, 0.7])
def test_pmd_follows_its_definition(kind: str, rate: float) -> None:
    n, k = 4000, 6
    labels, softmax = network(n, k)
    order = np.argsort(-softmax, axis=1, kind="stable")
    u, s = order[:, 0], order[:, 1]
    d = softmax[np.arange(n), u] - softmax[np.arange(n), s]
    f = {"1": 0.5 * (1 - d**2), "2": 1 - d**3, "3": 1 - (d**3 + d**2 + d) / 3}[kind]
    runs = [make(f"pmd:{rate}:type={kind}", labels, softmax, seed) for seed in range(30)]
    factor = float(str(runs[0].details["factor"]))
    keep = np.minimum(1, (1 - f) / factor)
    # the factor gives the expected rate of wrong labels
    expected = np.mean(keep * (u != labels) + (1 - keep) * (s != labels))
    assert expected == pytest.approx(rate, abs=1e-8)
    kept = np.mean([run.noisy == u for run in runs], axis=0)
    assert all(np.all((run.noisy == u) | (run.noisy == s)) for run in runs)
    spread = np.sqrt(np.maximum(keep * (1 - keep), 1e-9) / 30)
    z = ((kept - keep) / spread)[(keep > 0.05) & (keep < 0.95)]
    assert abs(z.mean()) < 5 / np.sqrt(len(z))
    assert 0.9 < z.std() < 1.1
    assert abs(np.mean([run.realised_rate for run in runs]) - rate) < 0.005


def test_pmd_rates_that_the_network_cannot_reach() -> None:
    labels, softmax = network(1000, 5, skill=1.0)
    wrong = float(np.mean(softmax.argmax(axis=1) != labels))
    assert wrong > 0.2
    with pytest.raises(NoiseError, match=f"first choices are wrong on {wrong:.4f}"):
        make("pmd:0.1", labels, softmax)


@pytest.mark.parametrize("spec", ["confidence:0.3", "pmd:0.35"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p[:, :-1], "expected floats of shape"),
        (np.log, r"not probabilities \(logits\?\)"),
        (lambda p: p * 2, "not probabilities"),
        (lambda p: np.where(p == p.max(), np.nan, p), "not finite"),
        (lambda p: (p > 0.5).astype(int), "expected floats"),
        (lambda p: p[1:], "99 rows of softmax for 100 labels"),
    ],
)
def test_bad_softmax_is_refused(spec: str, change: object, message: str) -> None:
    labels, softmax = network(100, 5)
    assert callable(change)
    with pytest.raises(NoiseError, match=message):
        noise.make(spec, labels, num_classes=5, seed=0, features=change(softmax))


def test_float32_softmax_is_accepted_and_left_alone() -> None:
    labels, softmax = network(500, 5)
    single = softmax.astype(np.float32)
    single.setflags(write=False)
    assert make("confidence:0.3", labels, single).flipped.sum() == 150
    assert abs(make("pmd:0.4", labels, single).realised_rate - 0.4) < 0.1


def test_golden_fingerprints() -> None:
    labels = np.arange(2000) ** 2 % 1009 % 10
    scores = (np.arange(20_000).reshape(2000, 10) ** 2 % 65521 % 97 + 1.0) / 64
    scores[np.arange(2000), labels] += 1.0
    softmax = scores / scores.sum(axis=1, keepdims=True)
    found = [make(spec, labels, softmax).fingerprint[:40] for spec in GOLDEN]
    assert found == list(GOLDEN.values())


GOLDEN = {
    "confidence:0.4": "839f6fe0d61ebad316eaa2fedc5a6e5de9cbb257",
    "pmd:0.6": "2a682c9d95dfd37cba67f913074ba23ffec8e552",
    "pmd:0.6:type=2": "ee5d67afc8fe3426f952438cce35a77d528cec6f",
    "pmd:0.6:type=3": "b7cfda1eaa82fbd99c4c81a47e35103c2887b6c1",
}
