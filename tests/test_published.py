"""The committed studies are what their committed records give."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pandas as pd
import pytest

from nlbench.benchmark import published
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.store import Store
from nlbench.cli import main
from nlbench.reports import manifest
from nlbench.reports.publish import publishable
from nlbench.studies import study_of

PUBLISHED = Path(__file__).resolve().parents[1] / "results" / "published"
# Pictures depend on the version of the drawing library; what they show is in the CSV files.
TEXT = {".csv", ".md", ".tex"}


STUDIES = sorted(path.parent.name for path in PUBLISHED.glob("*/records.tar.gz"))


@pytest.mark.parametrize("name", ["quick", "fashion"])
def test_the_report_is_rebuilt_from_what_lies_beside_it(name: str, tmp_path: Path) -> None:
    assert main(["report", str(PUBLISHED / name), "--results", str(tmp_path)]) == 0
    made = tmp_path / "reports" / name / "published"
    paths = {p.relative_to(made) for p in _texts(made)}
    assert paths == {p.relative_to(PUBLISHED / name) for p in _texts(PUBLISHED / name)}
    for path in paths:
        again, kept = made / path, PUBLISHED / name / path
        if path.suffix == ".csv":
            # The last printed digit may differ between machines.
            pd.testing.assert_frame_equal(pd.read_csv(again), pd.read_csv(kept), rtol=1e-4)
    assert (made / "accuracy.md").read_text() == (PUBLISHED / name / "accuracy.md").read_text()


@pytest.mark.parametrize("name", [n for n in STUDIES if n not in ("quick", "fashion")])
def test_the_numbers_are_computed_again_from_the_records(name: str, tmp_path: Path) -> None:
    words = ["--results", str(tmp_path), "--only", "leaderboard"]
    assert main(["report", str(PUBLISHED / name), *words]) == 0
    made = tmp_path / "reports" / name / "published"
    files = {p.name for p in _texts(made)}
    assert "leaderboard.csv" in files
    assert files == {p.name for p in _texts(PUBLISHED / name) if p.suffix == ".csv"}
    for file in files:
        again, kept = made / file, PUBLISHED / name / file
        pd.testing.assert_frame_equal(pd.read_csv(again), pd.read_csv(kept), rtol=1e-4)


@pytest.mark.parametrize("name", STUDIES)
def test_every_published_study_could_be_published_as_it_is(name: str) -> None:
    found = published.read(PUBLISHED / name)
    assert publishable(study_of(found.suite), found.records(), name)
    listed = manifest.read(PUBLISHED / name)
    assert listed.part is False
    there = {path for path in (PUBLISHED / name).rglob("*") if path.is_file()}
    names = {path.relative_to(PUBLISHED / name).as_posix() for path in there}
    assert names == listed.files | {manifest.FILE}


@pytest.mark.parametrize("name", STUDIES)
def test_every_published_run_keeps_its_id_and_the_text_of_its_spec(name: str) -> None:
    """The id is hashed here again from the record's own text; a new field must not change it."""
    with tarfile.open(PUBLISHED / name / "records.tar.gz") as archive:
        files = [archive.extractfile(m) for m in archive if m.name != "manifest.json"]
        texts = [file.read() for file in files if file is not None]
    assert texts
    for content in texts:
        assert b"nlbench." not in content, "a record names no module of ours"
        record = json.loads(content)
        stated = record["spec"]
        text = json.dumps(stated, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(text.encode()).hexdigest()[:16] == record["run_id"]
        spec = RunSpec.from_dict(stated)
        assert spec.run_id == record["run_id"]
        assert spec.to_dict() == stated


@pytest.mark.slow
def test_a_benchmark_leaves_a_clone_clean_and_its_published_studies_sound(
    repository: Path, tmp_path: Path
) -> None:
    clone = _clone(repository, tmp_path)
    # Of the 60 runs those of one seed are trained here, the others are as they were published.
    store = Store.open(clone / "results" / "runs", create=True)
    for record in published.read(PUBLISHED / "quick").records():
        if isinstance(record, RunRecord) and record.spec.seed > 0:
            store.write(record)
    # The environment that runs this test instead of one that `setup` would install.
    make = ["make", "-o", "setup", f"PY={sys.executable}", "DEVICE=cpu", "WORKERS=1"]
    _run(clone, *make, "benchmark")
    _run(clone, *make, "benchmark", "ARGS=--methods ce,gce --noise clean --seeds=0-1")
    written = clone / "results" / "reports" / "quick"
    assert "part" not in (written / "index.md").read_text("utf-8").splitlines()[0]
    assert "(part: 4 of 60 runs)" in (written / "part" / "index.md").read_text("utf-8")
    _run(clone, sys.executable, "-m", "pytest", "tests/test_published.py", "-m", "not slow", "-x")
    assert _run(clone, "git", "status", "--porcelain") == ""


def _clone(repository: Path, folder: Path) -> Path:
    """A repository of the working tree as it stands, whether committed or not."""
    if not (repository / ".git").exists():
        pytest.skip("not a git checkout")
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    clone = folder / "clone"
    for name in filter(None, _run(repository, *words).split("\0")):
        file = repository / name
        if file.is_symlink() or file.is_file():  # links to folders make the package
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, clone / name, follow_symlinks=False)
    _run(clone, "git", "init", "-q")
    _run(clone, "git", "add", "-A")
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    _run(clone, "git", *who, "commit", "-q", "-m", "as it stands")
    return clone


def _run(folder: Path, *words: str) -> str:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "PYTEST"))}
    env = kept | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        words, cwd=folder, env=env, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _texts(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.suffix in TEXT]


@pytest.mark.parametrize("path", sorted(PUBLISHED.glob("*/*.csv")), ids=lambda p: p.parent.name)
def test_every_table_says_how_its_labels_were_drawn_and_what_was_trained(path: Path) -> None:
    """Labels of the same name may be drawn in several ways, and recipes differ by method."""
    if (path.parent / "records.tar.gz").is_file():
        header = path.read_text("utf-8").partition("\n")[0].split(",")
        assert "noise_drawn" in header, path.name
        assert {"recipe", "recipe_a"} & set(header), path.name
