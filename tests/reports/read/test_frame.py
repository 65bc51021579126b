"""The tidy frame: what was declared joined with what was run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nlbench import reports
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.spec.run_spec import DatasetSpec, MethodSpec, RunSpec
from nlbench.benchmark.store.record import CURVES, pack_bits
from nlbench.reports.read.cells import collapse_threshold
from nlbench.reports.read.frame import tidy, unpack
from nlbench.reports.read.names import block_keys, method_labels, noise_name, pretty_condition

Make = Callable[..., Any]


def spec(
    method: str,
    noise: str = "clean",
    seed: int = 0,
    data: str = "digits",
    recipe: Recipe | None = None,
    **params: Any,
) -> RunSpec:
    setting = MethodSpec.of(method, params)
    return RunSpec(DatasetSpec(data), "mlp", setting, noise, seed, recipe or Recipe(epochs=1))


def test_a_row_per_declared_run_run_or_not(make_study: Make) -> None:
    made = make_study({("ce", "clean"): [90.0, None], ("gce", "symmetric:0.2"): [80.0, 81.0]})
    runs = tidy(made.study, made.records).runs
    assert list(runs["status"]) == ["ok", "missing", "ok", "ok"]
    assert runs["last"].tolist()[0] == 90.0
    assert np.isnan(runs["last"].tolist()[1])
    assert list(runs["data_label"]) == ["Digits"] * 4
    assert list(runs["nominal_rate"]) == [0.0, 0.0, 0.2, 0.2]


def test_the_order_of_records_does_not_matter(make_study: Make) -> None:
    made = make_study({("ce", "clean"): [90.0, 91.0], ("gce", "clean"): [80.0, 81.0]})
    forth, back = tidy(made.study, made.records), tidy(made.study, made.records[::-1])
    assert forth.runs.equals(back.runs)
    assert forth.curves.keys() == back.curves.keys()
    for run_id, curves in forth.curves.items():
        np.testing.assert_array_equal(curves, back.curves[run_id])


def test_labels_stay_plain_where_settings_differ_only_between_data_sets() -> None:
    specs = [spec("drainage", data="digits", alpha=0.1), spec("drainage", data="mnist", alpha=1.0)]
    assert method_labels(specs) == ["drainage", "drainage"]


def test_labels_say_what_varies_where_one_name_stands_twice() -> None:
    specs = [
        spec(method, line, alpha=alpha, q=0.7)
        for line in ("clean", "symmetric:0.4")
        for method, alpha in (("drainage", 0.1), ("drainage", 1.0), ("gce", 0.5))
    ]
    expected = ["drainage(alpha=0.1)", "drainage(alpha=1)", "gce"]
    assert method_labels(specs) == expected * 2


def test_labels_say_which_recipe_where_only_that_differs() -> None:
    specs = [spec("ce", recipe=Recipe(epochs=1, batch_size=size)) for size in (64, 128)]
    assert method_labels(specs) == ["ce(recipe.batch_size=64)", "ce(recipe.batch_size=128)"]


def test_every_value_that_matched_makes_equal_is_a_block_of_its_own() -> None:
    recipes = [Recipe(epochs=1, lr=0.1, l1=l1) for l1 in (0.0, 1e-3)]
    specs = [spec(method, recipe=recipe) for recipe in recipes for method in ("ce", "gce")]
    keys = block_keys(specs)
    assert [key.recipe for key in keys] == ["L1 0", "L1 0", "L1 0.001", "L1 0.001"]
    assert {key.regime for key in keys} == {"matched, L1 0", "matched, L1 0.001"}
    assert method_labels(specs) == ["ce", "gce", "ce", "gce"]
    assert {key.recipe for key in block_keys(specs[:2])} == {""}
    assert method_labels(specs[::2]) == ["ce(recipe.l1=0)", "ce(recipe.l1=0.001)"]


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("lr", 0.5, "learning rate"),
        ("l1", 0.5, "L1"),
        ("weight_decay", 0.5, "L2"),
        ("precision", "bf16", "precision"),
        ("epochs", 9, "epochs"),
    ],
)
def test_what_differs_between_methods_is_not_called_matched(
    field: str, value: Any, word: str
) -> None:
    plain = Recipe(epochs=1)
    specs = [spec("ce", recipe=plain), spec("gce", recipe=replace(plain, **{field: value}))]
    assert {key.profile for key in block_keys(specs)} == {f"not matched ({word})"}
    official = [replace(one, profile="official") for one in specs]
    assert {key.profile for key in block_keys(official)} == {"official"}


def test_the_labels_as_drawn_and_the_recipe_are_in_every_row(make_study: Make) -> None:
    line = "asymmetric:0.4"
    made = make_study({("ce", line): [90.0, None], ("ce", "clean"): [91.0, 92.0]})
    made.change("ce", line, 0, noise={**made.records[-1].noise, "spec": f"{line}:map=standard"})
    runs = tidy(made.study, made.records).runs.set_index("condition")
    # Of a run that is not there, as the data set settles it.
    assert set(runs.loc[[line], "noise_drawn"].tolist()) == {
        "asymmetric:0.4:count=exact:legacy=none:majority=refuse:map=standard"
    }
    assert set(runs["recipe"]) == {"learning rate 0.01, L1 0, L2 0, precision float32, epochs 2"}


@pytest.mark.parametrize(
    ("line", "kind", "rate", "words"),
    [
        ("clean", "clean", 0.0, "clean"),
        ("symmetric:0.4", "symmetric", 0.4, "symmetric 0.4"),
        ("asymmetric:0.4:map=b5", "asymmetric:map=b5", 0.4, "asymmetric 0.4 (map=b5)"),
        ("human:worse", "human:worse", None, "human worse"),
        ("symmetric:0.2+pair:0.1", "symmetric+pair", 0.3, "symmetric 0.2 + pair 0.1"),
    ],
)
def test_noise_lines(line: str, kind: str, rate: float | None, words: str) -> None:
    assert noise_name(line) == (kind, rate)
    assert pretty_condition(line) == words


def test_a_named_noise_type_takes_its_rate_from_its_records(make_study: Make) -> None:
    made = make_study(
        {("ce", "human:worse"): [70.0, None]} | {("gce", "human:worse"): [71.0, 72.0]}
    )
    for seed, method in ((0, "ce"), (0, "gce"), (1, "gce")):
        noise = {**made.records[0].noise, "nominal": 0.4, "realised": 0.402}
        made.change(method, "human:worse", seed, noise=noise)
    assert set(tidy(made.study, made.records).runs["nominal_rate"]) == {0.4}


def test_records_of_other_studies_are_left_out_and_counted(make_study: Make) -> None:
    made = make_study({("ce", "clean"): [90.0]})
    other = make_study({("ce", "symmetric:0.2"): [50.0]})
    frame = tidy(made.study, made.records + other.records)
    assert len(frame.runs) == 1
    assert "1 records of runs outside this study were left out" in frame.warnings


def test_no_record_at_all_is_an_error_that_says_so(make_study: Make) -> None:
    made = make_study({("ce", "clean"): [90.0]})
    other = make_study({("ce", "symmetric:0.2"): [50.0]})
    with pytest.raises(reports.ReportError, match="'small': no records given, none of its 1 runs"):
        tidy(made.study, [])
    with pytest.raises(reports.ReportError, match="1 records of other runs given"):
        tidy(made.study, other.records)


def test_of_two_different_records_of_a_run_the_first_counts_in_any_order(make_study: Make) -> None:
    made = make_study({("ce", "clean"): [90.0]})
    first = made.records[0]
    later = replace(
        first,
        metrics={"last": 0.5},
        timing={"started": "2026-02-01T00:00:00+00:00", "seconds": 1.0},
    )
    for records in ([first, later], [later, first]):
        frame = tidy(made.study, records)
        assert frame.runs["last"].tolist() == [90.0]
        assert any("two records with different results" in w for w in frame.warnings)
    assert tidy(made.study, [first, first]).warnings == ()


def test_same_second_duplicates_do_not_depend_on_their_order(make_study: Make) -> None:
    made = make_study({("ce", "clean"): [90.0]})
    twin = replace(made.records[0], metrics={"last": 0.5})
    orders = ([made.records[0], twin], [twin, made.records[0]])
    found = [tidy(made.study, records).runs["last"].tolist() for records in orders]
    assert found[0] == found[1]


def test_curves_and_bits_come_back(make_study: Make) -> None:
    made = make_study({("ce", "symmetric:0.4"): [90.0]})
    bits = np.arange(500) % 3 == 0
    made.change("ce", "symmetric:0.4", 0, test_correct=pack_bits(bits))
    frame = tidy(made.study, made.records)
    run_id = made.study.specs[0].run_id
    np.testing.assert_array_equal(unpack(frame.correct[run_id], 500), bits)
    curves = dict(zip(CURVES, frame.curves[run_id], strict=True))
    np.testing.assert_allclose(curves["flipped_fit_given"], [0.1, 0.4], rtol=1e-6)
    assert np.isnan(curves["val_noisy"]).all()


@pytest.mark.parametrize(("classes", "limit"), [(2, 55.0), (10, 15.0), (100, 1.5)])
def test_collapse_thresholds(classes: int, limit: float) -> None:
    assert collapse_threshold(classes) == pytest.approx(limit)


def test_studies_that_cannot_be() -> None:
    words: dict[str, Any] = {"name": "s", "title": "s", "description": "", "sha256": "0"}
    with pytest.raises(reports.ReportError, match="declares no runs"):
        reports.Study(specs=(), baseline="ce", **words)
    with pytest.raises(reports.ReportError, match="'gec'; did you mean 'gce'"):
        reports.Study(specs=(spec("gce"),), baseline="gec", **words)
    with pytest.raises(reports.ReportError, match=r"digits mlp gce clean seed 0\) 2 times"):
        reports.Study(specs=(spec("gce"), spec("gce")), baseline="gce", **words)
