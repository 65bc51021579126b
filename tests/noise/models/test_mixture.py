from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nlbench import noise
from nlbench.noise import NoiseError, NoiseSpec, NoisyLabels

LABELS = np.arange(20_000) % 10


def make(spec: str, seed: int = 0, **more: object) -> NoisyLabels:
    return noise.make(
        spec,
        LABELS,
        num_classes=10,
        seed=seed,
        dataset="cifar10",
        **more,  # type: ignore[arg-type]
    )


def test_a_later_part_goes_over_an_earlier_one() -> None:
    made = make("pair:0.3+symmetric:0.3")
    pair = make("pair:0.3")
    assert np.array_equal(made.clean, LABELS)
    both = noise.make("symmetric:0.3+pair:0.3", LABELS, num_classes=10, seed=0)
    # the first part is drawn as if it stood alone
    alone = noise.make("symmetric:0.3", LABELS, num_classes=10, seed=0)
    untouched = both.noisy != (LABELS + 1) % 10
    assert np.array_equal(both.noisy[untouched], alone.noisy[untouched])
    kept = made.noisy == pair.noisy
    assert kept[pair.flipped].mean() == pytest.approx(0.7, abs=0.05)


@pytest.mark.parametrize(
    ("spec", "rate"),
    [
        ("symmetric:0.2+pair:0.3", 0.44),
        ("symmetric:0.2+symmetric:0.2", 0.36),
        ("symmetric:0.1+pair:0.1+asymmetric:0.2", 1 - 0.9 * 0.9 * 0.9),
    ],
)
def test_rates_of_the_whole(spec: str, rate: float) -> None:
    rates = [make(spec, seed).realised_rate for seed in range(10)]
    assert abs(np.mean(rates) - rate) < 0.004


def test_equal_parts_have_their_own_streams() -> None:
    made = make("pair:0.3+pair:0.3")
    assert abs(made.realised_rate - 0.51) < 0.01
    assert make("pair:0.3+pair:0.3").fingerprint == made.fingerprint


def test_spec_of_a_mixture() -> None:
    spec = NoiseSpec.parse("symmetric:.2 + pair:0.30:count=exact")
    assert str(spec) == "symmetric:0.2+pair:0.3"
    assert spec.kind == "mixture"
    assert spec.rate == 0.44
    assert NoiseSpec.parse(str(spec)) == spec
    made = make("asymmetric:0.2+pair:0.1")
    assert str(made.spec) == "asymmetric:0.2:map=standard+pair:0.1"
    assert made.nominal_rate == 0.28


@pytest.mark.parametrize("text", ["mixture", "symmetric:0.2+", "+pair:0.2", "symmetric:0.2+pare:1"])
def test_bad_mixtures(text: str) -> None:
    with pytest.raises(NoiseError):
        NoiseSpec.parse(text)


def test_mixtures_are_saved_and_verified(tmp_path: Path) -> None:
    made = make("symmetric:0.2+openset:0.3:from=mnist")
    back = NoisyLabels.load(made.save(tmp_path / "m.npz"))
    assert back.describe() == made.describe()
    noise.verify(back, labels=LABELS)


def test_parts_get_the_features_they_need() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (20_000, 6), dtype=np.uint8)
    softmax = np.full((20_000, 10), 0.1)
    spec = "instance:0.2+confidence:0.2"
    assert noise.needs(spec) == ("pixels", "softmax")
    assert noise.needs("symmetric:0.2+pair:0.2") == ()
    made = make(spec, features={"pixels": pixels, "softmax": softmax})
    assert abs(made.realised_rate - 0.36) < 0.02
    with pytest.raises(NoiseError, match="needs softmax"):
        make(spec, features={"pixels": pixels})
    with pytest.raises(NoiseError, match="unknown kind 'pixel'; did you mean 'pixels'"):
        make(spec, features={"pixel": pixels})


def test_replaced_images_keep_their_label() -> None:
    for spec in ("openset:0.3:from=mnist+symmetric:0.4", "symmetric:0.4+openset:0.3:from=mnist"):
        made = make(spec)
        assert made.replaced is not None
        assert not np.any(made.flipped & made.replaced)
        assert made.replaced.sum() == 6000
        assert abs(made.realised_rate - 0.58) < 0.01


def test_open_set_facts() -> None:
    made = make("openset:0.3:from=mnist")
    assert made.replaced is not None
    assert made.source is not None
    assert np.array_equal(made.noisy, LABELS)
    assert np.bincount(LABELS[made.replaced]).tolist() == [600] * 10
    used = made.source[made.replaced]
    assert len(set(used.tolist())) == 6000
    assert 0 <= used.min() <= used.max() < 60_000
    assert np.all(made.source[~made.replaced] == -1)
    more = make("openset:0.5:from=mnist")
    assert more.source is not None
    assert np.array_equal(more.source[made.replaced], used)
    small = make("openset:0.5:from=letters:pool=100")
    assert small.source is not None
    counts = np.bincount(small.source[small.source >= 0], minlength=100)
    assert counts.sum() == 10_000
    assert counts.min() > 0


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("openset:0.3", "name the data set the images come from"),
        ("openset:0.3:from=letters", "how many images has 'letters'"),
        ("openset:0.3:from=letters:pool=0", "pool='0' is not a number of images"),
        ("openset:0.3:from=letters:pool=-5", "is not a number"),
        ("openset:0.1:from=mnist+openset:0.1:from=cifar100", "by one part only"),
    ],
)
def test_bad_open_set_settings(spec: str, message: str) -> None:
    with pytest.raises(NoiseError, match=message):
        make(spec)
