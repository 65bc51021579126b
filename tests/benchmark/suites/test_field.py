"""The suites beside `field`: what they share with it, and that they are ready to train."""

from __future__ import annotations

from nlbench import baselines
from nlbench.benchmark.suites import suite


def test_the_anchors_of_the_suite_of_views_are_runs_of_the_field() -> None:
    field, views = suite.load("field"), suite.load("field-views")
    shared = {s.run_id for s in field.specs} & {s.run_id for s in views.specs}
    assert len(shared) == 3 * 4 * 5
    assert len(views.specs) == 2 * len(shared)
    others = {s.method.name for s in views.specs if s.run_id not in shared}
    assert others == {name for name in baselines.names() if baselines.get(name).strong_views}
    assert not others & {s.method.name for s in field.specs}
