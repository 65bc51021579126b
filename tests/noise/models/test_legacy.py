from __future__ import annotations

import numpy as np
import pytest

from nlbench import noise
from nlbench.noise import NoiseError, NoisyLabels


def make(spec: str, labels: np.ndarray, k: int, seed: int = 0) -> NoisyLabels:
    return noise.make(spec, labels, num_classes=k, seed=seed, dataset="cifar10")


BALANCED = np.arange(50_000) % 10
# training images per digit of MNIST
MNIST = np.repeat(
    np.arange(10), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
)  # fmt: skip


def test_sequential_flips_cats_back() -> None:
    # known: cat 0.236..0.239, dog 0.395..0.40, overall 0.183..0.184; 0.3 gives 0.142
    made = [make("asymmetric:0.4:legacy=sequential", BALANCED, 10, s) for s in range(5)]
    rates = np.mean([m.per_class_rate for m in made], axis=0)
    assert rates[[9, 2, 4]].tolist() == pytest.approx([0.4, 0.4, 0.4])
    # expected: of 7,000 dogs 2,800 become cats, 2,000 / 7,000 of them were cats
    assert abs(rates[3] - (2000 - 800) / 5000) < 0.005
    assert abs(rates[5] - 2000 / 5000) < 0.005
    assert abs(np.mean([m.realised_rate for m in made]) - 0.184) < 0.001
    assert abs(make("asymmetric:0.3:legacy=sequential", BALANCED, 10).realised_rate - 0.141) < 0.002


def test_sequential_equals_a_plain_loop() -> None:
    labels = np.arange(500) % 10
    made = make("asymmetric:0.4:legacy=sequential", labels, 10)
    for source, target in {9: 1, 2: 0, 4: 7}.items():
        assert made.transition_counts[source, target] == 20
    assert made.transition_counts[3, 5] + made.transition_counts[5, 3] < 40
    # no class but the targets gains, and no sample is lost
    assert made.transition_counts.sum() == 500


def test_truncation_loses_flips_that_rounding_keeps() -> None:
    labels = np.arange(50_000) % 100
    assert make("symmetric:0.2:legacy=pair-truncated", labels, 100).realised_rate == 0.198
    assert make("symmetric:0.4:legacy=pair-truncated", BALANCED, 10).realised_rate == 0.3996
    assert make("symmetric:0.8:legacy=pair-truncated", BALANCED, 10).realised_rate == 0.7992
    counts = make("symmetric:0.4:legacy=pair-truncated", BALANCED, 10).transition_counts
    assert np.array_equal(counts, 222 * (1 - np.eye(10)) + 3002 * np.eye(10))


def test_truncated_counts_are_those_of_int() -> None:
    for rate in (0.29, 0.57, 0.8):
        made = make(f"symmetric:{rate}:legacy=truncated", MNIST, 10)
        wanted = [int(rate * n) for n in np.bincount(MNIST)]
        assert np.bincount(MNIST[made.flipped], minlength=10).tolist() == wanted
    made = make("asymmetric:0.29:legacy=truncated", MNIST, 10)
    sizes = np.bincount(MNIST)
    wanted = [int(0.29 * sizes[c]) if c in (9, 2, 3, 5, 4) else 0 for c in range(10)]
    assert np.bincount(MNIST[made.flipped], minlength=10).tolist() == wanted


def test_equal_counts_are_unequal_rates_on_mnist() -> None:
    made = make("symmetric:0.8:legacy=equal-count", MNIST, 10)
    assert set(np.bincount(MNIST[made.flipped]).tolist()) == {4800}
    assert round(made.per_class_rate[5], 3) == 0.885
    assert round(made.per_class_rate[1], 3) == 0.712
    with pytest.raises(
        NoiseError, match=r"flips 5424 in every class at rate 0\.904, class 5 has 5421"
    ):
        make("symmetric:0.904:legacy=equal-count", MNIST, 10)


def test_overall_counts_are_exact_in_total_and_nested() -> None:
    few, many = (make(f"symmetric:{r}:count=overall", BALANCED, 10) for r in (0.3, 0.30002))
    assert few.flipped.sum() == 15_000
    assert many.flipped.sum() == 15_001
    assert np.all(many.flipped[few.flipped])
    assert len(set(np.bincount(few.clean[few.flipped]).tolist())) > 1
    including = make("symmetric:0.5:count=overall:true=include", BALANCED, 10)
    assert abs(including.realised_rate - 0.45) < 0.005


@pytest.mark.parametrize(
    "spec",
    [
        "symmetric:0.4:legacy=truncated:true=include",
        "symmetric:0.4:legacy=truncated:count=bernoulli",
        "asymmetric:0.4:legacy=sequential:count=bernoulli",
        "asymmetric:0.4:legacy=sequential:map=fashion_mnist/unknown",
    ],
)
def test_options_that_contradict_each_other(spec: str) -> None:
    with pytest.raises(NoiseError, match=r"legacy=|unknown flip map"):
        make(spec, BALANCED, 10)


@pytest.mark.parametrize(
    ("dataset", "chart", "name"),
    [
        ("cifar10", ":map=block5", "cifar100/block5"),
        ("mnist", "", "mnist/standard"),
        ("digits", "", "mnist/standard"),
        ("mnist", ":map=cdr", "mnist/cdr"),
        ("fashion_mnist", "", "fashion_mnist/gce"),
    ],
)
def test_sequential_is_refused_for_maps_that_nobody_ran_that_way(
    dataset: str, chart: str, name: str
) -> None:
    line = f"asymmetric:0.4:legacy=sequential{chart}"
    with pytest.raises(NoiseError, match=f"no code is known to run map '{name}'"):
        noise.make(line, BALANCED, num_classes=10, seed=0, dataset=dataset)


def test_sce_map_swaps_two_of_each_five() -> None:
    labels = np.arange(10_000) % 100
    made = make("asymmetric:0.4:map=sce", labels, 100)
    assert made.realised_rate == pytest.approx(0.16)
    rates = made.per_class_rate.reshape(20, 5)
    assert np.all((rates > 0).sum(axis=1) == 2)
    for block in range(20):
        a, b = 5 * block + np.flatnonzero(rates[block])
        assert made.transition_counts[a, b] == made.transition_counts[b, a] == 40
    other = make("asymmetric:0.4:map=sce", labels, 100, seed=1)
    assert not np.array_equal(rates > 0, other.per_class_rate.reshape(20, 5) > 0)
