from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from nlbench import noise
from nlbench.noise import NoiseError, NoisyLabels

LABEL_ONLY = ("symmetric", "pair", "asymmetric")
K = 10


def balanced(n: int, k: int = K) -> np.ndarray:
    return np.random.default_rng(n).permutation(np.arange(n) % k)


def make(spec: str, labels: np.ndarray, k: int = K, seed: int = 0) -> NoisyLabels:
    return noise.make(spec, labels, num_classes=k, seed=seed, dataset="cifar10")


def expected_matrix(kind: str, rate: float, k: int = K) -> np.ndarray:
    eye = np.eye(k)
    if kind == "symmetric":
        return (1 - rate) * eye + rate / (k - 1) * (1 - eye)
    if kind == "symmetric:include":
        return (1 - rate) * eye + rate / k
    if kind == "pair":
        return (1 - rate) * eye + rate * np.roll(eye, 1, axis=1)
    matrix = eye.copy()
    for source, target in {9: 1, 2: 0, 4: 7, 3: 5, 5: 3}.items():
        matrix[source, source], matrix[source, target] = 1 - rate, rate
    return matrix


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.45])
@pytest.mark.parametrize("kind", LABEL_ONLY)
def test_exact_counts_per_class(kind: str, rate: float) -> None:
    made = make(f"{kind}:{rate}", balanced(5000))
    off = made.transition_counts.sum(axis=1) - np.diag(made.transition_counts)
    wanted = np.rint(500 * (1 - np.diag(expected_matrix(kind, rate))))
    assert off.tolist() == wanted.tolist()
    if kind != "symmetric":
        assert np.array_equal(made.transition_counts, np.rint(500 * expected_matrix(kind, rate)))


@pytest.mark.parametrize(
    ("spec", "matrix"),
    [
        ("symmetric:0.4", expected_matrix("symmetric", 0.4)),
        ("symmetric:0.4:count=bernoulli", expected_matrix("symmetric", 0.4)),
        ("symmetric:0.4:true=include", expected_matrix("symmetric:include", 0.4)),
        ("symmetric:0.4:true=include:count=bernoulli", expected_matrix("symmetric:include", 0.4)),
        ("pair:0.3:count=bernoulli", expected_matrix("pair", 0.3)),
        ("asymmetric:0.3:count=bernoulli", expected_matrix("asymmetric", 0.3)),
    ],
)
def test_realised_matrix_over_seeds_is_the_nominal_one(spec: str, matrix: np.ndarray) -> None:
    labels = balanced(2000)
    counts = np.sum([make(spec, labels, seed=s).transition_counts for s in range(100)], axis=0)
    assert not np.any(counts[matrix == 0])
    for row, wanted in zip(counts, matrix, strict=True):
        seen, expected = row[wanted > 0], wanted[wanted > 0] * row.sum()
        if len(seen) > 1:
            # the diagonal of exact counts varies less than chance: only too much is a failure
            assert stats.chisquare(seen, expected).pvalue > 1e-4


def test_flips_are_uniform_over_the_samples_of_a_class() -> None:
    labels = balanced(200)
    hits = sum(make("symmetric:0.3", labels, seed=seed).flipped for seed in range(2000))
    # hypergeometric per class: 6 of 20
    z = (hits - 600) / np.sqrt(2000 * 0.3 * 0.7)
    assert np.abs(z).max() < 5
    assert 0.8 < z.std() < 1.2


def test_bernoulli_counts_have_binomial_spread() -> None:
    labels = balanced(1000)
    flips = [make("pair:0.3:count=bernoulli", labels, seed=s).flipped.sum() for s in range(1000)]
    assert abs(np.mean(flips) - 300) < 5 * np.sqrt(210 / 1000)
    assert 0.85 < np.std(flips) / np.sqrt(210) < 1.15


def test_including_the_true_class_lowers_the_rate() -> None:
    rates = [
        make("symmetric:0.5:true=include", balanced(2000), seed=s).realised_rate for s in range(50)
    ]
    assert abs(np.mean(rates) - 0.45) < 0.003


def test_flips_start_from_the_clean_labels() -> None:
    # the fault of changing classes one after another: cats that became dogs flip back (0.183)
    made = make("asymmetric:0.4", balanced(50_000))
    assert made.realised_rate == 0.2
    assert made.transition_counts[3, 5] == made.transition_counts[5, 3] == 2000


@st.composite
def label_sets(draw: st.DrawFn) -> tuple[np.ndarray, int]:
    k = draw(st.integers(2, 40))
    sizes = draw(st.lists(st.integers(1, 60), min_size=k, max_size=k))
    labels = np.repeat(np.arange(k), sizes)
    return np.random.default_rng(draw(st.integers(0, 9))).permutation(labels), k


specs = st.sampled_from(
    [
        ("symmetric:{}", 1.0),
        ("symmetric:{}:true=include", 1.0),
        ("symmetric:{}:count=bernoulli", 1.0),
        ("pair:{}", 0.5),
        ("pair:{}:count=bernoulli", 0.5),
    ]
)
shares = st.floats(0, 1, exclude_max=True)


