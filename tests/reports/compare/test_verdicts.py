"""What is compared, what is refused, and the words for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats as scipy_stats

from nlbench import reports
from nlbench.reports.compare.comparison import Comparison
from nlbench.reports.compare.results import Results, analyse

Make = Callable[..., Any]
Floats = NDArray[np.float64]
A = [90.0, 91.0, 90.5, 92.0, 91.5]
B = [88.1, 89.2, 88.3, 90.4, 89.4]


def one(results: Results) -> Comparison:
    assert len(results.verdicts) == 1
    return results.verdicts[0]


def test_a_small_study_by_hand(make_study: Make) -> None:
    values = {("ce", "symmetric:0.4"): B, ("gce", "symmetric:0.4"): A}
    made = make_study(values, planned_sd=0.5)
    verdict = one(analyse(made.study, made.records))
    reference = scipy_stats.ttest_rel(A, B)
    interval = reference.confidence_interval()
    assert (verdict.a, verdict.b, verdict.n, verdict.family_size) == ("gce", "ce", 5, 1)
    assert verdict.estimate == pytest.approx(1.92)
    assert verdict.p == pytest.approx(reference.pvalue, rel=1e-9)
    assert verdict.p_holm == pytest.approx(reference.pvalue, rel=1e-9)
    assert verdict.ci_low == pytest.approx(interval.low)
    assert verdict.words == "better"
    assert verdict.mde == pytest.approx(1.6822 * 0.5, rel=1e-3)
    assert verdict.sentence() == (
        "gce beats ce on symmetric 0.4 by 1.92 points [1.62, 2.22], p_Holm < 0.001 (paired t,"
        " n = 5, declared, gate 1, d_z = 6.43)."
    )


def test_the_other_pairs_of_a_table_are_one_exploratory_family(make_study: Make) -> None:
    lines = ("clean", "symmetric:0.2", "symmetric:0.4", "asymmetric:0.4:map=block5")
    methods = ("ce", "gce", "drainage")
    made = make_study({(m, line): A for m in methods for line in lines})
    found = analyse(made.study, made.records).verdicts
    assert {v.b: (v.role, v.family_size) for v in found} == {
        "ce": ("declared", 2),
        "gce": ("exploratory", 4),
    }


def test_a_family_is_as_large_as_declared_however_little_has_been_run(make_study: Make) -> None:
    values = {(m, f"symmetric:{r}"): A for m in ("ce", "gce", "sce") for r in (0.2, 0.4)}
    full = make_study(values)
    half = make_study(values)
    half.records = [r for r in half.records if r.spec.noise == "symmetric:0.2"]
    for made in (full, half):
        found = analyse(made.study, made.records)
        assert {v.family_size for v in found.verdicts} == {2}
        assert len(found.gates) == 6


def test_adding_a_method_leaves_the_other_pairs_raw_p_alone(make_study: Make) -> None:
    line = "symmetric:0.4"
    two = make_study({("ce", line): B, ("gce", line): A})
    three = make_study({("ce", line): B, ("gce", line): A, ("mae", line): A[::-1]})
    found = [v for v in analyse(three.study, three.records).verdicts if {v.a, v.b} == {"ce", "gce"}]
    assert found[0].p == one(analyse(two.study, two.records)).p


def test_every_pair_is_judged_against_the_baseline_wherever_it_was_declared(
    make_study: Make,
) -> None:
    line = "symmetric:0.4"
    values = {("gce", line): A, ("ce", line): B, ("sce", line): A}
    made = make_study(values, baseline="ce")
    pairs = [(v.a, v.b) for v in analyse(made.study, made.records).verdicts]
    assert pairs == [("gce", "ce"), ("sce", "ce"), ("sce", "gce")]


def test_worse_is_said_with_positive_points(make_study: Make) -> None:
    made = make_study({("ce", "clean"): A, ("gce", "clean"): B})
    verdict = one(analyse(made.study, made.records))
    assert verdict.words == "worse"
    assert "gce is worse than ce on clean by 1.92 points [1.62, 2.22]" in verdict.sentence()
    assert verdict.hedges is not None
    assert verdict.hedges < 0
    assert "d_z = 6.43" in verdict.sentence()


def test_an_undecided_sentence_has_the_effect_with_its_sign_the_and_the_family(
    make_study: Make,
) -> None:
    made = make_study({("ce", "pair:0.2"): A, ("gce", "pair:0.2"): A[::-1],
                       ("sce", "pair:0.2"): B})  # fmt: skip
    found = [v for v in analyse(made.study, made.records).verdicts if {v.a, v.b} == {"ce", "gce"}]
    words = found[0].sentence()
    assert words.startswith("gce and ce are not distinguishable on pair 0.2: difference ")
    for part in ("[", "n = 5", "declared, gate 1", "d_z = 0.00"):
        assert part in words


def test_a_missing_seed_is_not_compared_as_if_the_cell_were_whole(make_study: Make) -> None:
    made = make_study({("ce", "clean"): B, ("gce", "clean"): [*A[:3], None, None]})
    verdict = one(analyse(made.study, made.records))
    assert verdict.words == "not comparable: incomplete (3 of 5 seeds)"
    assert (verdict.n, verdict.expected_n, verdict.p, verdict.p_holm) == (3, 5, None, None)
    assert verdict.estimate == pytest.approx(np.mean(np.subtract(A[:3], B[:3])))
    assert "so far +1.97 points" in verdict.sentence()


@pytest.mark.parametrize("key", ["data", "labels", "split", "init", "order", "augment"])
def test_unequal_fingerprints_are_refused_as_unpaired(make_study: Make, key: str) -> None:
    made = make_study({("ce", "clean"): B, ("gce", "clean"): A})
    other = {**made.records[0].pairing, key: "something else"}
    made.change("gce", "clean", 0, pairing=other)
    verdict = one(analyse(made.study, made.records))
    assert verdict.words == f"not comparable: not paired ({key} differ at seed 0)"
    assert verdict.p is verdict.ci_low is verdict.sd is verdict.d_z is None


def test_fingerprints_that_are_not_recorded_prove_nothing(make_study: Make) -> None:
    made = make_study({("ce", "clean"): B, ("gce", "clean"): A})
    for record in list(made.records):
        made.change(record.spec.method.name, "clean", record.spec.seed, pairing={})
    assert "not paired" in one(analyse(made.study, made.records)).words


def test_one_seed_gets_no_test(make_study: Make) -> None:
    made = make_study({("ce", "clean"): B[:1], ("gce", "clean"): A[:1]})
    verdict = one(analyse(made.study, made.records))
    assert verdict.words == "not comparable: one seed has no spread to test against"
    assert verdict.p is verdict.sd is verdict.mde is None


def test_a_diverged_run_counts_with_chance_and_is_left_out_of_the_comparison(
    make_study: Make,
) -> None:
    made = make_study({("ce", "clean"): B, ("gce", "clean"): A})
    made.change("gce", "clean", 2, status="diverged", metrics={}, error={"epoch": 1})
    results = analyse(made.study, made.records)
    cell = results.blocks[0].cells["gce", "clean"]
    assert cell.values[2] == 10.0
    assert cell.complete
    assert cell.summary.mean == pytest.approx(np.mean([*A[:2], 10.0, *A[3:]]))
    assert (one(results).words, one(results).n) == ("better", 4)


def test_a_method_that_always_collapses_is_compared(make_study: Make) -> None:
    made = make_study({("ce", "clean"): B, ("mae", "clean"): [10.0, 10.1, 9.9, 10.0, 14.9]})
    verdict = one(analyse(made.study, made.records))
    assert verdict.words == "worse"


def test_a_failed_run_leaves_its_cell_incomplete(make_study: Make) -> None:
    made = make_study({("ce", "clean"): B, ("gce", "clean"): A})
    made.change(
        "gce", "clean", 4, status="failed", metrics={}, noise={}, pairing={}, data_label="digits"
    )
    results = analyse(made.study, made.records)
    assert one(results).words == "not comparable: incomplete (4 of 5 seeds)"
    assert results.blocks[0].data_label == "Digits"


def test_identical_runs_are_called_the_same(make_study: Make) -> None:
    made = make_study({("ce", "clean"): A, ("gce", "clean"): A})
    verdict = one(analyse(made.study, made.records))
    assert (verdict.words, verdict.p, verdict.test) == ("undecided", 1.0, "identical")
    assert verdict.sentence() == "gce and ce are the same on clean in every one of 5 seeds."


def test_a_constant_difference_has_no_interval_and_the_sign_flips_p(make_study: Make) -> None:
    made = make_study({("ce", "clean"): A, ("gce", "clean"): [a + 0.25 for a in A]})
    verdict = one(analyse(made.study, made.records))
    assert (verdict.test, verdict.words) == ("exact sign-flip", "undecided")
    assert verdict.p == pytest.approx(0.0625)
    assert "[" not in verdict.sentence()


def test_methods_without_common_seeds_are_not_compared(make_study: Make) -> None:
    made = make_study({("ce", "clean"): B, ("gce", "clean"): A})
    specs = [s for s in made.study.specs if (s.method.name == "ce") == (s.seed < 2)]
    study = type(made.study)(
        name="s", title="s", description="", specs=tuple(specs), sha256="0", baseline="ce"
    )
    assert one(analyse(study, made.records)).words == "not comparable: they share no seeds"


def test_bold_is_whoever_nobody_is_shown_to_beat(make_study: Make) -> None:
    line = "symmetric:0.4"
    near = [a + d for a, d in zip(A, (0.3, -0.4, 0.2, -0.1, -0.2), strict=True)]
    values = {("ce", line): B, ("gce", line): A, ("sce", line): near}
    made = make_study(values)
    results = analyse(made.study, made.records)
    block = results.blocks[0]
    found = {m: results.standing(block, block.conditions[0], m) for m in block.methods}
    assert {m: s.best for m, s in found.items()} == {"ce": False, "gce": True, "sce": True}
    assert {m: s.group for m, s in found.items()} == {"ce": 2, "gce": 1, "sce": 1}
    assert {m: s.rank for m, s in found.items()} == {"ce": 3.0, "gce": 1.0, "sce": 2.0}


def test_nothing_is_bold_where_nothing_was_tested(make_study: Make) -> None:
    made = make_study({("ce", "clean"): B[:1], ("gce", "clean"): A[:1]})
    results = analyse(made.study, made.records)
    block = results.blocks[0]
    assert not any(results.standing(block, block.conditions[0], m).best for m in block.methods)


def test_a_method_whose_every_run_is_at_chance_is_named_in_the_sentence(make_study: Make) -> None:
    chance = [10.1, 9.8, 10.4, 9.9, 10.0]
    made = make_study({("ce", "symmetric:0.9"): chance, ("gce", "symmetric:0.9"): A})
    verdict = one(analyse(made.study, made.records))
    assert verdict.at_chance == ("ce",)
    assert verdict.sentence().endswith("; all runs of ce collapsed to chance.")
    sound = make_study({("ce", "symmetric:0.9"): B, ("gce", "symmetric:0.9"): A})
    assert one(analyse(sound.study, sound.records)).at_chance == ()


METHODS = ("ce", "gce", "sce", "mae", "nce", "ls", "jo", "phuber", "truncated", "bootstrap")
C = [0.3, -0.1, 0.4, 0.2, 0.6, 0.5, -0.2, 0.7]


@pytest.mark.parametrize(
    ("test", "title"),
    [("sign flip", "sign-flip test"), ("Wilcoxon", "Wilcoxon signed-rank test")],
)
def test_the_suites_test_decides_and_gives_its_name_to_sentence_caption_and_table(
    make_study: Make, tmp_path: Path, test: str, title: str
) -> None:
    values = {("ce", "clean"): [90.0] * 8, ("gce", "clean"): [90 + d for d in C]}
    made = make_study(values, test=test)
    built = reports.build_report(made.study, made.records, tmp_path)
    (verdict,) = built.verdicts
    differences = np.array(C)
    # The same signs of the same differences or ranks, all of them: an independent count.
    shown = differences if test == "sign flip" else rank_signed(differences)
    signs = np.array(np.meshgrid(*[[-1, 1]] * 8)).reshape(8, -1)
    expected = np.mean(np.abs(shown @ signs) >= abs(shown.sum()) - 1e-9)
    assert verdict.p == pytest.approx(float(expected))
    assert (verdict.test, verdict.mde, verdict.seeds_needed) == (test, None, None)
    assert f"({test}, n = 8, declared, gate 1, " in verdict.sentence()
    assert f"two-sided {title}" in (tmp_path / "significance.md").read_text()
    assert list(pd.read_csv(tmp_path / "significance.csv")["test"]) == [test]
    for file in tmp_path.glob("*.[mt][de]*"):
        # The best set is a matter of t whatever decides in pairs.
        text = file.read_text().replace("one-sided paired t", "")
        assert "paired t" not in text, file.name


def rank_signed(differences: Floats) -> Floats:
    kept = differences.round(9)
    return np.asarray(scipy_stats.rankdata(np.abs(kept)) * np.sign(kept), dtype=np.float64)


def test_a_test_that_so_few_seeds_cannot_decide_is_not_made(make_study: Make) -> None:
    made = make_study({("ce", "clean"): B, ("gce", "clean"): A}, test="sign flip")
    verdict = one(analyse(made.study, made.records))
    assert verdict.p is verdict.p_holm is None
    assert verdict.sentence() == (
        "gce and ce are not compared on clean: cannot be decided with 5 seeds (no sign flip p below"
        " 0.0625); so far +1.92 points [1.62, 2.22], n = 5."
    )


def test_what_a_family_is_too_large_for_is_said(make_study: Make) -> None:
    more = {m: [90 + k * d for d in C] for k, m in enumerate(("ce", "gce", "sce", "mae", "nce"))}
    made = make_study({(m, "clean"): v for m, v in more.items()}, test="sign flip")
    found = analyse(made.study, made.records).verdicts
    (verdict,) = (v for v in found if (v.a, v.b) == ("sce", "gce"))
    assert verdict.sentence().startswith("sce and gce are not distinguishable on clean: ")
    # Ten methods: 36 pairs without the baseline, and 36 / 128 is above .05.
    many = {m: [90 + k * d for d in C] for k, m in enumerate(METHODS)}
    made = make_study({(m, "clean"): v for m, v in many.items()}, test="sign flip")
    found = analyse(made.study, made.records).verdicts
    (verdict,) = (v for v in found if (v.a, v.b) == ("sce", "gce"))
    assert "sce against gce on clean cannot be decided with 8 seeds (no p_Holm below 0.281): " in (
        verdict.sentence()
    )


def test_an_unknown_test_of_significance_is_refused(make_study: Make) -> None:
    made = make_study({("ce", "clean"): B, ("gce", "clean"): A}, test="t")
    with pytest.raises(reports.ReportError, match=r"in study 'small': 't' \(known: paired t, sign"):
        analyse(made.study, made.records)
