"""A table of accuracies: read, refused in one line, analysed as a study's records are."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from nlbench.reports import ReportError, analyse
from nlbench.reports.compare.seeds_needed import needed
from nlbench.reports.own_numbers import report
from nlbench.reports.own_numbers.analysis import Wanted, analyse_table
from nlbench.reports.own_numbers.condition import noise_line
from nlbench.reports.own_numbers.table import common_seeds, read_table
from nlbench.reports.stats import sd_interval

HEAD = "method,condition,seed,accuracy\n"


def rows(*lines: str) -> str:
    return HEAD + "".join(f"{line}\n" for line in lines)


GOOD = rows(
    *(
        f"{m},sym:0.4,{s},{90 + s / 10 + i * (1 + s * s / 9):.4f}"
        for i, m in enumerate("ab")
        for s in range(3)
    )
)


@pytest.fixture(name="read")
def _read(tmp_path: Path) -> Callable[..., Any]:
    def read(text: str, **words: Any) -> Any:
        path = tmp_path / "results.csv"
        path.write_text(text, encoding="utf-8")
        return read_table(path, **words)

    return read


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        (HEAD, "no rows"),
        ("method,condition,accuracy\na,b,1\n", "no column 'seed'"),
        ("method,method,condition,seed,accuracy\n", "2 times the column 'method'"),
        (rows("a,b,0"), "line 2: 3 cells, but 4 columns"),
        (rows("a,b,0,93.1", "a,b,1,good"), "line 3: accuracy 'good' should be a number"),
        (rows("a,b,0,inf"), "line 2: accuracy 'inf' should be a number"),
        (rows("a,b,x,93.1"), "line 2: seed 'x' should be a whole number"),
        (rows("a,b,0.5,93.1"), "line 2: seed '0.5' is not a whole number"),
        (rows(",b,0,93.1"), "line 2: no method"),
        (rows("a,,0,93.1"), "line 2: no condition"),
        (rows("a,b,0,93.1", "c,b,0,93", "a,b,0,93.2"), "line 4: method 'a'.* is in line 2 already"),
        (rows("a,b,0,0.9", "a,b,1,0.8", "c,b,0,7"), "line 4: accuracy 7 among fractions"),
        (rows("a,b,0,90", "a,b,1,0.8", "c,b,0,70"), "line 3: accuracy 0.8 among percentages"),
        (rows("a,b,0,90", "a,b,1,101"), "line 3: accuracy 101 is not between 0 and 100"),
        (rows("a,b,0,-0.1"), "line 2: accuracy -0.1 is not between 0 and 1"),
        (rows("a,b,0,", "a,b,1,nan"), "no row has an accuracy"),
        (rows('a,"b,0,93'), "CSV|cells"),
    ],
)
def test_a_table_that_cannot_be_read_is_one_clear_line(
    read: Callable[..., Any], text: str, words: str
) -> None:
    with pytest.raises(ReportError, match=words) as caught:
        read(text)
    assert "results.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "wanted", "words"),
    [
        (GOOD, Wanted(baseline="A"), "unknown baseline.*did you mean 'a'"),
        (GOOD, Wanted(difference=0.0), "difference 0: should be points above 0"),
        (GOOD, Wanted(difference=float("nan")), "difference nan"),
        (GOOD, Wanted(num_classes=1), "1 classes: should be 2 or more"),
        (rows("a,x,0,90", "a,x,1,91"), Wanted(), "one method"),
        (rows("a,x,0,90", "b,x,0,91"), Wanted(), "more than one seed"),
        (rows("a,x,0,90", "a,x,1,90", "b,x,2,91", "b,x,3,91"), Wanted(), "no pairs"),
        (rows("a,x,0,90", "a,x,1,90", "b,y,0,91", "b,y,1,91"), Wanted(), "no pairs"),
    ],
)
def test_what_cannot_be_compared_is_one_clear_line(
    read: Callable[..., Any], text: str, wanted: Wanted, words: str
) -> None:
    with pytest.raises(ReportError, match=words) as caught:
        analyse_table(read(text), wanted)
    assert "\n" not in str(caught.value)


def test_no_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"no\.csv: cannot be read"):
        read_table(tmp_path / "no.csv")
    with pytest.raises(ReportError, match="cannot be read"):
        read_table(tmp_path)
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ReportError, match="is not UTF-8 text"):
        read_table(tmp_path / "b.csv")
    with pytest.raises(ReportError, match="unknown unit"):
        read_table(tmp_path / "b.csv", unit="points")


def test_fractions_and_percentages_are_told_apart_and_it_is_said(read: Callable[..., Any]) -> None:
    percent = read(GOOD)
    assert "percentages, assumed" in percent.unit
    values = [run.accuracy for run in percent.runs]
    fractions = read(rows(*(f"{r.method},x,{r.seed},{r.accuracy / 100}" for r in percent.runs)))
    assert "fractions, assumed" in fractions.unit
    np.testing.assert_allclose([run.accuracy for run in fractions.runs], values)
    stated = read(rows("a,b,0,90", "a,b,1,1"), unit="percent")
    assert [run.accuracy for run in stated.runs] == [90, 1]
    assert stated.unit == "percentages, as stated"


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_spreadsheets_are_read(read: Callable[..., Any], mark: str) -> None:
    text = "\ufeff" + GOOD.replace(",", mark).replace("method", " Method ").replace("\n", "\r\n")
    assert read(text).runs == read(GOOD).runs


def test_other_columns_order_and_blank_lines_do_not_matter(read: Callable[..., Any]) -> None:
    frame = pd.read_csv(io.StringIO(GOOD))
    text = frame.assign(lr=0.1)[["accuracy", "lr", "seed", "condition", "method"]].to_csv(
        index=False
    )
    found = read(text.replace("\n", "\n\n"))
    assert found.ignored == ("lr",)
    mine, good = ([replace(run, line=0) for run in t.runs] for t in (found, read(GOOD)))
    assert mine == good


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("clean", "clean"),
        ("symmetric:0.4", "symmetric:0.4"),
        ("symmetric 0.4", "symmetric:0.4"),
        ("sym_.20", "sym:0.2"),
        ("sym 20%", "sym:0.2"),
        ("CIFAR-10 sym 20 %", "CIFAR-10 sym:0.2"),
        ("fold 1", "fold 1"),
        ("version 2.5", "version 2.5"),
        ("x:17", "x 17"),
    ],
)
def test_conditions_as_people_write_them(text: str, line: str) -> None:
    assert noise_line(text) == line


def test_a_table_and_records_with_the_same_numbers_give_the_same_verdicts(
    make_study: Callable[..., Any], read: Callable[..., Any]
) -> None:
    draws = np.random.default_rng(3)
    names, lines = ("ce", "gce", "mae"), ("clean", "symmetric:0.4", "symmetric:0.6")
    values = {
        (m, line): (88 + i + draws.normal(size=5)).round(2).tolist()
        for i, m in enumerate(names)
        for line in lines
    }
    values["gce", "clean"][1] = None
    values["mae", "symmetric:0.6"][0] = 10.0
    study = make_study(values)
    expected = analyse(study.study, study.records)
    text = rows(
        *(
            f"{m},{line},{seed},{'' if value is None else value}"
            for (m, line), column in values.items()
            for seed, value in enumerate(column)
        )
    )
    found = analyse_table(read(text), Wanted(num_classes=10))
    assert len(found.verdicts) == len(expected.verdicts) > 0
    for mine, theirs in zip(found.verdicts, expected.verdicts, strict=True):
        assert (mine.a, mine.b, mine.condition, mine.n) == (
            theirs.a, theirs.b, theirs.condition, theirs.n,
        )  # fmt: skip
        assert mine.words == theirs.words
        assert mine.p_holm == pytest.approx(theirs.p_holm, abs=1e-9)
        assert mine.estimate == pytest.approx(theirs.estimate, abs=1e-9)
    for block in found.blocks:
        for condition in block.conditions:
            for m in block.methods:
                other = expected.blocks[0].conditions[block.conditions.index(condition)]
                assert (
                    found.standing(block, condition, m).best
                    == expected.standing(expected.blocks[0], other, m).best
                )


def test_missing_runs_are_named_and_can_be_left_out(read: Callable[..., Any]) -> None:
    text = "\n".join(GOOD.splitlines()[:-1]) + "\nb,clean,0,95\nb,clean,1,96\n"
    table = read(text)
    notes = " / ".join(analyse_table(table).warnings)
    assert "missing: b on sym 0.4, seed 2" in notes
    assert "no row of a on clean" in notes
    assert "--common" in notes
    smaller, left = common_seeds(table)
    assert left == 1
    assert [v.n for v in analyse_table(smaller).verdicts if v.condition == "sym:0.4"] == [2]


def test_seeds_needed_find_the_difference_as_often_as_is_said(read: Callable[..., Any]) -> None:
    draws = np.random.default_rng(8)
    text = rows(
        *(f"{m},x,{s},{80 + i + draws.normal():.3f}" for i, m in enumerate("ab") for s in range(8))
    )
    (one,) = needed(analyse_table(read(text), Wanted(difference=1.0)))
    assert one.seeds is not None
    samples = draws.normal(1.0, one.sd, size=(20_000, one.seeds))
    t = samples.mean(axis=1) / (samples.std(axis=1, ddof=1) / np.sqrt(one.seeds))
    found = float(np.mean(np.abs(t) > student.ppf(0.975, one.seeds - 1)))
    assert 0.79 < found < 0.85
    low, high = sd_interval(one.sd, 8)
    assert low < one.sd < high


def test_interval_of_a_standard_deviation_covers_as_often_as_is_said() -> None:
    draws = np.random.default_rng(1)
    sds = draws.normal(0, 2.0, size=(5000, 5)).std(axis=1, ddof=1)
    low, high = sd_interval(1.0, 5)
    assert np.mean((sds * low < 2) & (sds * high > 2)) == pytest.approx(0.95, abs=0.01)


def test_the_report_has_the_parts_of_a_study(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(GOOD)
    out = tmp_path / "out"
    written = report.write(path, out, Wanted(), only=None)
    names = {file.relative_to(out).as_posix() for file in out.rglob("*") if file.is_file()}
    assert {"index.md", "accuracy.tex", "significance.csv", "seeds-needed.csv"} <= names
    assert "figures/effects.png" in names
    assert "assumed because" in written.text
    index = (out / "index.md").read_text()
    assert "not proven by fingerprints" in index
    assert "re-draws" not in index
    assert "## Seeds needed" in index
    for line in index.split("## Files")[1].splitlines():
        if line.startswith("- ["):
            assert line.split("](")[1].split(")")[0] in names
