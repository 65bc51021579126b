from __future__ import annotations

import json

import numpy as np
import pytest

from nlbench import noise
from nlbench.noise import NoiseError, NoisyLabels

K = 10


def looks(n: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images of ten classes with four looks each, so that look-alikes exist."""
    rng = np.random.default_rng(seed)
    labels, look = rng.integers(0, K, n), rng.integers(0, 4, n)
    base = rng.integers(40, 200, (K, 4, 1, 6, 6))
    images = base[labels, look] + rng.integers(-10, 10, (n, 1, 6, 6))
    return labels, images.astype(np.uint8)


LABELS, IMAGES = looks()


def make(spec: str, seed: int = 0) -> NoisyLabels:
    return noise.make(
        spec, LABELS, num_classes=K, seed=seed, features=IMAGES, dataset="fashion_mnist"
    )


@pytest.mark.parametrize(
    ("spec", "nearest", "rate"),
    [
        ("symmetric:0.4", "symmetric", 0.4),
        ("pair:0.3", "pair", 0.3),
        ("asymmetric:0.3", "asymmetric:fashion_mnist/gce", 0.3),
        ("asymmetric:0.2:map=cifar10/standard", "asymmetric:cifar10/standard", 0.2),
    ],
)
def test_nearest_model_is_the_one_that_drew_the_labels(
    spec: str, nearest: str, rate: float
) -> None:
    fits = noise.audit(make(spec))["class_conditional"]
    assert fits[0]["model"] == nearest
    assert fits[0]["rate"] == pytest.approx(rate, abs=0.002)
    assert fits[0]["distance"] < 0.05 < fits[1]["distance"]
    assert [fit["distance"] for fit in fits] == sorted(fit["distance"] for fit in fits)


def test_distance_is_the_total_variation_by_hand() -> None:
    made = make("symmetric:0.4")
    matrix = made.transition_counts / made.transition_counts.sum(axis=1, keepdims=True)
    pair = 0.0
    rate = np.mean([matrix[i, (i + 1) % K] for i in range(K)])
    share = np.bincount(LABELS) / len(LABELS)
    rate = sum(made.transition_counts[i, (i + 1) % K] for i in range(K)) / len(LABELS)
    for i in range(K):
        row = np.zeros(K)
        row[i], row[(i + 1) % K] = 1 - rate, rate
        pair += share[i] * 0.5 * np.abs(matrix[i] - row).sum()
    found = {fit["model"]: fit["distance"] for fit in noise.audit(made)["class_conditional"]}
    assert found["pair"] == pytest.approx(pair)


def test_class_conditional_noise_shows_no_instance_dependence() -> None:
    values = [noise.audit(make("symmetric:0.4", s), IMAGES)["instance"] for s in range(3)]
    p = [v[key]["p"] for v in values for key in ("label", "flip", "target")]
    assert np.mean(np.array(p) <= 0.05) < 0.4
    assert max(abs(v["label"]["excess"]) for v in values) < 0.02


def test_part_dependent_noise_shows_in_the_targets_and_not_in_the_flips() -> None:
    found = noise.audit(make("instance:0.4"), IMAGES)["instance"]
    assert found["target"]["p"] == 0.005
    assert found["target"]["excess"] > 0.1
    assert found["flip"]["excess"] < 0.02


def test_confidence_noise_shows_in_the_flips() -> None:
    # a "network" that finds two looks of every class confusable
    rng = np.random.default_rng(0)
    bright = IMAGES.reshape(len(IMAGES), -1).astype(float)
    score = bright @ rng.normal(size=36)
    softmax = np.full((len(LABELS), K), 0.01)
    softmax[np.arange(len(LABELS)), (LABELS + 1) % K] = 0.1 + 0.4 * (score > np.median(score))
    softmax[np.arange(len(LABELS)), LABELS] += 1 - softmax.sum(axis=1)
    made = noise.make("confidence:0.3", LABELS, num_classes=K, seed=0, features=softmax)
    found = noise.audit(made, IMAGES)["instance"]
    assert found["flip"]["excess"] > 0.2
    assert found["flip"]["p"] == 0.005


def test_clean_labels_have_nothing_to_explain() -> None:
    found = noise.audit(make("clean"), IMAGES)
    assert found["instance"]["target"]["pairs"] == 0
    assert found["instance"]["flip"]["excess"] is None
    assert all(row["commonest"] is None for row in found["classes"])
    assert found["class_conditional"][0]["rate"] == 0


def test_audit_is_plain_json_and_repeatable() -> None:
    one, two = (json.dumps(noise.audit(make("instance:0.4"), IMAGES)) for _ in range(2))
    assert one == two
    rows = json.loads(one)["classes"]
    assert [row["class"] for row in rows] == list(range(K))
    assert sum(row["flipped"] for row in rows) == make("instance:0.4").flipped.sum()
    with pytest.raises(NoiseError, match="3 rows of features for 4000 labels"):
        noise.audit(make("clean"), IMAGES[:3])


def test_compare_two_sets() -> None:
    one, other = make("symmetric:0.2"), make("symmetric:0.4")
    found = noise.compare(one, other)
    assert found["flipped_in_one"] == 0
    assert found["flipped_in_both"] == one.flipped.sum()
    assert found["same_target"] == 1.0
    assert found["jaccard"] == pytest.approx(one.flipped.sum() / other.flipped.sum())
    assert found["agreement"] == np.mean(one.noisy == other.noisy)
    assert noise.compare(one, one)["identical"]
    assert noise.compare(one, one)["kappa"] == pytest.approx(1)
    independent = noise.compare(make("symmetric:0.9"), make("symmetric:0.9", 1))
    assert abs(independent["kappa"]) < 0.05
    with pytest.raises(NoiseError, match="not of the same samples"):
        noise.compare(one, noise.make("clean", LABELS[::-1], num_classes=K, seed=0))


def test_a_thousand_classes_are_no_problem() -> None:
    labels = np.arange(20_000) % 1000
    made = noise.make("pair:0.3", labels, num_classes=1000, seed=0)
    assert noise.audit(made)["class_conditional"][0]["model"] == "pair"
