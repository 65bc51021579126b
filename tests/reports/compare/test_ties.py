"""Tie groups: whom nobody beats, and whom nobody of the rest beats."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from nlbench.reports.compare.ties import tie_groups, tied_sets


def wins(*names: str) -> set[tuple[str, str]]:
    return {(name[0], name[1]) for name in names}


def test_groups_open_from_the_top() -> None:
    assert tie_groups("abcd", wins("ac", "ad", "bd")) == {"a": 1, "b": 1, "c": 2, "d": 2}
    # d is beaten by b alone, who need not lead.
    assert tie_groups("abd", wins("bd")) == {"a": 1, "b": 1, "d": 2}
    assert tie_groups("", set()) == {}


def test_a_circle_is_opened_at_its_best_mean() -> None:
    assert tie_groups("abc", wins("ab", "bc", "ca")) == {"a": 1, "b": 2, "c": 3}


def test_bars_are_sets_without_a_decided_pair_and_may_overlap() -> None:
    outcomes = {"ab": False, "ac": True, "ad": True, "bc": False, "bd": True, "cd": False}
    decided = {frozenset(name): outcome for name, outcome in outcomes.items()}
    assert tied_sets("abcd", decided) == (("a", "b"), ("b", "c"), ("c", "d"))


@given(st.lists(st.booleans(), min_size=10, max_size=10))
def test_everyone_is_in_the_first_group_in_which_nobody_of_the_rest_beats_it(
    outcomes: list[bool],
) -> None:
    pairs = list(combinations("abcde", 2))
    beats = {pair for pair, outcome in zip(pairs, outcomes, strict=True) if outcome}
    groups = tie_groups("abcde", beats)
    assert set(groups) == set("abcde")
    for method, group in groups.items():
        winners = {groups[a] for a, b in beats if b == method}
        # One of the group above beats it, and nobody of its own or of a lower one.
        assert group == 1 or group - 1 in winners
        assert all(winner < group for winner in winners)
    decided = {frozenset(pair): outcome for pair, outcome in zip(pairs, outcomes, strict=True)}
    for tied in tied_sets("abcde", decided):
        assert not any(decided[frozenset(pair)] for pair in combinations(tied, 2))
