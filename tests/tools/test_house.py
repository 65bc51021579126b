"""The picture of the rooms: read from the source, and as committed."""

from __future__ import annotations

import re

from tools import house


def test_every_room_is_above_what_it_imports() -> None:
    graph = house.imports()
    level = house.levels(graph)
    assert {"noise", "baselines", "benchmark/store", "reports/topics", "cli", "api"} <= set(graph)
    assert all(level[name] > level[below] for name in graph for below in graph[name])


def test_arrows_that_follow_from_others_are_left_out() -> None:
    graph = {"a": {"b", "c"}, "b": {"c"}, "c": set[str]()}
    assert house.direct(graph) == {"a": {"b"}, "b": {"c"}, "c": set()}
    assert house.levels(graph) == {"a": 2, "b": 1, "c": 0}


def test_the_committed_picture_shows_todays_rooms_and_imports() -> None:
    text = house.PICTURE.read_text("utf-8")
    graph = house.imports()
    again = "draw it again: python -m tools.house"
    assert [name for name in graph if f">{name}<" not in text] == [], again
    arrows = {f"{name} to {below}" for name, all_ in house.direct(graph).items() for below in all_}
    assert set(re.findall(r'id="([a-z_/]+ to [a-z_/]+)"', text)) == arrows, again
