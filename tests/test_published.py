"""The committed studies are what their committed records give."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchmark.cli import main

PUBLISHED = Path(__file__).resolve().parents[1] / "results" / "published"
# Pictures depend on the version of the drawing library; what they show is in the CSV files.
TEXT = {".csv", ".md", ".tex"}


STUDIES = sorted(path.parent.name for path in PUBLISHED.glob("*/records.tar.gz"))


@pytest.mark.parametrize("name", ["quick", "fashion"])
def test_the_report_is_rebuilt_from_its_records(name: str, tmp_path: Path) -> None:
    records = PUBLISHED / name / "records.tar.gz"
    assert main(["store", "import", str(records), "--results", str(tmp_path)]) == 0
    assert main(["report", name, "--results", str(tmp_path)]) == 0
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
    assert main(["report", name, "--results", str(tmp_path), "--only", "leaderboard"]) == 0
    made = {p.name for p in _texts(tmp_path / "published")}
    assert "leaderboard.csv" in made
    assert made == {p.name for p in _texts(PUBLISHED / name) if p.suffix == ".csv"}
    for file in made:
        again, kept = (root / name / file for root in (tmp_path / "published", PUBLISHED))
        pd.testing.assert_frame_equal(pd.read_csv(again), pd.read_csv(kept), rtol=1e-4)


def _texts(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.suffix in TEXT]
