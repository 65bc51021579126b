from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlbench.noise.counts import largest_remainder

sizes_lists = st.lists(st.integers(0, 10_000), min_size=1, max_size=30)
rates = st.floats(0, 1, exclude_max=True)


@settings(deadline=None)
@given(sizes_lists, rates)
def test_total_is_rounded_and_each_quota_is_floor_or_ceil(sizes: list[int], rate: float) -> None:
    quotas = largest_remainder(sizes, rate).tolist()
    exact = Fraction(repr(rate))
    assert abs(sum(quotas) - exact * sum(sizes)) <= Fraction(1, 2)
    for size, quota in zip(sizes, quotas, strict=True):
        assert abs(quota - exact * size) < 1
        assert 0 <= quota <= size


@settings(deadline=None)
@given(sizes_lists, rates)
def test_no_class_with_a_smaller_remainder_is_rounded_up_instead(
    sizes: list[int], rate: float
) -> None:
    exact = Fraction(repr(rate))
    quotas = largest_remainder(sizes, rate).tolist()
    up = [exact * s - q for s, q in zip(sizes, quotas, strict=True) if q > exact * s]
    down = [exact * s - q for s, q in zip(sizes, quotas, strict=True) if q < exact * s]
    if up and down:
        assert min(up) + 1 >= max(down)


@pytest.mark.parametrize(
    ("sizes", "rate", "expected"),
    [
        ([100], 0.29, [29]),  # int(0.29 * 100) is 28
        ([500] * 100, 0.2, [100] * 100),  # truncation gives 99 in the line of ANL
        ([3, 3, 3], 0.5, [2, 2, 1]),  # 4.5 rounds up; ties go to the lower index
        ([1, 3], 0.5, [0, 2]),  # of equal remainders the larger class rounds up
        ([5, 5], 0.0, [0, 0]),
    ],
)
def test_known_cases(sizes: list[int], rate: float, expected: list[int]) -> None:
    assert largest_remainder(sizes, rate).tolist() == expected
