"""The label files to download: what is in them, their pages, and what a check finds."""

from __future__ import annotations

import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from nlbench.benchmark.labels import reference, release
from nlbench.benchmark.labels.release import files
from nlbench.cli import main

ROOT = Path(__file__).resolve().parents[4] / "results" / "noise"


@pytest.fixture(name="folder", scope="module")
def _folder(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of CIFAR-10 alone, whose labels are in the CIFAR-N file."""
    folder = tmp_path_factory.mktemp("release")
    release.write(folder, ["cifar10"], data_root)
    return folder


def test_a_file_holds_the_published_label_sets(data_root: Path, folder: Path) -> None:
    """Read by another library, fingerprints against the table made long before."""
    known = {
        (row.noise, row.seed): row.fingerprint
        for row in reference.read(ROOT / "fingerprints.csv")
        if row.dataset == "cifar10"
    }
    index = pd.read_csv(folder / "labels.csv")
    assert len(index) == len(release.SETTINGS["cifar10"]) * len(files.SEEDS)
    for noise, seed, mark in zip(index["noise"], index["seed"], index["fingerprint"], strict=True):
        assert known[str(noise).replace(":map=standard", ""), int(seed)] == mark
    table = pd.read_csv(folder / "cifar10" / "symmetric-0.4.csv.gz")
    assert list(table) == ["sample", "clean", *(f"seed_{seed}" for seed in files.SEEDS)]
    assert table["sample"].tolist() == list(range(50_000))
    for seed in files.SEEDS:
        assert (table["clean"] != table[f"seed_{seed}"]).mean() == 0.4
    assert list(release.check(folder, data_root)) == [(e, "") for e in files.index(folder)]


def test_what_is_wrong_is_named(
    data_root: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(folder, mine)
    first, second, third = (mine / "cifar10" / f"symmetric-0.{n}.csv.gz" for n in (2, 4, 6))
    text = gzip.decompress(first.read_bytes()).decode()
    head, row, rest = text.split("\n", 2)
    changed = ",".join((*row.split(",")[:-1], str((int(row.split(",")[-1]) + 1) % 10)))
    first.write_bytes(gzip.compress("\n".join((head, changed, rest)).encode(), mtime=0))
    second.unlink()
    third.write_bytes(b"no table")
    entries = files.index(mine)
    known = [e for e in entries if e.file != "cifar10/symmetric-0.2.csv.gz"]
    other = [replace(e, sha256=files.sha256(first)) for e in entries if e not in known]
    files.describe(mine, [*known, *other])
    assert main(["noise", "release", str(mine), "--check", "--data", str(data_root)]) == 1
    said = capsys.readouterr().out
    assert "symmetric-0.2.csv.gz: seed_4: column seed_4 is not what is drawn again" in said
    assert "symmetric-0.2.csv.gz: seed_0" not in said
    assert "symmetric-0.4.csv.gz: seed_0: no such file" in said
    assert "symmetric-0.6.csv.gz: seed_0: its bytes have SHA-256" in said


def test_without_data_or_release_the_reason_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["noise", "release", str(tmp_path), "--check"]) == 2
    assert "no such index" in capsys.readouterr().err
    assert main(["noise", "release", str(tmp_path), "cifar11"]) == 2
    assert "cifar10" in capsys.readouterr().err
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main(["noise", "release", str(tmp_path / "out"), "cifar100", "--data", str(empty)]) == 2
    assert not list((tmp_path / "out").glob("*"))


def test_the_release_that_is_published_is_whole() -> None:
    """Every file is there with the bytes of the index, and nothing else; labels need the data."""
    entries = files.index(ROOT)
    assert {e.dataset for e in entries} == set(release.SETTINGS)
    assert {e.file for e in entries} == {
        path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.csv.gz")
    }
    for file in {e.file for e in entries}:
        mine = [e for e in entries if e.file == file]
        assert {files.sha256(ROOT / file)} == {e.sha256 for e in mine}
        table = files.table(ROOT / file)
        for entry in mine:
            wrong = (table["clean"] != table[entry.column]).mean()
            assert f"{wrong:.6f}" == entry.realised, (file, entry.column)


def test_the_metadata_hold_for_the_reference_implementation_of_the_format() -> None:
    croissant = pytest.importorskip("mlcroissant", reason="needs mlcroissant, the validator")
    data = croissant.Dataset(jsonld=str(ROOT / "croissant.json"))
    assert not data.metadata.ctx.issues.errors
    assert not data.metadata.ctx.issues.warnings
    name = "cifar10/symmetric-0.4"
    record = next(iter(data.records(record_set=name)))
    table = files.table(ROOT / f"{name}.csv.gz")
    assert {key: int(value) for key, value in record.items()} == {
        f"{name}/{column}": int(values[0]) for column, values in table.items()
    }


def test_the_metadata_name_every_file_and_column() -> None:
    content = json.loads((ROOT / "croissant.json").read_text("utf-8"))
    entries = files.index(ROOT)
    assert {f["contentUrl"]: f["sha256"] for f in content["distribution"]} == {
        e.file: e.sha256 for e in entries
    }
    named = {
        (field["source"]["fileObject"]["@id"], field["source"]["extract"]["column"])
        for records in content["recordSet"]
        for field in records["field"]
    }
    assert {(e.file, e.column) for e in entries} <= named
    assert {(e.file, "clean") for e in entries} <= named
