from __future__ import annotations

from dataclasses import replace

import pytest

from nlbench import noise
from nlbench.noise import NoiseSpec
from nlbench.noise.bench import CASES, Case, run


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


def test_every_model_is_in_the_bench_with_its_legacy_variants_and_sizes() -> None:
    kinds = {NoiseSpec.parse(case.spec).kind for case in CASES}
    assert kinds == set(noise.names()) - {"given"}  # which changes nothing, as clean
    settled = {part for case in CASES for part in case.spec.split(":")}
    for kind in ("symmetric", "asymmetric", "instance"):
        for name in ("legacy", "bias"):
            options = [o for o in noise.get(kind).options if o.name == name]
            wanted = {f"{name}={c}" for o in options for c in o.choices or () if c != o.default}
            assert wanted <= settled
    sizes = {(NoiseSpec.parse(c.spec).kind, c.num_classes) for c in CASES}
    for kind in ("symmetric", "asymmetric", "pair", "instance", "confidence", "pmd", "human"):
        assert {(kind, 10), (kind, 100)} <= sizes
    assert {c.num_classes for c in CASES if c.samples == 1_000_000} == {1000}


def test_limits_are_those_of_the_kind() -> None:
    assert Case("symmetric:0.4").limit == 0.01
    assert Case("symmetric:0.4", 1_000_000, 1000).limit == 1
    assert Case("instance:0.4", features=(3, 32, 32)).limit == 1.5
    assert Case("pmd:0.35", features=(10,)).limit == 1


@pytest.mark.parametrize("case", [case for case in CASES if case.file and case.samples <= 50_000])
def test_files_of_the_bench_are_read_by_their_models(case: Case) -> None:
    (row,) = run((replace(case, samples=50 * case.num_classes),), repeats=1)
    low, high = (0.19, 0.21) if "transition" not in case.spec else (0.3, 0.5)
    assert low <= row["realised_rate"] <= high
    assert row["within"] in ("yes", "NO")


def test_a_case_that_takes_too_long_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case("symmetric:0.4", samples=100)
    monkeypatch.setattr(Case, "limit", 1e9)
    assert run((case,), repeats=1)[0]["within"] == "yes"
    monkeypatch.setattr(Case, "limit", 0.0)
    assert run((case,), repeats=1)[0]["within"] == "NO"
