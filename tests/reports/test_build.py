"""The written report: bytes, digits, markup, and what it says when things are missing."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlbench import reports
from nlbench.reports import parallel as background
from nlbench.reports.leaderboard.columns import LEADERBOARD
from nlbench.reports.read.cells import Condition, few_rates
from nlbench.reports.render import latex, markdown
from nlbench.reports.speed.made_up_records import declared, made_up, synthetic
from nlbench.reports.text import number, p_value, rate
from nlbench.reports.topics.detection.find import detections
from nlbench.reports.topics.open_set.find import protocols
from nlbench.reports.topics.registry import Topics

Make = Callable[..., Any]
A = [90.0, 91.0, 90.5, 92.0, 91.5]
B = [88.1, 89.2, 88.3, 90.4, 89.4]
NOISE = ("clean", "symmetric:0.2", "asymmetric:0.4:map=block5")
FILES = {
    "index.md",
    "leaderboard.csv",
    "runs.csv",
    "significance.csv",
    "accuracy.md",
    "accuracy.tex",
    "accuracy-document.tex",
    "significance.md",
    "selection.md",
    "overall.csv",
    "verdicts.csv",
    "overall.md",
    "significance.tex",
    "overall.tex",
    "seeds.tex",
    "document.tex",
    "figures/accuracy.png",
    "figures/accuracy.pdf",
    "figures/effects.png",
    "figures/effects.pdf",
    "figures/paired.png",
    "figures/paired.pdf",
    "figures/means.png",
    "figures/means.pdf",
    "figures/profile.png",
    "figures/profile.pdf",
    "figures/memorisation.png",
    "figures/memorisation.pdf",
}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def typical(make_study: Make, **words: Any) -> Any:
    values = {("ce", line): B for line in NOISE} | {("gce", line): A for line in NOISE}
    return make_study(values, **words)


def test_everything_is_written_and_named(make_study: Make, tmp_path: Path) -> None:
    made = typical(make_study)
    built = reports.build_report(made.study, made.records, tmp_path)
    assert set(contents(tmp_path)) == FILES
    assert {str(f.relative_to(tmp_path)) for f in built.files} == FILES
    assert built.warnings == ()
    assert len(built.verdicts) == 3


def test_same_records_same_bytes_in_any_order(make_study: Make, tmp_path: Path) -> None:
    made = typical(make_study)
    reports.build_report(made.study, made.records, tmp_path / "one")
    shuffled = [made.records[i] for i in np.random.Generator(np.random.Philox(1)).permutation(30)]
    reports.build_report(made.study, shuffled, tmp_path / "two")
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert [name for name in one if one[name] != two[name]] == []


def test_no_output_holds_a_date_or_the_drawing_software(make_study: Make, tmp_path: Path) -> None:
    made = typical(make_study)
    reports.build_report(made.study, made.records, tmp_path)
    for name, content in contents(tmp_path).items():
        assert b"CreationDate" not in content, name
        assert b"atplotlib" not in content, name
        assert b"2026" not in content, name


@pytest.mark.parametrize(
    ("only", "suffixes"),
    [("leaderboard", {".csv"}), ("tables", {".md", ".tex"}), ("figures", {".png", ".pdf"})],
)
def test_parts(make_study: Make, tmp_path: Path, only: str, suffixes: set[str]) -> None:
    made = typical(make_study)
    built = reports.build_report(made.study, made.records, tmp_path, only=only)
    assert {file.suffix for file in built.files} == suffixes


def test_markdown_and_latex_agree_with_the_csv_digit_for_digit(tmp_path: Path) -> None:
    study, records = synthetic(60, ("ce", "gce"), NOISE)
    reports.build_report(study, records, tmp_path)
    table = pd.read_csv(tmp_path / "leaderboard.csv")
    table = table[table["scope"] == "condition"]
    shown = (tmp_path / "accuracy.md").read_text()
    tex = (tmp_path / "accuracy.tex").read_text()
    for row in table.to_dict(orient="records"):
        text = f"{row['mean']:.2f} ± {row['sd']:.2f}"
        assert (f"**{text}**" if row["in_best_set"] else f" {text} ") in shown
        command = text.replace("±", "\\pm")
        assert (f"& \\bfseries {command}" if row["in_best_set"] else f"& {command}") in tex
    assert shown.count("±") == len(table) + 1  # and once in the caption
    significance = pd.read_csv(tmp_path / "significance.csv")
    words = (tmp_path / "significance.md").read_text()
    for row in significance.to_dict(orient="records"):
        assert f"| {number(row['estimate'], sign=True)} |" in re.sub(" +", " ", words)
        assert markdown.escape(row["sentence"]) in words


def test_the_leaderboard_has_the_documented_columns_and_whole_numbers_are_whole(
    make_study: Make, tmp_path: Path
) -> None:
    made = typical(make_study)
    reports.build_report(made.study, made.records, tmp_path, only="leaderboard")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "leaderboard.csv").read_text())))
    assert list(rows[0]) == list(LEADERBOARD)
    filled = {name for row in rows for name, value in row.items() if value}
    assert set(LEADERBOARD) - filled <= {"train_per_class", "note"}
    for name in ("n", "in_best_set", "tie_group", "diverged", "paired"):
        assert all(row[name].isdigit() for row in rows if row["scope"] == "condition"), name


def test_leaderboard_by_hand(make_study: Make, tmp_path: Path) -> None:
    made = make_study({("ce", "symmetric:0.2"): B, ("gce", "symmetric:0.2"): A})
    reports.build_report(made.study, made.records, tmp_path)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "leaderboard.csv").read_text())))
    ce, gce = rows
    assert float(gce["mean"]) == pytest.approx(91.0)
    assert float(gce["sd"]) == pytest.approx(0.790569)
    assert float(gce["ci_low"]) == pytest.approx(91.0 - 2.776445 * 0.790569 / 5**0.5, abs=1e-4)
    assert (gce["n"], gce["expected_n"], gce["in_best_set"], gce["rank"]) == ("5", "5", "1", "1.0")
    assert (ce["in_best_set"], ce["tie_group"], ce["diff"]) == ("0", "2", "")
    assert float(gce["diff"]) == pytest.approx(1.92)
    assert gce["baseline"] == "ce"
    assert (gce["accuracy_rule"], gce["profile"], gce["data_label"]) == (
        "last",
        "matched",
        "Digits",
    )
    assert (gce["nominal_rate"], gce["realised_rate"]) == ("0.2", "0.2")
    assert gce["suite_sha256"] == made.study.sha256
    assert gce["commit"].startswith("0123456789abcdef")


def test_the_caption_says_what_a_reader_must_know(make_study: Make, tmp_path: Path) -> None:
    made = typical(make_study, planned_sd=0.5)
    reports.build_report(made.study, made.records, tmp_path)
    tex = (tmp_path / "accuracy.tex").read_text()
    for words in (
        "a one-sided paired t test over seeds at 0.05/(k $-$ 1) with k = 2, that is t above 2.13",
        "err in 5 \\% of reports at most",
        "n = 5 seeds",
        "A seed re-draws label noise, initial weights and batch order, the same for every",
        "Recipe: learning rate 0.01, L1 0, L2 0, precision float32, epochs 2.",
        "Labels as drawn: symmetric (count=exact, legacy=none, true=exclude); asymmetric",
        "profile matched",
        "Accuracy rule: last (last epoch)",
        "Nominal (realised) noise rates: symmetric 0.2 (0.2)",
        "Planned: for a standard deviation of 0.50 points",
        "All 30 runs are there; none diverged or collapsed.",
        "commit 0123456789ab, device cpu",
    ):
        assert words in tex, words


def test_an_incomplete_cell_is_shown_with_its_n_and_never_bold(
    make_study: Make, tmp_path: Path
) -> None:
    made = make_study({("ce", "clean"): B, ("gce", "clean"): [99.0, 99.5, None, None, None]})
    built = reports.build_report(made.study, made.records, tmp_path)
    row = built.leaderboard.set_index("method").loc["gce"]
    assert (row["n"], row["expected_n"], row["in_best_set"], row["missing"]) == (2, 5, 0, 3)
    assert row["note"] == "2 of 5 seeds"
    shown = (tmp_path / "accuracy.md").read_text()
    assert "99.25 ± 0.35 †2/5" in shown
    assert "**99.25" not in shown
    assert "3 missing" in shown
    assert "$^{\\dagger\\,2/5}$" in (tmp_path / "accuracy.tex").read_text()
    assert "3 of 10 runs have not been run yet" in built.warnings
    assert "3 of 10 runs have not been run yet" in (tmp_path / "index.md").read_text()


def test_a_diverged_run_is_marked_counted_and_in_the_mean(make_study: Make, tmp_path: Path) -> None:
    made = make_study({("ce", "clean"): B, ("gce", "clean"): A})
    made.change("gce", "clean", 0, status="diverged", metrics={}, error={"epoch": 1})
    built = reports.build_report(made.study, made.records, tmp_path)
    row = built.leaderboard.set_index("method").loc["gce"]
    assert (row["diverged"], row["collapsed"], row["n"], row["min"]) == (1, 1, 5, 10.0)
    assert row["mean"] == pytest.approx(np.mean([10.0, *A[1:]]))
    shown = (tmp_path / "accuracy.md").read_text()
    assert re.search(r"75\.00 ± [\d.]+\*\* ‡", shown)
    assert "a diverged run counts with chance accuracy 1/K" in shown


def test_an_unpaired_cell_is_marked(make_study: Make, tmp_path: Path) -> None:
    made = make_study({("ce", "clean"): B, ("gce", "clean"): A})
    made.change("gce", "clean", 1, pairing={**made.records[0].pairing, "init": "other"})
    built = reports.build_report(made.study, made.records, tmp_path)
    assert list(built.leaderboard["paired"]) == [0, 0]
    assert "§ not paired with the others" in (tmp_path / "accuracy.md").read_text()


def test_one_seed_has_no_sd_anywhere(make_study: Make, tmp_path: Path) -> None:
    made = make_study({("ce", "clean"): B[:1], ("gce", "clean"): A[:1]})
    built = reports.build_report(made.study, made.records, tmp_path)
    assert built.leaderboard["sd"].isna().all()
    shown = (tmp_path / "accuracy.md").read_text()
    assert "90.00 ± –" in shown
    assert " 0.00" not in shown
    assert "No test was made" in shown
    assert "90.00 {\\,$\\pm$\\,--}" in (tmp_path / "accuracy.tex").read_text()


def test_one_method_is_reported_without_comparisons(make_study: Make, tmp_path: Path) -> None:
    made = make_study({("ce", "clean"): B, ("ce", "symmetric:0.2"): A})
    built = reports.build_report(made.study, made.records, tmp_path)
    assert built.verdicts == ()
    assert (tmp_path / "significance.csv").read_text().startswith("data_label,model,profile")
    assert "One method: there is nothing to compare." in (tmp_path / "significance.md").read_text()
    assert "No test was made (there is one method)" in (tmp_path / "accuracy.md").read_text()


def test_rules_and_parts_that_do_not_exist(make_study: Make, tmp_path: Path) -> None:
    made = typical(make_study)
    with pytest.raises(reports.ReportError, match="'lst'; did you mean 'last'"):
        reports.build_report(made.study, made.records, tmp_path, rule="lst")
    with pytest.raises(reports.ReportError, match="no run has the accuracy 'noisy_val'; there is"):
        reports.build_report(made.study, made.records, tmp_path, rule="noisy_val")
    with pytest.raises(reports.ReportError, match="did you mean 'figures'"):
        reports.build_report(made.study, made.records, tmp_path, only="figure")
    assert contents(tmp_path) == {}


def test_a_folder_that_cannot_be_written_is_named(make_study: Make, tmp_path: Path) -> None:
    made = typical(make_study)
    (tmp_path / "file").write_text("")
    with pytest.raises(reports.ReportError, match="report folder"):
        reports.build_report(made.study, made.records, tmp_path / "file")


def test_validation_accuracies_stand_side_by_side(make_study: Make, tmp_path: Path) -> None:
    made = make_study({("ce", "clean"): B, ("gce", "clean"): A}, holdout=0.1)
    for record in list(made.records):
        last = record.metrics["last"]
        metrics = {**record.metrics, "noisy_val": last - 0.01, "clean_val": last - 0.005}
        made.change(record.spec.method.name, "clean", record.spec.seed, metrics=metrics)
    reports.build_report(made.study, made.records, tmp_path, rule="noisy_val")
    row = next(
        line
        for line in (tmp_path / "selection.md").read_text().splitlines()
        if re.match(r"\| clean +\| gce", line)
    )
    cells = [cell.strip() for cell in row.split("|")[3:-1]]
    assert cells == ["91.00 ± 0.79", "90.00 ± 0.79", "90.50 ± 0.79", "91.00 ± 0.79", "0.00"]
    assert (
        "Accuracy rule: noisy_val (epoch chosen by accuracy on held-out noisy labels)"
        in (tmp_path / "accuracy.md").read_text()
    )


def test_special_characters_of_users_names_break_nothing(make_study: Make, tmp_path: Path) -> None:
    title = "50 % of {a_b} & $x^2$ #1 \\ ~ <b> | `c` “q” -- 中文 é"
    made = make_study(
        {("ce", "clean"): B, ("gce", "clean"): A}, title=title, name="a/b_c", description=title
    )
    for record in list(made.records):
        made.change(
            record.spec.method.name, "clean", record.spec.seed, data_label="A_b & 10 % | $x$ \\y"
        )
    reports.build_report(made.study, made.records, tmp_path)
    tex = (tmp_path / "accuracy.tex").read_text()
    assert "A\\_b \\& 10 \\% \\textbar{} \\$x\\$ \\textbackslash{}y" in tex
    assert "\\label{tab:a-b-c-accuracy}" in tex
    rows = [line for line in (tmp_path / "accuracy.md").read_text().splitlines() if "|" in line]
    assert "A_b & 10 % \\| \\$x\\$ \\\\y" in "\n".join(rows)


def test_latex_text_is_escaped_character_by_character() -> None:
    assert latex.escape("a_b%c") == "a\\_b\\%c"
    assert latex.escape("x---y") == "x-{}-{}-y"
    assert latex.escape("ő é 中\n\t\x07z") == "o é [U+4E2D] z"
    assert latex.escape("“±”") == "``$\\pm$''"
    assert latex.escape("a,,b--c") == "a,{},b-{}-c"


# What an escaped text may consist of: a token a character, none of which acts in TeX.
TOKEN = re.compile(
    r"\\(?:textbackslash|text(?:ascii)?(?:tilde|circum|grave)|textless|textgreater|textbar"
    r"|textquotedbl|dots)\{\}"
    r"|\\[{}&%$#_]"
    r"|\$\\(?:pm|times|rho|surd|cdot|alpha|beta|geq|leq|approx)\$|\$-\$|\$\^[n2]\$"
    r"|--|``|''"
    r"|\[U\+[0-9A-F]{4,6}\]"
    r"|[ !()*+,./0-9:;=?@A-Z\[\]a-z'-]|[À-ÿ]"
)
ODD = "\\{}&%$#_~^<>|\"`'±−–×ρ√·≥ⁿ²…’“”-, \n\t\x07éő中a1[]"
NASTY = st.text(st.sampled_from(ODD) | st.characters())


@given(NASTY)
def test_no_text_acts_in_latex(text: str) -> None:
    escaped = latex.escape(text)
    rest = escaped.replace("-{}", "-").replace(",{}", ",").replace("'{}", "'").replace("`{}", "`")
    tokens = TOKEN.findall(rest)
    assert "".join(tokens) == rest
    shown = [c for c in " ".join(text.split()) if c.isprintable() or not c.isascii()]
    assert len(tokens) <= len(shown)
    for twice in (",,", "---", "'''", "```"):
        assert twice not in escaped


def test_markdown_text_is_escaped_only_where_it_would_act() -> None:
    assert markdown.escape("cnn_small _x_ a|b *c* [1.2, 3]") == (
        "cnn_small \\_x\\_ a\\|b \\*c\\* [1.2, 3]"
    )
    assert markdown.escape("[a](b)") == "[a]\\(b)"


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (float("nan"), "–"), (-0.001, "0.00"), (-1.5, "−1.50")]
)
def test_numbers(value: float | None, text: str) -> None:
    assert number(value) == text


def test_p_values_and_rates() -> None:
    assert [p_value(p) for p in (None, 0.0004, 0.0462, 1.0)] == ["–", "< 0.001", "0.046", "1.000"]
    assert [rate(r) for r in (None, 0.0, 0.4, 0.40004)] == ["–", "0", "0.4", "0.4"]


def test_several_blocks_get_their_own_tables(make_study: Make, tmp_path: Path) -> None:
    study, records = synthetic(30, ("ce", "gce"), NOISE)
    made = typical(make_study)
    both = reports.Study(
        name="both",
        title="Two data sets",
        description="",
        specs=(*made.study.specs, *study.specs),
        sha256="0",
        baseline="ce",
    )
    reports.build_report(both, [*made.records, *records], tmp_path)
    tex = (tmp_path / "accuracy.tex").read_text()
    assert "\\label{tab:both-accuracy}" in tex
    assert "\\label{tab:both-accuracy-2}" in tex
    assert (tmp_path / "figures" / "accuracy-2.png").is_file()
    board = pd.read_csv(tmp_path / "leaderboard.csv")
    rows = board[board["scope"] == "condition"]
    assert set(rows["data_label"]) == {"Digits", "Fashion-MNIST (1,000 per class)"}


def test_other_processes_write_the_same_bytes(make_study: Make, tmp_path: Path) -> None:
    made = typical(make_study)
    built = [
        reports.build_report(made.study, made.records, tmp_path / str(workers), workers=workers)
        for workers in (1, 2)
    ]
    assert contents(tmp_path / "1") == contents(tmp_path / "2")
    names = [[f.relative_to(tmp_path / str(n)) for f in b.files] for n, b in enumerate(built, 1)]
    assert names[0] == names[1]


def _fail(number: int) -> int:
    if number == 3:
        raise PermissionError(13, "Permission denied")
    return number * number


def _killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("workers", [1, 2])
def test_jobs_are_done_in_order_and_their_errors_arrive(workers: int) -> None:
    assert list(background.results([partial(_fail, n) for n in (2, 1, 0)], workers)) == [4, 1, 0]
    with pytest.raises(PermissionError):
        list(background.results([partial(_fail, n) for n in (2, 3)], workers))


def test_a_killed_process_has_its_sentence() -> None:
    with pytest.raises(reports.ReportError, match="--workers 1"):
        list(background.results([_killed, _killed], 2))


def test_a_file_that_a_worker_cannot_write_is_named(make_study: Make, tmp_path: Path) -> None:
    made = typical(make_study)
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "accuracy.png").mkdir()
    with pytest.raises(reports.ReportError, match="report folder"):
        reports.build_report(made.study, made.records, tmp_path, workers=2)


def test_pictures_show_the_lowest_middle_and_highest_rate() -> None:
    def some(kind: str, *rates: float) -> list[Condition]:
        return [Condition(f"{kind}:{r:g}", kind, r, r) for r in rates]

    given = [*some("a", 0.1, 0.2, 0.3, 0.4, 0.5), *some("b", 0.2), *some("c", 0.1, 0.2)]
    lines = [condition.line for condition in few_rates(given)]
    assert lines == ["a:0.1", "a:0.3", "a:0.5", "b:0.2", "c:0.1", "c:0.2"]


def test_a_study_of_everything_at_once(tmp_path: Path) -> None:
    rates = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    noise = ("clean", *(f"symmetric:{r}" for r in rates))
    study = declared(42, ("ce", "drainage"), noise, open_share=0.5)
    records = list(made_up(study, parts=True))
    built = reports.build_report(study, records, tmp_path, only="tables")
    names = {path.name for path in built.files}
    assert {"openset.md", "openset.tex", "detection.md", "detection.tex", "signatures.md"} <= names
    results = built.results
    held = results.blocks, results.frame.evaluations
    assert [len(found.conditions) for found in protocols(*held)] == [7]
    assert [len(found.conditions) for found in detections(*held)] == [6, 6]
    topics = Topics(results)
    drawn = {plan.name: plan.caption for b in results.blocks for plan in topics.figures(b)}
    for name in ("openset-curves", "openset-auroc"):
        assert "Shown: the first 5 of 7 conditions" in drawn[name]
    for name in ("drainage-mass", "detection-roc", "detection-auroc", "openset-noise"):
        assert "Shown: the first 5 of 6 conditions" in drawn[name]
    galleries = [name for name in drawn if name.startswith("drained-")]
    assert galleries == [f"drained-drainage-symmetric-0-{rate}" for rate in (1, 4, 6)]
