"""The published fingerprints: drawn again, and every change noticed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.labels import reference
from nlbench.cli import main
from nlbench.noise import NoiseError

PUBLISHED = Path(__file__).resolve().parents[3] / "results" / "noise" / "fingerprints.csv"


def test_digits_come_out_as_published(tmp_path: Path) -> None:
    """The whole table is checked by `nlbench noise verify`; these rows are quick everywhere."""
    rows = [row for row in reference.read(PUBLISHED) if row.dataset == "digits"]
    rows = [row for row in rows if not row.note]
    assert len(rows) == 10 * len(reference.PUBLISHED["digits"])
    assert {row.noise.split(":")[0] for row in rows} >= {"symmetric", "instance", "openset"}
    assert {problem for _, problem in reference.check(rows, tmp_path)} == {""}


def test_withdrawn_rows_are_kept_with_their_note_and_can_no_longer_be_drawn(tmp_path: Path) -> None:
    rows = [row for row in reference.read(PUBLISHED) if row.note]
    notes = {(row.dataset, row.noise): row.note for row in rows}
    assert notes == reference.WITHDRAWN
    assert len(rows) == 20
    assert {problem for _, problem in reference.check(rows, tmp_path)} == {
        f"skipped: {note}" for note in notes.values()
    }
    older = replace(rows[0], note="")
    assert list(reference.check([older], tmp_path)) == [(older, f"skipped: {rows[0].note}")]
    with pytest.raises(NoiseError, match="no code is known to run map"):
        reference.clean_of("digits", tmp_path).draw("digits", older.noise, 0)


def test_a_table_without_notes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    lines = PUBLISHED.read_text().splitlines()[:3]
    path.write_text("".join(f"{line.rsplit(',', 1)[0]}\n" for line in lines))
    assert reference.read(path) == reference.read(PUBLISHED)[:2]


def test_the_published_table_covers_every_set_and_seed() -> None:
    rows = [row for row in reference.read(PUBLISHED) if not row.note]
    cells = {(row.dataset, row.noise, row.seed) for row in rows}
    assert len(cells) == len(rows)
    assert cells == {
        (name, line, seed)
        for name, lines in reference.PUBLISHED.items()
        for line in lines
        for seed in reference.seeds(line)
    }
    assert list(reference.seeds("symmetric:0.4")) == list(range(10))


def test_label_only_rows_of_cifar10_hold_for_its_jpeg_copy() -> None:
    rows = {(r.dataset, r.noise, r.seed): r.fingerprint for r in reference.read(PUBLISHED)}
    for line in reference.LABEL_ONLY:
        assert rows["cifar10", line, 3] == rows["cifar10_jpeg", line, 3]


def test_a_changed_row_and_a_missing_data_set_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row for row in reference.read(PUBLISHED) if row.dataset == "digits"][:2]
    path = tmp_path / "t.csv"
    reference.write([rows[0], replace(rows[1], fingerprint="0" * 64)], path)
    assert main(["noise", "verify", str(path), "--data", str(tmp_path)]) == 2
    assert "seed 1: 0000" in capsys.readouterr().err
    reference.write([rows[0], replace(rows[1], dataset="mnist")], path)
    assert main(["noise", "verify", str(path), "--data", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "mnist skipped" in out
    assert "1 of 2 label sets" in out
    reference.write([replace(rows[1], dataset="mnist")], path)
    assert main(["noise", "verify", str(path), "--data", str(tmp_path)]) == 2


def test_the_table_is_checked_where_torch_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row for row in reference.read(PUBLISHED) if row.dataset == "digits"][::40]
    assert not any(row.note for row in rows)
    reference.write(rows, tmp_path / "t.csv")
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in ('torch', 'torchvision'):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "from nlbench.benchmark.labels.reference import main; sys.exit(main(sys.argv[1:]))"
    )

    table = [str(tmp_path / "t.csv"), str(tmp_path)]
    command = [sys.executable, "-c", code, *table]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert f": {len(rows)} sound, 0 skipped, 0 differs" in found.stdout
    assert "NumPy" in found.stdout
    reference.write([rows[0], replace(rows[1], fingerprint="0" * 64)], tmp_path / "t.csv")
    assert reference.main(table) == 1
    out = capsys.readouterr().out
    assert f"{rows[1].noise} seed {rows[1].seed}: drawn again it is" in out
    assert "1 sound, 0 skipped, 1 differs" in out
    assert reference.main([]) == 2


def test_human_labels_whose_file_is_absent_are_skipped(tmp_path: Path) -> None:
    row = next(row for row in reference.read(PUBLISHED) if row.noise == "human:worse")
    labels = np.arange(50_000) % 10
    clean = reference.Clean(labels, 10, None, tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "clean_of", lambda *_: clean)
        ((_, problem),) = reference.check([row], tmp_path)
        assert problem.startswith("skipped: human labels: no CIFAR-10_human.pt")
        ((_, problem),) = reference.check([replace(row, noise="instance:0.4")], tmp_path)
        assert problem.startswith("cannot be drawn: instance:0.4: needs pixels")


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match="no fingerprint table"):
        reference.read(path)
    with pytest.raises(UserError, match="cannot be read"):
        reference.read(tmp_path / "missing.csv")
    with pytest.raises(UserError, match=r"imagenet"):
        reference.clean_of("imagenet", tmp_path)


def test_the_docs_page_is_what_the_command_makes(tmp_path: Path) -> None:
    page = tmp_path / "noise.md"
    assert main(["noise", "catalogue", "--out", str(page)]) == 0
    docs = Path(__file__).resolve().parents[3] / "docs" / "noise.md"
    assert docs.read_text() == page.read_text()
