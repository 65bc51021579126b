from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nlbench import noise
from nlbench.noise import NoiseError
from nlbench.noise.maps import CIFAR100_COARSE, MAPS, block5_targets, find_map, superclass_targets
from nlbench.noise.safe_pickle import read_pt


def sources(name: str, k: int) -> dict[int, int]:
    targets = MAPS[name].targets(k, noise.generator("unused"))
    return {int(c): int(t) for c, t in enumerate(targets) if c != t}


def test_maps_are_the_published_ones() -> None:
    assert sources("cifar10/standard", 10) == {9: 1, 2: 0, 4: 7, 3: 5, 5: 3}
    assert sources("mnist/standard", 10) == {7: 1, 2: 7, 3: 8, 5: 6, 6: 5}
    assert sources("mnist/cdr", 10) == {2: 7, 3: 8, 5: 6, 6: 5}
    assert sources("fashion_mnist/gce", 10) == {9: 7, 7: 5, 2: 6, 4: 3, 3: 4}
    assert sources("fashion_mnist/cdr", 10) == {0: 6, 2: 4, 5: 7, 7: 5}
    assert sources("fashion_mnist/third-script", 10) == {9: 1, 5: 7, 2: 6, 4: 6, 6: 4, 3: 0}


def test_coarse_map_is_that_of_cifar100(data_file: Callable[[str], Path]) -> None:
    labels = read_pt(data_file("cifar-n/CIFAR-100_human.pt"))
    fine, coarse = np.asarray(labels["clean_label"]), np.asarray(labels["clean_coarse_label"])
    assert np.array_equal(np.array(CIFAR100_COARSE)[fine], coarse)


def test_superclass_cycles_inside_each_superclass() -> None:
    coarse, targets = np.array(CIFAR100_COARSE), superclass_targets(100)
    assert np.array_equal(coarse[targets], coarse)
    assert sorted(targets) == list(range(100))
    step = np.arange(100)
    for _ in range(5):
        step = targets[step]
    assert np.array_equal(step, np.arange(100))
    assert np.all(targets != np.arange(100))
    # the next fine label of the same super-class, by a plain search
    for c in range(100):
        later = [d for d in range(c + 1, 100) if coarse[d] == coarse[c]]
        assert targets[c] == (later[0] if later else np.flatnonzero(coarse == coarse[c])[0])


def test_block5_has_six_semantic_flips_of_a_hundred() -> None:
    coarse, targets = np.array(CIFAR100_COARSE), block5_targets(100)
    assert [int(t) for t in targets[:10]] == [1, 2, 3, 4, 0, 6, 7, 8, 9, 5]
    assert int(np.sum(coarse[targets] == coarse)) == 6


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        ("mnist", "map=standard"),
        ("digits", "map=standard"),
        ("fashion_mnist", "map=gce"),
        ("cifar10", "map=standard"),
        ("cifar10_jpeg", "map=standard"),
    ],
)
def test_default_map_is_always_printed(dataset: str, expected: str) -> None:
    made = noise.make(
        "asymmetric:0.2", np.arange(100) % 10, num_classes=10, seed=0, dataset=dataset
    )
    assert str(made.spec) == f"asymmetric:0.2:{expected}"
    again = noise.make(made.spec, made.clean, num_classes=10, seed=0, dataset=dataset)
    assert again.fingerprint == made.fingerprint


@pytest.mark.parametrize(
    ("spec", "k", "dataset", "message"),
    [
        ("asymmetric:0.2", 100, "cifar100", "name one: map=superclass or map=block5"),
        ("asymmetric:0.2", 10, None, "no flip map is agreed for labels of 10 classes"),
        ("asymmetric:0.2", 10, "npz", "no flip map is agreed for data set 'npz'"),
        ("asymmetric:0.2:map=blok5", 100, "cifar100", "did you mean 'block5'"),
        ("asymmetric:0.2:map=cdr", 10, None, "one of several"),
        ("asymmetric:0.2:map=superclass", 10, None, "for the 100 fine classes"),
        ("asymmetric:0.2:map=block5", 12, None, "blocks of five"),
        ("asymmetric:0.2:map=cifar10/standard", 5, None, "is for 10 classes, the labels have 5"),
        ("asymmetric:0.5:map=cifar10/standard", 10, None, "not below 0.5.*majority=allow"),
    ],
)
def test_maps_that_do_not_fit(spec: str, k: int, dataset: str | None, message: str) -> None:
    with pytest.raises(NoiseError, match=message):
        noise.make(spec, np.arange(5 * k) % k, num_classes=k, seed=0, dataset=dataset)


def test_family_of_the_data_set_goes_first() -> None:
    assert find_map("cdr", "mnist").full_name == "mnist/cdr"
    assert find_map("cdr", "fashion_mnist").full_name == "fashion_mnist/cdr"
    assert find_map("fashion_mnist/cdr", "mnist").full_name == "fashion_mnist/cdr"
