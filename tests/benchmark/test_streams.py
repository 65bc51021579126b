"""Streams: keyed, independent, and equal to Philox keyed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlbench.benchmark.streams import NAMES, Streams


@given(st.integers(0, 10**9), st.sampled_from(NAMES), st.integers(0, 10**4))
def test_same_key_same_numbers_whatever_was_drawn_before(seed: int, name: str, epoch: int) -> None:
    Streams(seed).generator("order", epoch).permutation(10)
    one = Streams(seed).generator(name, epoch).random(4)
    assert np.array_equal(one, Streams(seed).generator(name, epoch).random(4))


def test_seed_stream_and_epoch_each_give_other_numbers() -> None:
    keys = [(s, n, e) for s in range(4) for n in NAMES for e in range(4)]
    drawn = {tuple(Streams(s).generator(n, e).random(2)) for s, n, e in keys}
    assert len(drawn) == len(keys)


def test_words_are_kept_apart() -> None:
    one = Streams(1).generator("init", "23").random()
    assert one != Streams(12).generator("init", "3").random()
    assert one != Streams(1).generator("init", "2", "3").random()


def test_streams_of_neighbouring_seeds_are_not_correlated() -> None:
    draws = np.array([Streams(s).generator("augment", 0).standard_normal(400) for s in range(20)])
    correlations = np.corrcoef(draws)[np.triu_indices(20, 1)]
    assert abs(correlations).max() < 5 / np.sqrt(400)


def test_an_unknown_stream_is_an_error() -> None:
    with pytest.raises(KeyError, match="ordr"):
        Streams(0).generator("ordr")
