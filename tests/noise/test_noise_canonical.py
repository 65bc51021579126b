from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from noise import NoiseError, NoiseSpec, canonical

LABELS = np.arange(300) % 10
IMAGES = (np.arange(300 * 16).reshape(300, 16) ** 2 % 251).astype(np.uint8)


def test_table_is_written_read_and_compared(tmp_path: Path) -> None:
    table = list(canonical.rows("fashion_mnist", LABELS, 10, IMAGES, seeds=(0, 1)))
    assert len(table) == 2 * len(canonical.CANONICAL["fashion_mnist"])
    assert len({row.fingerprint for row in table}) == len(table)
    assert {row.noise for row in table} >= {"symmetric:0.4", "asymmetric:0.4:map=gce"}
    path = tmp_path / "fingerprints.csv"
    canonical.write(path, reversed(table))
    first = path.read_bytes()
    canonical.write(path, table)
    assert path.read_bytes() == first
    back = canonical.read(path)
    assert sorted(back, key=str) == sorted(table, key=str)
    assert canonical.differences(back, table) == []
    changed = [replace(back[0], fingerprint="0" * 64), *back[1:]]
    (line,) = canonical.differences(changed, table)
    assert line.startswith(f"fashion_mnist {back[0].noise} seed 0: fingerprint")
    assert canonical.differences([], table) == []


def test_every_canonical_setting_is_one() -> None:
    for specs in canonical.CANONICAL.values():
        assert [str(NoiseSpec.parse(spec)) for spec in specs] == list(specs)


def test_tables_and_data_sets_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(NoiseError, match="is not a table of fingerprints"):
        canonical.read(tmp_path / "a.csv")
    with pytest.raises(NoiseError, match="is not a table of fingerprints"):
        canonical.read(tmp_path / "none.csv")
    with pytest.raises(NoiseError, match="no canonical label sets for 'npz'"):
        list(canonical.rows("npz", LABELS, 10))
