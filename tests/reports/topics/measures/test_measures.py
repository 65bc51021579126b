"""Measures that a suite asks for: in the leaderboard, a table, a figure and comparisons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from nlbench import reports
from nlbench.benchmark import metrics

Make = Callable[..., Any]
ECE = {"ce": [0.21, 0.22, 0.20, 0.23], "gce": [0.11, 0.12, 0.10, 0.14]}
NLL = {"ce": [1.21, 1.22, 1.20, 1.25], "gce": [1.20, 1.26, 1.19, 1.22]}


@pytest.fixture(name="made")
def _made(make_study: Make) -> Any:
    """GCE has the smaller calibration error; one diverged run has no measures."""
    lines = ("clean", "symmetric:0.4")
    made = make_study(
        {(m, line): [80.0, 81.0, 82.0, 81.5] for line in lines for m in ("ce", "gce")}
    )
    made.records = [
        replace(
            r,
            evaluations={
                "measures": {
                    "ece": ECE[r.spec.method.name][r.spec.seed],
                    "nll": NLL[r.spec.method.name][r.spec.seed],
                    "brier": None,
                }
            },
        )
        for r in made.records
    ]
    made.change("gce", "symmetric:0.4", 3, status="diverged", metrics={}, curves={},
                error={"epoch": 1}, evaluations={})  # fmt: skip
    return made


def asked(made: Any, *names: str) -> reports.Study:
    study: reports.Study = made.study
    return replace(study, metrics=tuple(map(metrics.get, names)))


def one(table: pd.DataFrame, **where: str) -> dict[Any, Any]:
    """The one row where columns have these values."""
    for column, value in where.items():
        table = table[table[column] == value]
    (row,) = table.to_dict("records")
    return row


def test_a_study_that_asks_for_none_has_the_report_it_always_had(made: Any, tmp_path: Path) -> None:
    plain = [replace(r, evaluations={}) for r in made.records]
    folders = [tmp_path / "with", tmp_path / "without"]
    for records, folder in zip((made.records, plain), folders, strict=True):
        reports.build_report(made.study, records, folder)
    first, second = ({p.name: p.read_bytes() for p in f.iterdir() if p.is_file()} for f in folders)
    assert first == second
    assert "measures.md" not in first


def test_what_is_asked_for_is_in_every_part_of_the_report(made: Any, tmp_path: Path) -> None:
    reports.build_report(asked(made, "ece", "nll", "brier"), made.records, tmp_path)
    board = pd.read_csv(tmp_path / "leaderboard.csv")
    row = one(board, condition="clean", method="gce", scope="condition")
    assert row["ece_mean"] == pytest.approx(100 * np.mean(ECE["gce"]))
    assert row["ece_sd"] == pytest.approx(100 * np.std(ECE["gce"], ddof=1))
    assert row["nll_mean"] == pytest.approx(100 * np.mean(NLL["gce"]))
    assert (row["ece_n"], board["ece_n"].dropna().min()) == (4, 3)
    assert board["brier_mean"].isna().all()  # of no record a number

    rows = pd.read_csv(tmp_path / "measures.csv")
    assert set(rows["metric"]) == {"ece", "nll"}
    nll = rows[rows["metric"] == "nll"]
    assert (nll["ci_high"] > 100).all()  # not cut as a percentage would be
    assert set(nll["unit"]) == {"0.01 nats"}
    clean = rows[(rows["condition"] == "clean") & (rows["metric"] == "ece")]
    assert clean.set_index("method")["in_best_set"].tolist() == [0, 1]

    index, page = ((tmp_path / f"{name}.md").read_text() for name in ("index", "measures"))
    assert "expected calibration error (%, lower is better)" in page
    assert "### Further measures" in index
    assert "12.00 ± 2.00 (3/4)" in page or "11.00 ± 1.00 (3/4)" in page
    assert (tmp_path / "figures" / "measure-ece.png").is_file()
    assert "calibration" in (tmp_path / "measures.tex").read_text()


def test_lower_is_better_where_it_is(made: Any, tmp_path: Path) -> None:
    reports.build_report(asked(made, "ece"), made.records, tmp_path)
    found = pd.read_csv(tmp_path / "measures-comparisons.csv")
    clean = one(found, question="baseline", condition="clean")
    noisy = one(found, question="baseline", condition="symmetric:0.4")
    expected = ttest_rel(ECE["gce"], ECE["ce"])
    assert clean["p"] == pytest.approx(expected.pvalue, rel=1e-4)
    assert clean["family_size"] == 2
    assert clean["p_holm"] == pytest.approx(2 * expected.pvalue, rel=1e-4)  # a declared family
    assert clean["estimate"] == pytest.approx(100 * np.mean(np.subtract(ECE["gce"], ECE["ce"])))
    assert clean["words"] == "better"
    assert "incomplete" in noisy["words"]
    page = (tmp_path / "measures.md").read_text()
    assert "beats" in page
    assert "by 9.75 points of expected calibration error [" in page


MINE = """
from nlbench.benchmark.metrics.metric import Metric

