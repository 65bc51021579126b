from __future__ import annotations

import hashlib

import numpy as np
import pytest
from scipy import stats

from nlbench.noise import NoiseError, generator
from nlbench.noise.rng import below, raw, unit


def test_key_is_the_sha256_of_the_words() -> None:
    digest = hashlib.sha256(b'["a",7]').digest()
    expected = np.random.Philox(key=int.from_bytes(digest[:16], "little")).random_raw(5)
    assert np.array_equal(raw(generator("a", 7), 5), expected)


def test_first_words_never_change() -> None:
    assert raw(generator("nlbench", 0), 3).tolist() == [
        12979266270983447208, 17210896062129327580, 15055171215042850813,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"),
    [((1,), ("1",)), (("a", "b"), ("ab",)), ((1, 23), (12, 3)), ((0,), (1,)), ((), ("",))],
)
def test_other_words_give_other_streams(
    one: tuple[str | int, ...], other: tuple[str | int, ...]
) -> None:
    assert not np.array_equal(raw(generator(*one), 8), raw(generator(*other), 8))


def test_numpy_integers_are_the_same_words_as_python_ones() -> None:
    assert np.array_equal(raw(generator(np.int64(3)), 4), raw(generator(3), 4))  # type: ignore[arg-type]


@pytest.mark.parametrize("word", [1.5, True, None, b"x"])
def test_other_types_are_refused(word: object) -> None:
    with pytest.raises(NoiseError, match="neither a string nor an integer"):
        generator(word)  # type: ignore[arg-type]


def test_global_state_is_not_touched() -> None:
    before = np.random.get_state()  # noqa: NPY002
    raw(generator("x"), 10)
    after = np.random.get_state()  # noqa: NPY002
    assert str(before) == str(after)


@pytest.mark.parametrize("bound", [1, 2, 7, 10, 999])
def test_below_is_uniform_on_its_range(bound: int) -> None:
    values = below(raw(generator("below", bound), 200_000), bound)
    counts = np.bincount(values, minlength=bound)
    assert len(counts) == bound
    if bound > 1:
        assert stats.chisquare(counts).pvalue > 1e-4


def test_unit_is_uniform_and_below_one() -> None:
    values = unit(raw(generator("unit"), 200_000))
    assert values.min() >= 0
    assert values.max() < 1
    assert unit(np.array([2**64 - 1], dtype=np.uint64))[0] == 1 - 2.0**-53
    assert stats.kstest(values, "uniform").pvalue > 1e-4
