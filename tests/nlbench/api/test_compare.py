"""``nlbench.load`` and ``nlbench.compare``: the numbers of reports, from Python."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nlbench
from nlbench.benchmark import published
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.results import store_in
from nlbench.cli.main import main

RESULTS = Path(__file__).resolve().parents[3] / "results"
QUICK = RESULTS / "published" / "quick"


@pytest.fixture(scope="module")
def quick() -> pd.DataFrame:
    return nlbench.load("quick", results=RESULTS)


@pytest.fixture(scope="module")
def found(quick: pd.DataFrame) -> nlbench.Compared:
    return nlbench.compare(quick, baseline="ce")


def rows(**change: Any) -> pd.DataFrame:
    """Two methods, one condition, three seeds."""
    scores = {"a": [0.90, 0.91, 0.92], "b": [0.93, 0.95, 0.94]}
    frame = pd.DataFrame(
        {"method": m, "condition": "symmetric:0.4", "seed": s, "accuracy": value}
        for m, values in scores.items()
        for s, value in enumerate(values)
    )
    return frame.assign(**change)


def test_what_is_loaded_is_the_published_table(quick: pd.DataFrame) -> None:
    wanted = pd.read_csv(QUICK / "runs.csv")
    assert list(quick.columns[: len(wanted.columns)]) == list(wanted.columns)
    for column in ("run_id", "method", "condition", "seed", "last", "noise_fingerprint"):
        assert quick[column].tolist() == wanted[column].tolist()
    folder = nlbench.load(QUICK, methods="ce,gce", noise=["clean"], seeds=range(2))
    assert folder[["method", "seed"]].values.tolist() == [
        ["CE", 0], ["GCE", 0], ["CE", 1], ["GCE", 1]
    ]  # fmt: skip


def test_own_runs_are_loaded_and_what_is_missing_is_there(tmp_path: Path) -> None:
    store = store_in(tmp_path, create=True)
    for record in published.read(QUICK).records():
        if isinstance(record, RunRecord) and record.spec.seed < 2:
            store.write(record)
    runs = nlbench.load("quick", results=tmp_path)
    assert runs["status"].value_counts().to_dict() == {"missing": 36, "ok": 24}
    whole = nlbench.load("quick", results=tmp_path, own=True, seeds=[0, 1])
    assert whole["last"].notna().all()
    assert nlbench.load(str(QUICK / "quick.toml"), results=tmp_path, seeds=0).shape[0] == 12


def test_its_verdicts_are_those_of_the_report(found: nlbench.Compared) -> None:
    wanted, have = pd.read_csv(QUICK / "significance.csv"), found.verdicts
    for column in ("condition", "a", "b", "n", "words", "family_size"):
        assert have[column].tolist() == wanted[column].tolist()
    for column in ("estimate", "ci_low", "ci_high", "p_holm"):
        assert have[column].to_numpy() == pytest.approx(wanted[column].to_numpy(), abs=2e-6)
    conditions = found.leaderboard[found.leaderboard["scope"] == "condition"]
    board = pd.read_csv(QUICK / "leaderboard.csv").query("scope == 'condition'")
    assert conditions["mean"].to_numpy() == pytest.approx(board["mean"].to_numpy(), abs=2e-6)
    assert conditions["in_best_set"].tolist() == board["in_best_set"].tolist()
    assert found.sentences[0].startswith("GCE and CE are not distinguishable on clean")


def test_it_is_what_the_command_line_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    frame = rows()
    frame.to_csv("table.csv", index=False)
    assert main(["compare", "table.csv", "--only", "leaderboard", "--workers", "1"]) == 0
    said = capsys.readouterr().out
    from_file, from_frame = nlbench.compare("table.csv"), nlbench.compare(frame)
    assert said.startswith(str(from_file) + "\n")
    assert str(from_frame).replace("of table", "of table.csv") == str(from_file)
    out = from_frame.write("out", only="leaderboard")
    assert {path.name for path in out} >= {"leaderboard.csv", "significance.csv", "runs.csv"}
    for name in ("significance.csv", "runs.csv"):
        assert Path("out", name).read_bytes() == Path("table-report", name).read_bytes()


def test_a_table_may_be_made_of_anything() -> None:
    frame = rows()
    wanted = nlbench.compare(frame).verdicts
    shuffled = frame[["seed", "accuracy", "condition", "method"]].assign(note="x")
    tables: tuple[Any, ...] = (
        frame.to_dict("records"),
        frame.to_dict("list"),
        {name: frame[name] for name in frame},
        {name: frame[name].to_numpy() for name in frame},
        frame.set_index(["method", "condition", "seed"]),
        frame.rename(columns=str.title),
        frame.astype({"method": "category", "accuracy": "Float64"}),
        shuffled,
    )
    for table in tables:
        pd.testing.assert_frame_equal(nlbench.compare(table).verdicts, wanted)
    other = frame.rename(columns={"accuracy": "top1"}).assign(accuracy=0.5)
    pd.testing.assert_frame_equal(nlbench.compare(other, accuracy="top1").verdicts, wanted)
    percent = frame.assign(accuracy=frame["accuracy"] * 100)
    assert nlbench.compare(percent).verdicts["estimate"].tolist() == pytest.approx([3.0])


def test_missing_values_are_missing_runs() -> None:
    frame = rows()
    frame.loc[5, "accuracy"] = np.nan
    found = nlbench.compare(frame)
    assert any("missing: b on symmetric 0.4, seed 2" in line for line in found.warnings)
    common = nlbench.compare(frame, common=True)
    assert common.verdicts["n"].tolist() == [2]
    assert "Left out: 1 run of seeds that not all methods have." in str(common)


def test_runs_that_are_not_paired_are_not_compared(quick: pd.DataFrame) -> None:
    changed = quick.copy()
    changed.loc[(changed["method"] == "GCE") & (changed["seed"] == 3), "pair_labels"] = "others"
    words = nlbench.compare(changed, "CE").verdicts.query("a == 'GCE' or b == 'GCE'")["words"]
    assert words.str.contains(r"not comparable.*labels differ at seed 3").all()
    plain = changed.drop(columns=[c for c in changed if str(c).startswith("pair_")])
    assert not nlbench.compare(plain, "CE").verdicts["words"].str.contains("not comp").any()


def test_it_shows_itself(found: nlbench.Compared) -> None:
    assert repr(found) == (
        "<Compared quick: 3 methods against CE, 4 conditions, 5 seeds; print() shows the verdicts>"
    )
    page = found._repr_html_()
    assert page.count("<table>") == 1
    assert "Drainage beats CE on clean by 0.60 points" in page
    assert re.search(r'<img alt="Test accuracy[^"]*" src="data:image/png;base64,iVBOR', page)
    picture = found.figures["accuracy"]
    assert repr(picture).startswith("<Picture accuracy: Test accuracy")
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert "| symmetric " in found.markdown
    assert r"\begin{tabular}" in found.latex


def test_strangers_words_are_no_markup() -> None:
    frame = rows().replace({"method": {"a": "<script>alert(1)</script>"}})
    page = nlbench.compare(frame)._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("table", "words", "message"),
    [
        (3, {}, "table of type int: should be a DataFrame"),
        ([1, 2], {}, "table of type list"),
        ({"method": ["a"], "seed": [1, 2]}, {}, "table: .*same length"),
        (rows().drop(columns="seed"), {}, r"table: has no column 'seed'.*they are: method"),
        (rows().drop(columns="accuracy"), {}, "table: has no column 'accuracy'"),
        (rows(), {"accuracy": "acuracy"}, "column of table: 'acuracy'; did you mean 'accuracy'"),
        (rows()[:0], {}, "has a header but no rows"),
        (rows(accuracy="good"), {}, "table, row 0: accuracy 'good' should be a number"),
        (rows(method=None), {}, "table, row 0: no method"),
        (rows(seed=[0, 1, 2.5, 0, 1, 2]), {}, "table, row 2: seed '2.5' is not a whole number"),
        (rows(seed=0), {}, r"table, row 1: method 'a'.* is in row 0 already"),
        (rows(seed=0, model=list("xxxyyy")), {}, r"differ in model; .*frame\['model'\] == 'x'"),
        (rows(), {"baseline": "c"}, "unknown baseline in table: 'c'"),
        (rows(), {"unit": "points"}, "unknown unit of accuracies 'points'"),
        (rows(), {"difference": -1}, "difference -1: should be points above 0"),
        (rows(), {"num_classes": 1}, "1 classes: should be 2 or more"),
        ("nowhere.csv", {}, "nowhere.csv: cannot be read"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    table: Any, words: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        nlbench.compare(table, **words)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("study", "words", "message"),
    [
        ("quik", {}, "unknown suite 'quik'.*did you mean 'quick'"),
        (7, {}, "suite of type int: should be a name"),
        ("quick", {"methods": "gec"}, "gec"),
        ("quick", {"noise": "pair:0.4"}, "unknown noise 'pair:0.4' in suite quick"),
        ("quick", {"seeds": 9}, "unknown seed '9' in suite quick"),
        ("quick", {"seeds": [0.5]}, "seeds: 0.5 is not a whole number"),
        ("quick", {"results": "nowhere"}, "nowhere"),
        ("nowhere.toml", {}, "suite nowhere.toml: no such file"),
        (Path("nowhere"), {}, "nowhere: no such file"),
    ],
)
def test_what_cannot_be_loaded_is_one_line(study: Any, words: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        nlbench.load(study, **{"results": RESULTS, **words})
    assert "\n" not in str(caught.value)
