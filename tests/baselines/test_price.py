"""What methods cost and must be told, by their declarations."""

from __future__ import annotations

import pytest

from nlbench import baselines
from nlbench.baselines import price


@pytest.mark.parametrize(
    ("name", "cost", "told"),
    [
        ("ce", "1", ""),
        ("coteaching", "2 (2 networks)", "noise rate"),
        ("sop+", "2 (2 views)", ""),
        ("forward", "1", "transition"),
        ("forward-est", "2 (2 passes) + sweeps", "noisy validation"),
        ("truncated-gce", "1 + sweeps", ""),
        ("dividemix", "12 x share of labelled samples (2 networks) + sweeps", ""),
        ("unicon", "16 x share of labelled samples (2 networks) + sweeps", ""),
        ("pes", "1 + epochs of the last parts + sweeps of 2 views", ""),
        ("t-revision", "2.1 (2.1 passes) + sweeps", "noisy validation"),
    ],
)
def test_cost_and_what_is_told(name: str, cost: str, told: str) -> None:
    method = baselines.create(name)
    assert (price.cost(method), price.told(method)) == (cost, told)


def test_a_rate_that_is_given_need_not_be_told() -> None:
    assert price.told(baselines.create("coteaching", {"forget": 0.2})) == ""
