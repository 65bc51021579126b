"""Sweeps against a grid whose every number is known, and against SciPy and statsmodels."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from nlbench import reports
from nlbench.benchmark.spec.canonical_json import sha256_of
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.spec.run_spec import DatasetSpec, MethodSpec, RunSpec
from nlbench.benchmark.store.record import RunRecord
from nlbench.reports.compare.results import Results, analyse
from nlbench.reports.read.study import Study
from nlbench.reports.topics import sweep as sweep_topic
from nlbench.reports.topics.registry import Topics
from nlbench.reports.topics.sweep.axes import axes_of
from nlbench.reports.topics.sweep.compare import measure, residual_sd
from nlbench.reports.topics.sweep.find import sweeps
from nlbench.reports.topics.sweep.selection import choose, spearman
from nlbench.reports.topics.sweep.sentences import choice_sentences, sensitivity
from tests.helpers.studies import record

LINE, SEEDS = "asymmetric:0.4", 4
ALPHAS, RATIOS = (1.0, 0.1, 3.0), (1.0, 0.0, 0.3)
GRID = [MethodSpec.of("drainage", {"alpha": a, "beta": r / a}) for a, r in product(ALPHAS, RATIOS)]
BESIDE = [
    MethodSpec.of("ce", {}),
    *(
        MethodSpec.of("drainage-constant", {"alpha": 1.0, "beta": 1.0, "constant": c})
        for c in (0.0, 2.0)
    ),
]
DRAWS = np.random.Generator(np.random.Philox(key=3))
# Setting (declared order) x seed: a plain slope over settings, shared luck, a little noise.
TEST = (
    80
    - np.arange(len(GRID))[:, None]
    + DRAWS.normal(size=(1, SEEDS))
    + DRAWS.normal(scale=0.3, size=(len(GRID), SEEDS))
)
HELD = DRAWS.uniform(0.4, 0.6, size=TEST.shape)


def _specs(methods: list[MethodSpec]) -> Iterator[RunSpec]:
    data = DatasetSpec("digits", None, 0.1)
    for seed, method in product(range(SEEDS), methods):
        yield RunSpec(data, "mlp", method, LINE, seed, Recipe(epochs=2))


def _record(spec: RunSpec) -> RunRecord:
    if spec.method not in GRID:
        return record(spec, 60.0 + spec.seed)
    at = GRID.index(spec.method)
    held, mass = float(HELD[at, spec.seed]), 0.1 * at
    curves = {
        "test_accuracy": (0.1, float(TEST[at, spec.seed]) / 100),
        "drainage_clean": (0.9, mass),
        "drainage_flipped": (0.9, mass + 0.1),
        "val_noisy": (0.99, held),
    }
    return record(spec, float(TEST[at, spec.seed]), curves=curves)


def _study(methods: list[MethodSpec]) -> tuple[Study, list[RunRecord]]:
    specs = tuple(_specs(methods))
    study = Study(
        name="grid", title="A grid", description="", specs=specs, baseline=methods[0].name,
        sha256=sha256_of(sorted(s.run_id for s in specs)), titles={"drainage": "Drainage"},
    )  # fmt: skip
    return study, [_record(spec) for spec in specs]


@pytest.fixture(name="results", scope="module")
def _results() -> Results:
    return analyse(*_study([*BESIDE, *GRID]))


def _texts(results: Results) -> dict[str, str]:
    return Topics(results, (sweep_topic.TOPIC,)).texts(None)


def test_a_grid_is_found_with_its_axes_levels_and_default(results: Results) -> None:
    (sweep,) = sweeps(results)
    assert (sweep.rows.label, sweep.columns.label) == ("alpha", "beta / (1/alpha)")
    assert (sweep.row_levels, sweep.column_levels) == ((0.1, 1.0, 3.0), (0.0, 0.3, 1.0))
    assert [s.at for s in sweep.settings] == list(product(ALPHAS, RATIOS))
    assert sweep.default.at == (1.0, 1.0)
    # Two constants are no grid of their own: they stand beside, with CE.
    assert [s.cell.method.partition("(")[0] for s in sweep.beside] == [
        "ce", "drainage-constant", "drainage-constant",
    ]  # fmt: skip
    assert sweep.settings[3].last["drainage_flipped"] == pytest.approx(np.full(SEEDS, 0.4))


def test_one_varying_hyper_parameter_or_a_line_of_settings_is_no_grid() -> None:
    row = [MethodSpec.of("gce", {"q": q}) for q in (0.3, 0.5, 0.7)]
    assert sweeps(analyse(*_study([*BESIDE[:1], *row]))) == ()
    cross = [GRID[0], GRID[1], GRID[3]]  # alpha = 0.1 has one setting
    assert sweeps(analyse(*_study([*BESIDE[:1], *cross]))) == ()


def test_further_hyper_parameters_and_switches_make_grids_of_their_own() -> None:
    def settings(kind: str) -> list[MethodSpec]:
        pairs = product((1.0, 2.0), (3.0, 4.0))
        return [MethodSpec.of("mine", {"a": a, "b": b, "kind": kind}) for a, b in pairs]

    found = sweeps(analyse(*_study([*BESIDE[:1], *settings("x"), *settings("y")])))
    assert [(s.rows.label, s.columns.label, s.fixed) for s in found] == [
        ("a", "b", "kind = x"),
        ("a", "b", "kind = y"),
    ]
    assert [s.number for s in found] == [1, 2]
    # Beside each: CE, and of the other grid its default only.
    assert [len(s.beside) for s in found] == [2, 2]
    assert len(axes_of("mine", [{"a": 1, "b": True}, {"a": 2, "b": False}])) == 1


def test_spread_is_that_of_numpy_and_of_an_analysis_of_variance(results: Results) -> None:
    spread = measure(sweeps(results)[0], rope=0.5).spread
    assert spread is not None
    means = TEST.mean(axis=1)
    assert (spread.best, spread.worst) == (int(means.argmax()), int(means.argmin()))
    assert spread.sd == pytest.approx(means.std(ddof=1))
    assert spread.by_seed.mean == pytest.approx(TEST.std(axis=0, ddof=1).mean())
    assert spread.near == int((means >= means.max() - 0.5).sum())
    long = pd.DataFrame(
        [(f"s{i}", f"b{j}", TEST[i, j]) for i, j in np.ndindex(TEST.shape)],
        columns=["setting", "seed", "y"],
    )
    fit = smf.ols("y ~ C(setting) + C(seed)", long).fit()
    assert spread.noise == pytest.approx(np.sqrt(fit.mse_resid))
    assert residual_sd(TEST[:, :1]) is None
    # The pooled comparison with the best: statsmodels' contrasts, then Holm by hand.
    best = spread.best
    p = []
    for i in set(range(len(GRID))) - {best}:
        t = (means[best] - means[i]) / np.sqrt(2 * fit.mse_resid / SEEDS)
        p.append(2 * stats.t.sf(abs(t), fit.df_resid))
    steps = np.maximum.accumulate(np.sort(p) * np.arange(len(p), 0, -1))
    assert spread.pooled == 1 + int((steps >= 0.05).sum())


def test_comparisons_with_the_default_are_paired_and_corrected_over_the_grid(
    results: Results,
) -> None:
    found = measure(sweeps(results)[0], rope=0.5)
    assert len(found.against_default) == len(GRID) - 1
    raw = [stats.ttest_rel(TEST[i], TEST[0]).pvalue for i in range(1, len(GRID))]
    assert [v.p for v in found.against_default] == pytest.approx(raw)
    assert {v.family_size for v in found.against_default} == {len(GRID) - 1}
    assert {v.family_size for v in found.beside} == {len(BESIDE)}
    verdict = found.against_default[-1]
    interval = stats.ttest_rel(TEST[-1], TEST[0]).confidence_interval()
    assert (verdict.ci_low, verdict.ci_high) == pytest.approx((interval.low, interval.high))


def test_a_level_is_averaged_over_the_other_axis_before_it_is_tested(results: Results) -> None:
    levels = {
        (level.axis.label, level.value): level
        for level in measure(sweeps(results)[0], rope=0.5).levels
    }
    assert len(levels) == 4
    cube = TEST.reshape(len(ALPHAS), len(RATIOS), SEEDS)
    limit = levels["beta / (1/alpha)", 0.0]
    test = stats.ttest_rel(cube[:, 1].mean(axis=0), cube[:, 0].mean(axis=0))
    assert limit.test is not None
    assert (limit.test.n, limit.over, limit.family) == (SEEDS, 3, 2)
    assert limit.test.p == pytest.approx(test.pvalue)
    small = levels["alpha", 0.1]
    assert small.test is not None
    assert small.test.estimate == pytest.approx((cube[1] - cube[0]).mean())


def test_noisy_validation_chooses_and_its_choices_are_compared(results: Results) -> None:
    choices = choose(sweeps(results)[0])
    assert choices is not None
    chosen, seeds = HELD.argmax(axis=0), np.arange(SEEDS)
    assert [c.accuracy for c in choices.seeds] == pytest.approx(TEST[chosen, seeds])
    test = stats.ttest_rel(TEST[chosen, seeds], TEST[0])
    assert choices.against_default.p == pytest.approx(test.pvalue)
    left_out = [np.delete(TEST, s, axis=1).mean(axis=1).argmax() for s in seeds]
    luck = TEST.max(axis=0) - TEST[left_out, seeds]
    assert choices.luck.mean == pytest.approx(luck.mean())
    for column, choice in enumerate(choices.seeds):
        expected = stats.spearmanr(HELD[:, column], TEST[:, column]).statistic
        assert choice.correlation == pytest.approx(expected)
    assert spearman(np.ones(3), np.arange(3.0)) is None


def test_equal_validation_counts_with_the_mean_of_the_equal_ones() -> None:
    study, records = _study([*BESIDE[:1], *GRID])
    flat = [
        replace(r, curves={**r.curves, "val_noisy": (0.5, 0.5)}) if r.curves.get("val_noisy") else r
        for r in records
    ]
    sweep = sweeps(analyse(study, flat))[0]
    choices = choose(sweep)
    assert choices is not None
    assert [c.accuracy for c in choices.seeds] == pytest.approx(TEST.mean(axis=0))
    assert f"one of {len(GRID)} settings" in choice_sentences(sweep, choices)[0]


def test_an_incomplete_grid_says_so_and_is_not_tested() -> None:
    study, records = _study([*BESIDE[:1], *GRID])
    gone = next(s.run_id for s in study.specs if s.method == GRID[1] and s.seed == 2)
    results = analyse(study, [r for r in records if r.run_id != gone])
    (sweep,) = sweeps(results)
    found, choices = measure(sweep, 0.5), choose(sweep)
    assert found.spread is not None
    assert found.spread.settings == len(GRID) - 1
    assert "8 of 9 settings (the others are incomplete)" in sensitivity(sweep, found, 0.5)[0]
    assert choices is not None
    assert [c.seed for c in choices.seeds] == [0, 1, 3]
    assert "Only 3 of 4 seeds" in choice_sentences(sweep, choices)[-1]
    assert "incomplete" in {level.reason for level in found.levels}
    assert "†3/4" in _texts(results)["sweep.md"]


def test_a_diverged_run_is_counted_marked_and_not_chosen() -> None:
    study, records = _study([*BESIDE[:1], *GRID])
    for i, r in enumerate(records):
        if r.spec.method == GRID[2] and r.spec.seed == 0:
            records[i] = replace(r, status="diverged", curves={"test_accuracy": (0.1,)})
    results = analyse(study, records)
    (sweep,) = sweeps(results)
    choices = choose(sweep)
    assert choices is not None
    assert all(sweep.settings[2] not in c.chosen for c in choices.seeds[:1])
    lines = sensitivity(sweep, measure(sweep, 0.5), 0.5)
    assert "Collapsed to chance: alpha = 1, beta / (1/alpha) = 0.3 (1 of 4)" in lines[-1]
    assert "‡1" in _texts(results)["sweep.md"]


def test_the_report_writes_it_by_itself_and_twice_the_same(tmp_path: Path) -> None:
    study, records = _study([*BESIDE, *GRID])
    names = []
    for folder, given in (("a", records), ("b", records[::-1])):
        built = reports.build_report(study, given, tmp_path / folder)
        names.append({str(f.relative_to(tmp_path / folder)) for f in built.files})
    wanted = {"sweep.md", "sweep.csv", "sweep-levels.csv", "sweep-choice.csv"}
    wanted |= {f"figures/sweep-{n}.png" for n in ("accuracy", "drained", "validation")}
    assert wanted <= names[0] == names[1]
    for name in wanted:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    index = (tmp_path / "a" / "index.md").read_text()
    assert "[sweep.md](sweep.md)" in index
    assert "figures/sweep-accuracy.png" in index
    text = (tmp_path / "a" / "sweep.md").read_text()
    for word in ("2 epochs", "n = 4 seeds", "device cpu", study.sha256[:12], "Digits"):
        assert word in text
    rows = list(csv.DictReader(io.StringIO((tmp_path / "a" / "sweep.csv").read_text())))
    assert [row["role"] for row in rows] == ["default", *["grid"] * 8, *["beside"] * 3]
    assert [float(r["mean"]) for r in rows[:9]] == pytest.approx(TEST.mean(axis=1), abs=1e-5)
    assert [float(r["drained_flipped_mean"]) for r in rows[:9]] == pytest.approx(
        0.1 * np.arange(9) + 0.1, abs=1e-5
    )


def test_a_study_without_a_grid_has_no_such_files() -> None:
    results = analyse(*_study([*BESIDE[:1], GRID[0]]))
    assert _texts(results) == {}
