"""Equivalence of two stores: TOST against statsmodels, simulation, and the command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.weightstats import ttost_paired

from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.suites import suite
from nlbench.cli import main
from nlbench.reports import ReportError
from nlbench.reports.compare.equivalence import compare_stores
from nlbench.reports.speed.made_up_records import synthetic
from nlbench.reports.stats import tost
from tests.helpers.records import ending_at

values = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)), min_size=2, max_size=12
)


@given(counts=values, bound=st.floats(0.01, 50.0))
def test_tost_is_that_of_statsmodels(counts: list[tuple[int, int]], bound: float) -> None:
    a, b = (np.array(side, dtype=np.float64) / 100 for side in zip(*counts, strict=True))
    found = tost(a, b, bound)
    if np.ptp(a - b) < 1e-6:
        assert found.test == "exact sign-flip"
        return
    p, (_, p_lower, _), (_, p_upper, _) = ttost_paired(a, b, -bound, bound)
    assert found.p_lower == pytest.approx(p_lower, rel=1e-6, abs=1e-12)
    assert found.p_upper == pytest.approx(p_upper, rel=1e-6, abs=1e-12)
    assert found.p == pytest.approx(p, rel=1e-6, abs=1e-12)


@given(counts=values, bound=st.floats(0.01, 50.0))
def test_equivalent_exactly_if_the_interval_lies_within_the_bounds(
    counts: list[tuple[int, int]], bound: float
) -> None:
    a, b = (np.array(side, dtype=np.float64) / 100 for side in zip(*counts, strict=True))
    found = tost(a, b, bound)
    if found.low is not None and found.high is not None:
        gap = min(abs(abs(found.low) - bound), abs(abs(found.high) - bound))
        inside = -bound < found.low and found.high < bound
        assert found.equivalent == inside or gap < 1e-9


@pytest.mark.parametrize(
    ("shift", "n", "p", "equivalent"),
    [(0.0, 10, 2**-10, True), (0.2, 5, 2**-5, True), (0.0, 4, 2**-4, False), (0.5, 10, 1.0, False)],
)
def test_equal_differences_have_the_exact_p(
    shift: float, n: int, p: float, equivalent: bool
) -> None:
    b = np.linspace(50, 60, n)
    found = tost(b + shift, b, 0.3)
    assert (found.p, found.equivalent, found.test) == (p, equivalent, "exact sign-flip")


def test_fewer_than_two_pairs_show_nothing() -> None:
    one = np.array([50.0])
    assert not tost(one, one, 0.3).equivalent
    assert tost(one[:0], one[:0], 0.3).estimate is None


@pytest.mark.parametrize(("bound", "alpha"), [(0.0, 0.05), (-1.0, 0.05), (0.3, 0.5), (0.3, 0.0)])
def test_bounds_and_levels_out_of_range_are_refused(bound: float, alpha: float) -> None:
    with pytest.raises(ValueError, match="bound"):
        tost(np.zeros(3), np.zeros(3), bound, alpha)


def test_on_the_bound_equivalence_is_claimed_at_the_level() -> None:
    """A true difference of exactly the bound is called equivalent in 5 % of studies, no more."""
    rng = np.random.Generator(np.random.Philox(7))
    studies = rng.normal(0.3, 0.2, (4000, 10))
    claimed = np.mean([tost(d, np.zeros(10), 0.3).equivalent for d in studies])
    assert 0.04 < claimed < 0.06


# --- stores ---------------------------------------------------------------------------------------


def moved(
    records: list[RunRecord], points: float, spread: float = 0.0, device: str = "cpu"
) -> list[RunRecord]:
    """The records with accuracies moved by ``points`` +- ``spread``, from another device."""
    return [
        replace(
            ending_at(r, r.metrics["last"] + (points + spread * (-1) ** i) / 100),
            environment={**r.environment, "device": device},
        )
        for i, r in enumerate(records)
    ]


@pytest.fixture(scope="module")
def records() -> list[RunRecord]:
    return synthetic(30, methods=("ce", "gce", "drainage"), noise=("symmetric:0.4",))[1]


def test_a_small_shift_is_equivalent_and_a_large_one_is_not(records: list[RunRecord]) -> None:
    near = compare_stores(records, moved(records, 0.05, 0.1, "H100"), 0.3)
    assert near.equivalent
    assert [(row.method, row.test.n) for row in near.rows] == [
        ("ce", 10), ("gce", 10), ("drainage", 10)
    ]  # fmt: skip
    assert [row.test.estimate for row in near.rows] == pytest.approx([-0.05] * 3)
    assert near.notes == ("device: A cpu; B H100",)
    far = compare_stores(records, moved(records, 0.35, 0.1), 0.3)
    assert not any(row.test.equivalent for row in far.rows)
    assert not far.equivalent


def test_one_method_that_moves_is_found(records: list[RunRecord]) -> None:
    other = [r if r.spec.method.name != "gce" else moved([r], -1.0)[0] for r in records]
    found = compare_stores(records, other, 0.3)
    assert [row.test.equivalent for row in found.rows] == [True, False, True]
    assert [row.words for row in found.rows] == [
        "equivalent, the same bits", "not shown", "equivalent, the same bits"
    ]  # fmt: skip
    assert not found.equivalent


def test_what_cannot_be_paired_is_left_out_and_said(records: list[RunRecord]) -> None:
    broken = replace(records[0], status="failed", metrics={})
    unlike = replace(records[1], pairing={**records[1].pairing, "order": "another"})
    found = compare_stores(records, [broken, unlike, *records[2:-1]], 0.3)
    assert [row.test.n for row in found.rows] == [9, 9, 9]
    notes = " | ".join(found.notes)
    assert "1 runs have a record on side A only" in notes
    assert "1 runs have no accuracy 'last'" in notes
    assert "1 runs were not trained on the same" in notes


def made(record: RunRecord, moved: float = 0.0, **environment: Any) -> RunRecord:
    """The record with another accuracy, made elsewhere."""
    there = {
        "commit": "c",
        "torch": "2",
        "numpy": "2",
        "backend": "graph",
        "threads": 1,
        "slots": 8,
    }
    there |= {"device": "a GPU", "deterministic": True} | environment
    return replace(ending_at(record, record.metrics["last"] + moved), environment=there)


def test_it_is_said_where_the_same_bits_are_expected_and_which_differ(
    records: list[RunRecord],
) -> None:
    one = [made(r) for r in records]
    other = [made(r, -0.01 * (i == 0)) for i, r in enumerate(records)]
    assert compare_stores(one, other, 0.3).notes == (
        "the same bits are expected of 30 runs (same code, GPUs of the same name);"
        f" 1 without them: {records[0].run_id}",
    )
    on_cpus = [made(r, device="cpu (one kind)") for r in records]
    assert compare_stores(on_cpus, on_cpus, 0.3).notes == (
        "the same bits are likely of 30 runs (same code, CPUs of the same name); 0 without them",
    )
    for change in ({"torch": "3"}, {"deterministic": False}, {"commit": None}, {"slots": 1}):
        notes = compare_stores(one, [made(r, **change) for r in records], 0.3).notes
        assert not any("the same bits" in note for note in notes)


def test_a_diverged_run_counts_with_chance(records: list[RunRecord]) -> None:
    wild = replace(records[0], status="diverged", metrics={})
    (row, *_) = compare_stores(records, [wild, *records[1:]], 0.3).rows
    assert row.diverged == 1
    assert row.test.estimate == pytest.approx((100 * records[0].metrics["last"] - 10) / 10)
    assert "1 diverged" in row.words


def test_nothing_in_common_or_a_foolish_bound_is_refused(records: list[RunRecord]) -> None:
    with pytest.raises(ReportError, match="no run has a record on both sides"):
        compare_stores(records[:3], records[3:], 0.3)
    with pytest.raises(ReportError, match="bound -1"):
        compare_stores(records, records, -1)
    with pytest.raises(ReportError, match=r"lasst.*last"):
        compare_stores(records, records, 0.3, "lasst")


def test_the_command_prints_the_tests_and_its_status_says_the_outcome(
    records: list[RunRecord], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stores = {"a": records, "near": moved(records, 0.05, 0.1), "far": moved(records, 0.5, 0.1)}
    for name, held in stores.items():
        store = Store.open(tmp_path / name / "runs", create=True)
        for record in held:
            store.write(record)
    words = ["store", "equivalence", str(tmp_path / "a")]
    assert main([*words, str(tmp_path / "near")]) == 0
    assert capsys.readouterr().out.count("equivalent") == 3
    assert main([*words, str(tmp_path / "far")]) == 1
    assert capsys.readouterr().out.count("not shown") == 3
    assert main([*words, str(tmp_path / "far"), "--bound", "0.8"]) == 0
    assert main([*words, str(tmp_path / "none")]) == 2
    assert main([*words, str(tmp_path / "far"), "--seeds", "0-1"]) == 2


def test_the_suite_of_the_modes_shares_its_runs_with_the_study() -> None:
    study = {s.run_id for s in suite.load("cifar10-jpeg").specs}
    modes = suite.load("modes").specs
    assert len(modes) == 30
    assert {s.run_id for s in modes if s.seed < 5} <= study
