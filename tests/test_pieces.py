"""Committed records of studies that are not published: sound, counted and compared."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from nlbench.benchmark import published
from nlbench.benchmark.store import archive
from nlbench.benchmark.store.record import RunRecord
from nlbench.cli import main

RESULTS = Path(__file__).resolve().parents[1] / "results"
PIECES = sorted((RESULTS / "pieces").glob("*.tar.gz"))


def records_of(path: Path) -> dict[str, RunRecord]:
    """The archive's records by run id; a damaged one is a failure."""
    found = list(archive.read(path))
    sound = [item for item in found if isinstance(item, RunRecord)]
    assert sound == found
    return {record.run_id: record for record in sound}


@pytest.mark.parametrize("path", PIECES, ids=lambda path: path.name)
def test_every_piece_is_sound_and_counted(path: Path) -> None:
    found = records_of(path)
    assert {record.status for record in found.values()} == {"ok"}
    rows = (RESULTS / "pieces" / "README.md").read_text("utf-8").splitlines()
    (row,) = (row for row in rows if row.startswith(f"| `{path.name}`"))
    assert row.split("|")[2].strip() == str(len(found))


def test_the_tuned_suite_is_what_the_settings_tried_give(tmp_path: Path) -> None:
    results, out = str(tmp_path / "results"), tmp_path / "field-tuned.toml"
    tries = str(RESULTS / "pieces" / "field-tuning.tar.gz")
    assert main(["store", "import", tries, "--results", results]) == 0
    assert main(["tune", "field-tuning", "--results", results, "--out", str(out)]) == 0
    suites = resources.files("nlbench.benchmark.suites")
    assert out.read_text("utf-8") == (suites / "field-tuned.toml").read_text("utf-8")


def test_the_cards_runs_are_published_ones_on_another_device(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What docs/gpu.md says of CE on an H200 and on a CPU."""
    card = records_of(RESULTS / "pieces" / "field-h200.tar.gz")
    study = published.read(RESULTS / "published" / "field").records()
    here = {r.run_id: r for r in study if isinstance(r, RunRecord) and r.run_id in card}
    assert here.keys() == card.keys()
    for run_id, record in card.items():
        assert record.environment["device"] == "NVIDIA H200"
        assert (record.noise, record.pairing) == (here[run_id].noise, here[run_id].pairing)
    apart = [100 * (r.metrics["last"] - here[i].metrics["last"]) for i, r in card.items()]
    assert max(map(abs, apart)) < 0.45
    assert abs(sum(apart) / len(apart)) < 0.005

    for name, records in (("cpu", here), ("h200", card)):
        packed = tmp_path / f"{name}.tar.gz"
        archive.write(packed, records.values())
        assert main(["store", "import", str(packed), "--results", str(tmp_path / name)]) == 0
    capsys.readouterr()
    sides = [str(tmp_path / name) for name in ("cpu", "h200")]
    main(["store", "equivalence", *sides, "--bound", "0.3"])
    lines = capsys.readouterr().out.splitlines()
    verdicts = {line.split()[3]: line.endswith("equivalent") for line in lines if "matched" in line}
    assert verdicts == {
        "clean": True,
        "asymmetric:0.4": True,
        "instance:0.4:scale=unit": True,
        "symmetric:0.4": False,
    }