METRIC = Metric(name="margin_of_mine", title="my margin", unit="%", higher_is_better=True,
                bounds=(0.0, 1.0), function=lambda predictions: 0.5)
"""


def test_a_new_file_in_the_folder_of_measures_reaches_leaderboard_and_table(
    made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "margin_of_mine.py").write_text(MINE)
    monkeypatch.setattr(metrics, "__path__", [*metrics.__path__, str(tmp_path)])
    made.records = [
        replace(r, evaluations={"measures": {"margin_of_mine": 0.5}}) for r in made.records
    ]
    reports.build_report(asked(made, "margin_of_mine"), made.records, tmp_path, only="leaderboard")
    assert pd.read_csv(tmp_path / "leaderboard.csv")["margin_of_mine_mean"].dropna().eq(50).all()
    assert set(pd.read_csv(tmp_path / "measures.csv")["mean"]) == {50.0}
    reports.build_report(asked(made, "margin_of_mine"), made.records, tmp_path, only="tables")
    assert "my margin (%, higher is better)" in (tmp_path / "measures.md").read_text()


def test_one_from_outside_is_in_runs_leaderboard_and_figure_and_what_failed_is_warned_of(
    made: Any, tmp_path: Path
) -> None:
    name, reason = "mine:LEAD", "metric 'mine:LEAD' raised KeyError: 'x'"
    lead = replace(metrics.get("ece"), name=name, title="my lead", higher_is_better=True)
    good = [r for r in made.records if r.evaluations]
    for i, record in enumerate(good):
        value = 0.01 * record.spec.seed if i else None
        evaluations = {"measures": {name: value}} | ({} if i else {"unmeasured": {name: reason}})
        good[i] = replace(record, evaluations=evaluations)
    reports.build_report(replace(made.study, metrics=(lead,)), good, tmp_path)
    runs = pd.read_csv(tmp_path / "runs.csv")
    known = runs[runs["status"] == "ok"]
    column = known[f"measure_{name}"]
    assert column.isna().sum() == 1
    assert column.dropna().tolist() == known["seed"][column.notna()].astype(float).tolist()
    assert known["unmeasured"].dropna().tolist() == [reason]
    row = one(pd.read_csv(tmp_path / "leaderboard.csv"), condition="clean", method="gce",
              scope="condition")  # fmt: skip
    assert (row[f"{name}_mean"], row[f"{name}_n"]) == (1.5, 4)
    assert row[f"{name}_sd"] == pytest.approx(np.std(range(4), ddof=1), abs=1e-4)
    assert (tmp_path / "figures" / "measure-mine-LEAD.png").is_file()
    assert "my lead (%, higher is better)" in (tmp_path / "measures.md").read_text()
    warning = "1 of 16 runs lack a measure (column unmeasured of runs.csv), the first of them: "
    assert warning + reason in (tmp_path / "index.md").read_text()