@settings(max_examples=200, deadline=None)
@given(label_sets(), specs, shares, st.integers(0, 2**40))
def test_properties_of_any_label_set(
    labelled: tuple[np.ndarray, int], kind: tuple[str, float], share: float, seed: int
) -> None:
    labels, k = labelled
    pattern, limit = kind
    rate = share * limit
    assume(rate < limit)
    spec = pattern.format(rate)
    before = labels.copy()
    made = make(spec, labels, k, seed)
    assert np.array_equal(labels, before)
    assert len(made.noisy) == len(labels)
    assert made.noisy.dtype == np.int64
    assert made.noisy.min() >= 0
    assert made.noisy.max() < k
    assert np.array_equal(made.clean, labels)
    assert np.array_equal(made.flipped, made.noisy != labels)
    if "=" not in spec:
        assert abs(made.realised_rate - rate) <= 1 / len(labels)
        off = np.bincount(labels[made.flipped], minlength=k)
        assert np.all(np.abs(off - rate * np.bincount(labels, minlength=k)) < 1 + 1e-9)
    if pattern.startswith("pair"):
        assert np.array_equal(made.noisy[made.flipped], (labels[made.flipped] + 1) % k)
    assert make(spec, labels, k, seed).fingerprint == made.fingerprint


@settings(max_examples=100, deadline=None)
@given(label_sets(), specs, shares, shares, st.integers(0, 99))
def test_flips_are_nested_over_rates(
    labelled: tuple[np.ndarray, int], kind: tuple[str, float], one: float, two: float, seed: int
) -> None:
    labels, k = labelled
    pattern, limit = kind
    low, high = sorted((one * limit, two * limit))
    assume(high < limit)
    smallest = np.bincount(labels, minlength=k).min()
    assume("bernoulli" in pattern or low == high or (high - low) * smallest >= 1 + 1e-9)
    few = make(pattern.format(low), labels, k, seed)
    many = make(pattern.format(high), labels, k, seed)
    assert np.array_equal(few.noisy[few.flipped], many.noisy[few.flipped])


@pytest.mark.parametrize("spec", ["symmetric:0.4", "asymmetric:0.4", "pair:0.4"])
def test_other_seeds_give_other_labels(spec: str) -> None:
    prints = {make(spec, balanced(500), seed=seed).fingerprint for seed in range(50)}
    assert len(prints) == 50


def test_kinds_and_seeds_do_not_share_flips() -> None:
    one, other = make("symmetric:0.4", balanced(5000)), make("pair:0.4", balanced(5000))
    both = int(np.sum(one.flipped & other.flipped))
    assert abs(both - 800) < 5 * np.sqrt(5000 * 0.16 * 0.84)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64, np.uint64])
def test_integer_type_of_the_labels_does_not_matter(dtype: type) -> None:
    reference = make("symmetric:0.4", balanced(500))
    assert make("symmetric:0.4", balanced(500).astype(dtype)).fingerprint == reference.fingerprint


def test_read_only_and_strided_labels_are_fine() -> None:
    labels = np.repeat(balanced(500), 2)[::2]
    labels.setflags(write=False)
    assert make("pair:0.4", labels).fingerprint == make("pair:0.4", balanced(500)).fingerprint


@pytest.mark.parametrize(
    ("labels", "k", "message"),
    [
        (np.array([0, 1, 2]), 2, "2 at index 2 is outside the 2 classes 0..1"),
        (np.array([0, -1, 1]), 2, "-1 at index 1 is outside"),
        (np.array([0, 2]), 3, r"class 1 has no samples \(1 of 3"),
        (np.array([0.0, 1.0]), 2, "1-D array of integers, got shape .* float64"),
        (np.array([[0], [1]]), 2, r"got shape \(2, 1\)"),
        (np.array([True, False]), 2, "of bool"),
        (np.array([], dtype=int), 2, "there are none"),
    ],
)
def test_bad_labels_are_refused(labels: np.ndarray, k: int, message: str) -> None:
    with pytest.raises(NoiseError, match=message):
        make("symmetric:0.1", labels, k)


@pytest.mark.parametrize("spec", ["symmetric:0.4", "pair:0.4", "instance:0.4"])
def test_a_single_class_cannot_flip(spec: str) -> None:
    with pytest.raises(NoiseError, match="a single class"):
        noise.make(
            spec, np.zeros(4, int), num_classes=1, seed=0, features=np.zeros((4, 2), np.uint8)
        )


@pytest.mark.parametrize("seed", [-1, 1.0, True, None])
def test_bad_seeds_are_refused(seed: object) -> None:
    with pytest.raises(NoiseError, match=r"seed .* is not an integer of at least 0"):
        noise.make("clean", [0, 1], num_classes=2, seed=seed)  # type: ignore[arg-type]


def test_clean_changes_nothing() -> None:
    made = make("clean", balanced(100))
    assert not made.flipped.any()
    assert made.realised_rate == 0 == made.nominal_rate


@pytest.mark.parametrize(
    ("spec", "fingerprint"),
    [
        ("clean", "4419feb906795e53e909dae23881fd2c0f17689a"),
        ("symmetric:0.4", "a76c47947d2434c04200f849e0ff186d2892370f"),
        (
            "symmetric:0.4:true=include",
            "83bebf7029adc7af63fd769fc3527f71b792d79f",
        ),
        (
            "symmetric:0.4:count=bernoulli",
            "346172a8f70e5e8080ba12fe50bd560724ec94ef",
        ),
        ("asymmetric:0.4", "937ce4bc269310410799d82b1de5d1b4b9d01bf6"),
        ("pair:0.45", "7392c491e353a0feb2ae407c4c8013864ab686b4"),
    ],
)
def test_golden_fingerprints(spec: str, fingerprint: str) -> None:
    # labels written out, so that no library's random numbers are part of the promise
    labels = np.arange(5000) ** 2 % 1009 % 10
    assert make(spec, labels).fingerprint[:40] == fingerprint
