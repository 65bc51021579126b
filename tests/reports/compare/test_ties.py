"""Tie groups: who cannot be told from the best, and from whom."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from nlbench.reports.compare.ties import tie_groups, tied_sets


def pairs(**outcomes: bool) -> dict[frozenset[str], bool]:
    return {frozenset(name): decided for name, decided in outcomes.items()}


def test_groups_open_from_the_top() -> None:
    decided = pairs(ab=False, ac=True, ad=True, bc=False, bd=True, cd=False)
    assert tie_groups("abcd", decided) == {"a": 1, "b": 1, "c": 2, "d": 2}
    # b and c are tied too, so that the sets overlap where the groups do not.
    assert tied_sets("abcd", decided) == (("a", "b"), ("b", "c"), ("c", "d"))


def test_what_was_not_compared_with_a_leader_has_no_group() -> None:
    decided = pairs(ab=True, ac=True)
    assert tie_groups("abcd", decided) == {"a": 1, "b": 2}
    assert tie_groups("", {}) == {}


@given(st.lists(st.booleans(), min_size=10, max_size=10))
def test_every_group_is_what_no_test_tells_from_its_best(outcomes: list[bool]) -> None:
    decided = {
        frozenset(pair): outcome
        for pair, outcome in zip(combinations("abcde", 2), outcomes, strict=True)
    }
    groups = tie_groups("abcde", decided)
    assert set(groups) == set("abcde")
    for a, b in combinations("abcde", 2):
        leads = all(groups[other] != groups[a] for other in "abcde" if other < a)
        if leads and groups[b] >= groups[a]:
            assert (groups[b] == groups[a]) is not decided[frozenset((a, b))]
    for tied in tied_sets("abcde", decided):
        assert not any(decided[frozenset(pair)] for pair in combinations(tied, 2))
