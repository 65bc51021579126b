"""The committed studies are what their committed records give."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

import pandas as pd
import pytest

from benchmark.cli import main
from benchmark.spec import RunSpec

PUBLISHED = Path(__file__).resolve().parents[1] / "results" / "published"
# Pictures depend on the version of the drawing library; what they show is in the CSV files.
TEXT = {".csv", ".md", ".tex"}


# The suite of an older study as it was run; of the others the suite as it stands.
SUITES = {path.stem: str(path) for path in PUBLISHED.glob("*/*.toml")}
STUDIES = sorted(path.parent.name for path in PUBLISHED.glob("*/records.tar.gz"))


@pytest.mark.parametrize("name", ["quick", "fashion"])
def test_the_report_is_rebuilt_from_its_records(name: str, tmp_path: Path) -> None:
    records = PUBLISHED / name / "records.tar.gz"
    assert main(["store", "import", str(records), "--results", str(tmp_path)]) == 0
    assert main(["report", SUITES.get(name, name), "--results", str(tmp_path)]) == 0
    made = {p.relative_to(tmp_path / "published" / name) for p in _texts(tmp_path / "published")}
    committed = {p.relative_to(PUBLISHED / name) for p in _texts(PUBLISHED / name)}
    assert made == committed
    for path in made:
        again, kept = (root / path for root in (tmp_path / "published" / name, PUBLISHED / name))
        if path.suffix == ".csv":
            # The last printed digit may differ between machines.
            pd.testing.assert_frame_equal(pd.read_csv(again), pd.read_csv(kept), rtol=1e-4)
    table = PUBLISHED / name / "accuracy.md"
    assert (tmp_path / "published" / name / "accuracy.md").read_text() == table.read_text()


@pytest.mark.parametrize("name", [n for n in STUDIES if n not in ("quick", "fashion")])
def test_the_numbers_are_computed_again_from_the_records(name: str, tmp_path: Path) -> None:
    records = PUBLISHED / name / "records.tar.gz"
    assert main(["store", "import", str(records), "--results", str(tmp_path)]) == 0
    suite = SUITES.get(name, name)
    assert main(["report", suite, "--results", str(tmp_path), "--only", "leaderboard"]) == 0
    made = {p.name for p in _texts(tmp_path / "published")}
    assert "leaderboard.csv" in made
    assert made == {p.name for p in _texts(PUBLISHED / name) if p.suffix == ".csv"}
    for file in made:
        again, kept = (root / name / file for root in (tmp_path / "published", PUBLISHED))
        pd.testing.assert_frame_equal(pd.read_csv(again), pd.read_csv(kept), rtol=1e-4)


@pytest.mark.parametrize("name", STUDIES)
def test_every_published_run_keeps_its_id_and_the_text_of_its_spec(name: str) -> None:
    """The id is hashed here again from the record's own text; a new field must not change it."""
    with tarfile.open(PUBLISHED / name / "records.tar.gz") as archive:
        files = [archive.extractfile(m) for m in archive if m.name != "manifest.json"]
        records = [json.loads(file.read()) for file in files if file is not None]
    assert records
    for record in records:
        stated = record["spec"]
        text = json.dumps(stated, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(text.encode()).hexdigest()[:16] == record["run_id"]
        spec = RunSpec.from_dict(stated)
        assert spec.run_id == record["run_id"]
        assert spec.to_dict() == stated


def _texts(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.suffix in TEXT]
