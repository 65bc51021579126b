"""Where reports go, what of a part, what of an earlier report, and the act of publishing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nlbench.benchmark import published
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.store import archive
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.store import Store
from nlbench.cli import main
from nlbench.reports import ReportError, manifest
from nlbench.reports import publish as publishing
from nlbench.studies import published_study
from tests.helpers.records import as_failed

QUICK = Path(__file__).resolve().parents[3] / "results" / "published" / "quick"
PART = ["--methods", "gce,drainage", "--noise", "clean,symmetric:0.4"]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A results folder whose store holds the 60 published runs of suite quick."""
    folder = tmp_path / "results"
    words = ["store", "import", str(QUICK / "records.tar.gz"), "--results", str(folder)]
    assert main(words) == 0
    return folder


def report(results: Path, *words: str, only: str = "tables") -> int:
    where = ["--results", str(results), "--workers", "1", "--only", only]
    return main(["report", "quick", *where, *words])


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_a_part_says_so_and_leaves_the_whole_alone(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(results) == 0
    whole = files(results / "reports" / "quick")
    assert "part" not in whole["accuracy.md"].decode().splitlines()[0]
    capsys.readouterr()
    assert report(results, *PART) == 0
    out = capsys.readouterr().out
    assert "(part: 20 of 60 runs)" in out.splitlines()[0]
    assert "--methods gce,drainage --noise clean,symmetric:0.4" in out.splitlines()[1]
    made = files(results / "reports" / "quick")
    assert {name: text for name, text in made.items() if not name.startswith("part/")} == whole
    assert "(part: 20 of 60 runs)" in made["part/accuracy.md"].decode().splitlines()[0]
    pages = {name: text.decode() for name, text in made.items() if name.startswith("part/")}
    del pages[f"part/{manifest.FILE}"], pages["part/accuracy-document.tex"]  # an \\input, no words
    for name, text in pages.items():
        top = text.splitlines()[0] if name.endswith(".md") else text
        assert "(part: 20 of 60 runs)" in top or "a part of suite quick" in top, name
    assert "From a part of suite quick" in pages["part/accuracy.md"]
    assert "part of suite" not in "".join(text.decode() for text in whole.values())
    assert not (results / "published").exists()


def test_a_part_is_what_the_words_of_a_run_select(results: Path) -> None:
    run = ["--device", "cpu", "--workers", "2", "--methods=gce,drainage", "--retry"]
    assert report(results, "--like-run", *run, "--noise", "clean,symmetric:0.4") == 0
    like = files(results / "reports" / "quick" / "part")
    assert report(results, *PART) == 0
    assert files(results / "reports" / "quick" / "part") == like
    assert report(results, "--like-run") == 0
    assert (results / "reports" / "quick" / "accuracy.md").is_file()


def test_missing_runs_make_a_part(results: Path) -> None:
    assert report(results, only="leaderboard") == 0
    whole = files(results / "reports" / "quick")
    store = Store.open(results / "runs")
    store.path(next(store.ids())).unlink()
    assert report(results, only="leaderboard") == 0
    made = files(results / "reports" / "quick")
    assert {name: made[name] for name in whole} == whole
    assert any(name.startswith("part/") for name in made)


def test_another_profile_has_a_folder_of_its_own(results: Path) -> None:
    assert report(results, "--profile", "matched") == 0  # the suite's own
    assert (results / "reports" / "quick" / "accuracy.md").is_file()
    assert not (results / "reports" / "quick" / "matched").exists()


def test_stale_files_go_and_those_of_others_stay(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert report(results, *PART, "--out", str(out), only="figures") == 0
    mine = out / "figures" / "mine.png"
    mine.write_text("not of a report")
    listed = manifest.read(out).files
    assert len(listed) > 4
    fewer = ["--methods", "gce", "--noise", "clean", "--out", str(out)]
    assert report(results, *fewer, only="figures") == 0
    there = set(files(out)) - {manifest.FILE, "figures/mine.png"}
    assert there == manifest.read(out).files
    assert there < listed
    assert mine.read_text() == "not of a report"
    # Another kind of files is not what was asked for, so what is there of figures stays.
    assert report(results, *fewer, only="leaderboard") == 0
    assert there < set(files(out))


def test_a_list_that_leads_outside_removes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    kept = tmp_path / "kept.txt"
    kept.write_text("kept")
    (folder / "old.csv").write_text("old")
    text = f"# whole study\n../kept.txt\n{kept}\n\n.\nold.csv\n"
    (folder / manifest.FILE).write_text(text)
    assert manifest.settle(folder, [folder / "new.csv"], False, lambda _: True) == ["old.csv"]
    assert kept.read_text() == "kept"
    assert set(files(folder)) == {manifest.FILE}
    (folder / manifest.FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(ReportError, match="cannot be read"):
        manifest.read(folder)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--out", "RESULTS/published/quick"], "only `nlbench publish SUITE` changes"),
        ([*PART, "--out", "RESULTS/reports/quick"], "holds the report of a whole study"),
        (["--methods", "sce"], "sce.*suite quick"),
    ],
)
def test_what_a_report_refuses(
    results: Path, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(results, only="leaderboard") == 0
    before = files(results / "reports")
    capsys.readouterr()
    assert report(results, *(word.replace("RESULTS", str(results)) for word in words)) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert re.search(says, error)
    assert files(results / "reports") == before


def test_a_published_study_rebuilds_after_its_suite_has_changed(
    results: Path, tmp_path: Path
) -> None:
    """Under a name that no suite of the project has, and from another folder."""
    folder = tmp_path / "elsewhere" / "older"
    folder.mkdir(parents=True)
    shutil.copy(QUICK / "records.tar.gz", folder)
    shutil.copy(QUICK / "quick.toml", folder / "older.toml")
    where = ["--results", str(results), "--workers", "1", "--only", "leaderboard"]
    assert main(["report", str(folder), *where]) == 0
    made = (results / "reports/older/published/leaderboard.csv").read_text()
    assert len(made.splitlines()) == len((QUICK / "leaderboard.csv").read_text().splitlines())
    assert main(["report", str(folder), *where, "--profile", "official"]) == 2
    (folder / "older.toml").unlink()
    assert main(["report", str(folder), *where]) == 2


def publish(results: Path, *words: str) -> int:
    return main(["publish", "quick", "--results", str(results), "--workers", "1", *words])


def test_publishing_writes_what_the_report_is_rebuilt_from(results: Path, tmp_path: Path) -> None:
    assert publish(results) == 0
    folder = results / "published" / "quick"
    made = files(folder)
    assert set(made) == manifest.read(folder).files | {manifest.FILE}
    assert made["quick.toml"] == (QUICK / "quick.toml").read_bytes()
    assert made["records.tar.gz"] == (QUICK / "records.tar.gz").read_bytes()
    out = tmp_path / "again"
    assert main(["report", str(folder), "--out", str(out), "--workers", "1"]) == 0
    again = files(out)
    del again[manifest.FILE]
    assert {name: made[name] for name in again} == again
    assert set(made) - set(again) == {"quick.toml", "records.tar.gz", manifest.FILE}
    # A second time: what a publication wrote is replaced, what it did not stays.
    (folder / "notes.md").write_text("mine")
    stale = manifest.read(folder)
    (folder / "old.csv").write_text("of an earlier publication")
    manifest.write(folder, manifest.Manifest(stale.files | {"old.csv"}, part=False))
    assert publish(results) == 0
    assert files(folder) == made | {"notes.md": b"mine"}
    assert {path.name for path in folder.parent.iterdir()} == {"quick"}


@pytest.mark.parametrize("where", ["", "figures"])
@pytest.mark.parametrize(
    "words", [["compare", "own.csv"], ["toy", "--still"], ["suspicious", "digits"], ["site"]]
)
def test_no_other_command_writes_into_a_published_study(
    words: list[str],
    where: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "quick"
    shutil.copytree(QUICK, folder)
    rows = [f"{m},clean,{s},{80 + s + (m == 'b')}" for m in "ab" for s in range(3)]
    (tmp_path / "own.csv").write_text("\n".join(["method,condition,seed,accuracy", *rows]))
    monkeypatch.chdir(tmp_path)
    assert main([*words, "--out", str(folder / where)]) == 2
    assert "only `nlbench publish SUITE` changes what is there" in capsys.readouterr().err
    assert files(folder) == files(QUICK)


def changed(record: RunRecord, **environment: object) -> RunRecord:
    return replace(record, environment={**record.environment, **environment})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (as_failed, "1 of its 60 runs failed .*--retry"),
        (lambda r: changed(r, dirty=True), "1 of its 60 runs were made with uncommitted changes"),
        (lambda r: changed(r, commit=None, dirty=None), "were made outside a git checkout"),
        (lambda r: changed(r, commit="0" * 40), r"made by 2 commits: 6d2ae2d5d967 \(59\), 0{12}"),
        (lambda r: replace(r, method_source="version 2"), "made by 2 sources of method 'drainage'"),
        (lambda _: None, "1 of its 60 runs have no record; `nlbench run quick` first"),
        (lambda _: "damaged", "1 damaged records .*`nlbench run quick` repeats them"),
    ],
)
def test_publishing_refuses_with_the_reason(
    results: Path,
    change: Callable[[RunRecord], RunRecord | str | None],
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = Store.open(results / "runs")
    record = next(store.records())
    new = change(record)
    if isinstance(new, RunRecord):
        store.write(new)
    elif new is None:
        store.path(record.run_id).unlink()
    else:
        store.path(record.run_id).write_text(new)
    capsys.readouterr()
    assert publish(results) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert re.search(says, error)
    assert not (results / "published").exists()


def test_a_part_from_outside_must_be_of_one_source() -> None:
    found = published.read(QUICK)
    study = published_study(found.suite, found.command)
    records = [r for r in found.records() if isinstance(r, RunRecord)]
    part = "model mine:Net"
    same = [replace(r, part_sources={part: f"sha256:{'0' * 64}"}) for r in records]
    assert publishing.publishable(study, same, "quick") == same
    same[0] = replace(same[0], part_sources={part: f"sha256:{'1' * 64}"})
    with pytest.raises(UserError, match=f"2 sources of {part}; `nlbench run quick` trains the old"):
        publishing.publishable(study, same, "quick")


def test_a_publication_that_breaks_off_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = published.read(QUICK)
    records = [
        item for item in archive.read(QUICK / "records.tar.gz") if isinstance(item, RunRecord)
    ]
    folder = tmp_path / "published" / "quick"
    folder.mkdir(parents=True)
    (folder / "index.md").write_text("a stranger's")

    def put() -> int:
        study = published_study(found.suite, found.command)
        return publishing.publish(study, "text", records, folder)

    with pytest.raises(UserError, match=r"index\.md: was not written by .*move it away"):
        put()
    assert files(folder.parent) == {"quick/index.md": b"a stranger's"}

    def broken(*_args: object, **_more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("nlbench.reports.publish.build_report", broken)
        with pytest.raises(KeyboardInterrupt):
            put()
    assert files(folder.parent) == {"quick/index.md": b"a stranger's"}
    # Killed between the two renames: the earlier study is there again.
    folder.rename(folder.with_name(".quick.old"))
    with pytest.raises(UserError, match="move it away"):
        put()
    assert files(folder.parent) == {"quick/index.md": b"a stranger's"}
