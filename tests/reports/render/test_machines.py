"""A study that was made on machines of several kinds says so, and one of one kind does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nlbench.reports.compare.results import analyse
from nlbench.reports.render.index import setup_table
from nlbench.reports.render.machines import mixed

Make = Callable[..., Any]
VALUES = {("ce", "clean"): [85.0, 86.0, 87.0], ("gce", "clean"): [88.0, 89.0, 90.0]}


def test_several_kinds_are_counted_and_so_are_comparisons_across(make_study: Make) -> None:
    made = make_study(VALUES)
    assert mixed(analyse(made.study, made.records).frame.runs) == {}
    assert "several kinds" not in setup_table(analyse(made.study, made.records))
    own = made.records[0].environment
    for method, seed in (("ce", 0), ("ce", 1), ("gce", 1)):
        made.change(method, "clean", seed, environment={**own, "device": "GPU"})
    results = analyse(made.study, made.records)
    found = mixed(results.frame.runs)
    there = f"{own['device']}, torch {own.get('torch', 'not recorded')}"
    threads = own.get("threads", "not recorded")
    assert sorted(found["machines of several kinds"].split("; ")) == sorted(
        f"{kind}, threads {threads} (3 runs)"
        for kind in (there, there.replace(own["device"], "GPU"))
    )
    assert found["compared across kinds"] == "methods in 1 of 3 pairs of condition and seed"
    assert "methods in 1 of 3 pairs" in setup_table(results)
