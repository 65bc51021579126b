from __future__ import annotations

from noise.bench import CASES, Case, run


def test_rows_hold_what_was_measured() -> None:
    cases = (Case("symmetric:0.4", samples=1000), Case("instance:0.4", 500, 5, (1, 4, 4)))
    rows = run(cases, repeats=1)
    assert [row["model"] for row in rows] == ["symmetric:0.4", "instance:0.4"]
    for row in rows:
        assert row["seconds"] > 0
        assert row["labels_per_second"] > 0
        assert row["peak_mb"] > 0
    assert rows[0]["realised_rate"] == 0.4
    assert rows[1]["features"] == 16


def test_every_model_of_the_paper_sizes_is_in_the_bench() -> None:
    assert {case.spec.split(":")[0] for case in CASES} >= {"clean", "symmetric", "pair", "instance"}
