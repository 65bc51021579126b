"""Open-set parts of a report, against the raw numbers of the records."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn.metrics import auc
from statsmodels.stats.multitest import multipletests

from nlbench import reports
from nlbench.reports.compare.engine import Pair, paired_comparisons
from nlbench.reports.compare.ranking import best_of
from nlbench.reports.compare.results import Results, analyse
from nlbench.reports.figures.intervals import band
from nlbench.reports.render.latex import cell as tex_cell
from nlbench.reports.topics.open_set.compare import search
from nlbench.reports.topics.registry import Topics

Make = Callable[..., Any]
LINES = ("clean", "symmetric:0.4")
METHODS = {"ce": ("msp", "energy"), "gce": ("msp", "energy"), "drainage": ("drainage", "msp")}
METRICS = ("auroc", "aupr_unknown", "aupr_known", "fpr95", "oscr")
GRID = np.linspace(0, 1, 101)
# AUROC by (method, score, line), a value per seed: Drainage loses under noise, and clearly.
AREAS = {
    ("ce", "msp", "clean"): [0.70, 0.72, 0.68, 0.74, 0.71],
    ("ce", "energy", "clean"): [0.80, 0.82, 0.79, 0.83, 0.81],
    ("gce", "msp", "clean"): [0.69, 0.73, 0.66, 0.74, 0.72],
    ("gce", "energy", "clean"): [0.71, 0.70, 0.69, 0.75, 0.70],
    ("drainage", "drainage", "clean"): [0.80, 0.83, 0.78, 0.84, 0.82],
    ("drainage", "msp", "clean"): [0.60, 0.63, 0.58, 0.64, 0.62],
    ("ce", "msp", "symmetric:0.4"): [0.66, 0.69, 0.63, 0.71, 0.67],
    ("ce", "energy", "symmetric:0.4"): [0.50, 0.52, 0.51, 0.49, 0.50],
    ("gce", "msp", "symmetric:0.4"): [0.68, 0.73, 0.67, 0.73, 0.71],
    ("gce", "energy", "symmetric:0.4"): [0.60, 0.61, 0.59, 0.62, 0.63],
    ("drainage", "drainage", "symmetric:0.4"): [0.44, 0.46, 0.42, 0.48, 0.45],
    ("drainage", "msp", "symmetric:0.4"): [0.55, 0.57, 0.52, 0.58, 0.56],
}


def _score(area: float) -> dict[str, Any]:
    power = (1 - area) / area
    values = dict.fromkeys(METRICS, area)
    rejected = {"threshold": 0.5, "known_rejected": 0.05, "unknown_rejected": round(area / 2, 6)}
    return {
        **values,
        **rejected,
        "roc": (GRID**power).tolist(),
        "ccr": (0.9 * GRID**power).tolist(),
    }


def _open_set(method: str, line: str, seed: int) -> dict[str, Any]:
    return {
        "classes": [f"c{k + seed}" for k in range(6)],
        "known": 600,
        "unknown": 400,
        "validation": 30,
        "accepted": 0.95,
        "accuracy": 0.9,
        "rule": {"known_rejected": 0.1, "unknown_rejected": 0.4} if method == "drainage" else None,
        "scores": {s: _score(AREAS[method, s, line][seed]) for s in METHODS[method]},
    }


@pytest.fixture(name="study")
def _study(make_study: Make) -> Any:
    return _made(make_study)


def _made(make_study: Make, seeds: int = 5, methods: tuple[str, ...] = tuple(METHODS)) -> Any:
    made = make_study({(m, line): [90.0] * seeds for m in methods for line in LINES}, holdout=0.1)
    changed, specs = [], []
    for record in made.records:
        spec = record.spec
        line = f"classes:4:split={spec.seed}"
        spec = replace(spec, dataset=replace(spec.dataset, unknown=line))
        extra = {"open_set": _open_set(spec.method.name, spec.noise, spec.seed)}
        # Clean and noisy runs of a seed share all but the labels.
        pairing = {
            k: f"{k}{spec.seed}" + (spec.noise if k == "labels" else "") for k in record.pairing
        }
        changed.append(replace(record, spec=spec, evaluations=extra, pairing=pairing))
        specs.append(spec)
    made.records[:] = changed
    made.study = replace(made.study, specs=tuple(specs))
    return made


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def _results(made: Any) -> Results:
    return analyse(made.study, made.records)


def test_the_table_is_the_records_numbers_with_scipys_intervals(study: Any, tmp_path: Path) -> None:
    reports.build_report(study.study, study.records, tmp_path, only="leaderboard")
    rows = {
        (r["method"], r["score"], r["condition"], r["metric"]): r
        for r in _rows((tmp_path / "openset.csv").read_text())
    }
    for (method, score, line), values in AREAS.items():
        raw = 100 * np.array(values)
        for metric in METRICS:
            row = rows[method, score, line, metric]
            low, high = stats.t.interval(0.95, 4, raw.mean(), stats.sem(raw))
            found = [float(row[name]) for name in ("mean", "sd", "ci_low", "ci_high")]
            assert found == pytest.approx([raw.mean(), raw.std(ddof=1), low, high], abs=1e-5)
            assert (row["n"], row["expected_n"]) == ("5", "5")
            assert row["declared"] == str(
                int(score == ("drainage" if method == "drainage" else "msp"))
            )
    rule = rows["drainage", "own rule", "clean", "unknown_rejected"]
    assert float(rule["mean"]) == 40
    assert ("drainage", "own rule", "clean", "auroc") not in rows


def test_comparisons_are_paired_t_tests_with_holm_over_the_declared_family(study: Any) -> None:
    ((_, found),) = search(_results(study))
    pairs = [
        (AREAS[m, s, line], AREAS["ce", "msp", line])
        for line in LINES
        for m, s in (("gce", "msp"), ("drainage", "drainage"))
    ]
    raw = [stats.ttest_rel(a, b).pvalue for a, b in pairs]
    holm = multipletests(raw, method="holm")[1]
    assert [c.family_size for c in found.baseline] == [4] * 4
    assert [c.p for c in found.baseline] == pytest.approx(raw)
    assert [c.p_holm for c in found.baseline] == pytest.approx(holm)
    for comparison, (a, b) in zip(found.baseline, pairs, strict=True):
        difference = 100 * (np.array(a) - np.array(b))
        assert comparison.mde is None  # nothing was planned for this measure
        assert comparison.estimate == pytest.approx(difference.mean())
        assert comparison.unit == "class split"
    assert [c.words for c in found.baseline] == ["undecided", "better", "better", "worse"]
    assert [(c.a, c.b) for c in found.energy] == [("drainage (p_d)", "ce (energy)")] * 2


def test_noise_is_judged_by_the_same_seeds_noisy_minus_clean(study: Any) -> None:
    ((_, found),) = search(_results(study))
    changes = {
        m: 100 * np.subtract(AREAS[m, s, LINES[1]], AREAS[m, s, LINES[0]])
        for m, s in (("ce", "msp"), ("gce", "msp"), ("drainage", "drainage"))
    }
    raw = [stats.ttest_1samp(change, 0).pvalue for change in changes.values()]
    assert [c.p_holm for c in found.noise] == pytest.approx(multipletests(raw, method="holm")[1])
    assert [c.estimate for c in found.noise] == pytest.approx([c.mean() for c in changes.values()])
    whose = [stats.ttest_rel(changes[m], changes["ce"]).pvalue for m in ("gce", "drainage")]
    assert [c.p for c in found.whose] == pytest.approx(whose)


def test_the_page_says_what_the_numbers_say(study: Any, tmp_path: Path) -> None:
    reports.build_report(study.study, study.records, tmp_path, only="tables")
    text = (tmp_path / "openset.md").read_text()
    assert "drainage (p_d) beats ce (MSP) on clean by 10.40 points of AUROC" in text
    assert "drainage (p_d) is worse than ce (MSP) on symmetric 0.4" in text
    assert "drainage (p_d): symmetric 0.4 hurts rejection" in text
    assert "Symmetric 0.4 does more harm to drainage (p_d) than to ce (MSP)" in text
    assert "Worse than chance" in text
    assert "Decided against the extra output" in text
    assert "6 of 10 classes known, 4 unknown" in text
    assert "n = 5 class splits" in text
    assert "would be optimistic" in text
    assert "**81.4 ± 2.4**" in text  # Drainage alone is bold on clean labels
    assert "**71.0" not in text
    assert "\\input{openset}" in (tmp_path / "document.tex").read_text()
    assert (tmp_path / "openset.tex").read_text().count("\\toprule") == 1


def test_figures_are_drawn_and_the_index_page_names_the_tables(study: Any) -> None:
    results = _results(study)
    topics = Topics(results)
    drawn = {plan.name: plan.caption for plan in topics.figures(results.blocks[0])}
    assert set(drawn) == {"openset-curves", "openset-auroc", "openset-noise"}
    assert all("n = 5 class splits" in caption for caption in drawn.values())
    text = "\n".join(topics.sections(results.blocks[0]))
    assert "(openset.md)" in text
    assert "hurts rejection" in text


def test_the_same_records_in_any_order_give_the_same_bytes(study: Any, tmp_path: Path) -> None:
    first = reports.build_report(study.study, study.records, tmp_path / "a", only="tables")
    reports.build_report(study.study, study.records[::-1], tmp_path / "b", only="tables")
    for path in first.files:
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_a_missing_run_is_told_and_its_cell_not_tested(study: Any, tmp_path: Path) -> None:
    gone = [
        r
        for r in study.records
        if (r.spec.method.name, r.spec.noise, r.spec.seed) != ("drainage", "clean", 3)
    ]
    reports.build_report(study.study, gone, tmp_path, only="tables")
    text = (tmp_path / "openset.md").read_text()
    assert "(4/5)" in text
    assert (
        "drainage (p_d) and ce (MSP) are not compared on clean: incomplete (4 of 5 seeds)" in text
    )
    ((_, found),) = search(analyse(study.study, gone))
    assert all(c.family_size == 4 for c in found.baseline)


def test_the_suites_test_decides_here_too(study: Any, tmp_path: Path) -> None:
    other = replace(study.study, test="Wilcoxon")
    reports.build_report(other, study.records, tmp_path, only="tables")
    text = (tmp_path / "openset.md").read_text()
    assert "cannot be decided with 5 class splits (no Wilcoxon p below 0.0625); so far" in text
    assert "two-sided paired t" not in text
    reports.build_report(study.study, study.records, tmp_path, only="tables")
    assert "(paired t, n = 5 class splits" in (tmp_path / "openset.md").read_text()


def test_one_method_and_one_seed_each_get_a_clear_sentence(
    make_study: Make, tmp_path: Path
) -> None:
    alone = _made(make_study, methods=("ce",))
    reports.build_report(alone.study, alone.records, tmp_path, only="tables")
    assert "One method: there is nothing to compare" in (tmp_path / "openset.md").read_text()
    single = _made(make_study, seeds=1)
    reports.build_report(single.study, single.records, tmp_path, only="tables")
    text = (tmp_path / "openset.md").read_text()
    assert "one seed has no spread to test against" in text
    assert "70.0 ± –" in text
    assert "nothing is bold" in text


def test_records_without_scores_change_nothing(make_study: Make, tmp_path: Path) -> None:
    made = make_study({("ce", "clean"): [90.0, 91.0]})
    built = reports.build_report(made.study, made.records, tmp_path, only="tables")
    assert not [p for p in built.files if p.name.startswith(("openset", "detection", "signatures"))]


@settings(max_examples=40, deadline=None)
@given(
    data=arrays(np.float64, (3, 5), elements=st.floats(0, 100, width=32)),
)
def test_bold_is_what_no_one_sided_test_finds_worse(
    data: np.ndarray[Any, np.dtype[np.float64]],
) -> None:
    cells = [_cell(f"m{i}", row) for i, row in enumerate(data)]
    pairs = [Pair(cells[j], cells[i]) for i in range(3) for j in range(i + 1, 3)]
    found = paired_comparisons(pairs, metric="AUROC", family="all", unit="seed")
    best = best_of(cells, found).members
    worse = {
        pair.b if (pair.estimate or 0) > 0 else pair.a
        for pair in found
        if pair.t is not None and stats.t.sf(abs(pair.t), 4) < 0.05 / 2
    }
    assert best == {"m0", "m1", "m2"} - worse
    upside_down = best_of([replace(c, values=-c.values) for c in cells], found, False)
    assert upside_down.members == best


def _cell(label: str, values: np.ndarray[Any, np.dtype[np.float64]]) -> Any:
    from nlbench.reports.read.cells import Cell

    n = len(values)
    prints = (("x",) * 6,) * n
    ids = tuple(f"{label}{i}" for i in range(n))
    return Cell(label, "clean", tuple(range(n)), values, ("ok",) * n, ids, prints, None)


@settings(max_examples=30, deadline=None)
@given(arrays(np.float64, (4, 7), elements=st.floats(0, 100)))
def test_bands_are_scipys_t_intervals(curves: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    found = band(np.arange(7.0), curves)
    half = stats.t.ppf(0.975, 3) * stats.sem(curves, axis=0)
    half = np.where(np.ptp(curves, axis=0) > 0, half, np.nan)
    np.testing.assert_allclose(found.mean, curves.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(found.low, np.maximum(curves.mean(axis=0) - half, 0), atol=1e-6)
    np.testing.assert_allclose(found.high, np.minimum(curves.mean(axis=0) + half, 100), atol=1e-6)


def test_bands_leave_out_what_a_run_does_not_have() -> None:
    curves = np.array([[50.0, np.nan, np.nan], [60.0, 70.0, np.nan]])
    found = band(np.arange(3.0), curves)
    assert found.x.tolist() == [0, 1]
    assert found.mean.tolist() == [55, 70]
    assert found.low[0] == pytest.approx(max(55 - stats.t.ppf(0.975, 1) * 5, 0))
    assert np.isnan(found.low[1])  # one run has no interval, and not one of no width


def test_the_area_under_the_drawn_curve_is_the_auroc(study: Any) -> None:
    ((protocol, _),) = search(_results(study))
    curves = protocol.curves("ce", "clean")
    areas = [auc(GRID, curve) for curve in curves[:, 0]]
    assert areas == pytest.approx(AREAS["ce", "msp", "clean"], abs=2e-3)


def test_tex_cells_hold_nothing_that_tex_would_act_on() -> None:
    assert tex_cell("[1.0, −2.0]") == "{[}1.0, $-$2.0{]}"
    assert tex_cell("1.0 ± –", bold=True) == "\\textbf{1.0 $\\pm$ --}"
