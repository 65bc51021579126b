from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nlbench import noise
from nlbench.noise import NoiseError, NoisyLabels
from nlbench.noise.counts import largest_remainder_rows


def write(path: Path, matrix: object) -> Path:
    if path.suffix == ".npy":
        np.save(path, np.asarray(matrix))
    elif path.suffix == ".json":
        path.write_text(json.dumps(np.asarray(matrix).tolist()))
    else:
        np.savetxt(path, np.asarray(matrix), delimiter=",")
    return path


def random_matrix(k: int, seed: int = 0) -> np.ndarray:
    matrix = np.random.default_rng(seed).dirichlet(np.ones(k), size=k)
    matrix[0] = np.eye(k)[0]
    return np.asarray(matrix)


def make(path: Path, labels: np.ndarray, k: int, seed: int = 0, more: str = "") -> NoisyLabels:
    return noise.make(
        f"transition:{path.name}{more}", labels, num_classes=k, seed=seed, folder=path.parent
    )


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(0, 99), st.integers(1, 500))
def test_row_counts_are_rounded_shares(k: int, seed: int, top: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.dirichlet(np.ones(k), size=k)
    sizes = rng.integers(0, top, k)
    counts = largest_remainder_rows(matrix, sizes)
    assert counts.sum(axis=1).tolist() == sizes.tolist()
    assert np.all(np.abs(counts - matrix * sizes[:, None]) < 1 + 1e-6)
    assert counts.min() >= 0


@pytest.mark.parametrize("suffix", [".npy", ".json", ".csv"])
def test_exact_counts_follow_the_matrix(suffix: str, tmp_path: Path) -> None:
    matrix = random_matrix(6)
    labels = np.random.default_rng(1).integers(0, 6, 3000)
    made = make(write(tmp_path / f"t{suffix}", matrix), labels, 6)
    wanted = matrix * np.bincount(labels)[:, None]
    assert np.all(np.abs(made.transition_counts - wanted) < 1)
    assert made.details["file"] == f"t{suffix}"
    assert make(tmp_path / f"t{suffix}", labels, 6).fingerprint == made.fingerprint
    assert make(tmp_path / f"t{suffix}", labels, 6, seed=1).fingerprint != made.fingerprint
    assert made.nominal_rate == made.realised_rate


def test_bernoulli_draws_follow_the_matrix(tmp_path: Path) -> None:
    matrix = random_matrix(5)
    matrix[1] = [0, 0.5, 0, 0.5, 0]
    path = write(tmp_path / "t.npy", matrix)
    labels = np.arange(2000) % 5
    counts = np.sum(
        [make(path, labels, 5, s, ":count=bernoulli").transition_counts for s in range(40)], axis=0
    )
    assert not np.any(counts[matrix == 0])
    for row, wanted in zip(counts, matrix, strict=True):
        if np.count_nonzero(wanted) > 1:
            seen, share = row[wanted > 0], wanted[wanted > 0]
            assert stats.chisquare(seen, share * row.sum()).pvalue > 1e-4


def test_matrix_that_flips_everything_and_one_that_flips_nothing(tmp_path: Path) -> None:
    labels = np.arange(1000) % 4
    for more in ("", ":count=bernoulli"):
        same = make(write(tmp_path / "a.npy", np.eye(4)), labels, 4, more=more)
        assert not same.flipped.any()
        turned = make(write(tmp_path / "b.npy", np.roll(np.eye(4), 1, 1)), labels, 4, more=more)
        assert np.array_equal(turned.noisy, (labels + 1) % 4)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.eye(3), "expected 4 x 4"),
        (np.eye(4) * 0.9, r"row 0 sums to 0\.9, not to 1"),
        ([[0.5, 0.5, 0, 0]] + [[0.5, 0, 0, 0]] * 0 + np.eye(4)[1:].tolist(), None),
        (np.array([[1, 0.5, 0, 0], [0, 0.5, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), "transpose it"),
        (np.eye(4) * np.nan, "must be finite"),
        (2 * np.eye(4) - 0.25, "not negative"),
    ],
)
def test_matrices_that_do_not_fit(matrix: object, message: str | None, tmp_path: Path) -> None:
    path = write(tmp_path / "t.npy", matrix)
    labels = np.arange(100) % 4
    if message is None:
        make(path, labels, 4)
        return
    with pytest.raises(NoiseError, match=message):
        make(path, labels, 4)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    labels = np.arange(100) % 4
    with pytest.raises(NoiseError, match="no such file"):
        make(tmp_path / "none.npy", labels, 4)
    for name, content in {"a.npy": "x", "a.json": "{", "a.csv": "1,2\n3", "a.txt": "1"}.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(NoiseError, match=name):
            make(tmp_path / name, labels, 4)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.json", '{"3": 1, "0": 2}'),
        ("m.csv", "source,target\n3,1\n0,2\n"),
        ("m.csv", "3,1\n0,2\n"),
        ("n.json", "[2, 1, 2, 1]"),
        ("n.csv", "2\n1\n2\n1\n"),
    ],
)
def test_maps_from_files(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    labels = np.arange(400) % 4
    made = noise.make(f"asymmetric:0.3:map={name}", labels, num_classes=4, seed=0, folder=tmp_path)
    wanted = 100 * np.eye(4)
    wanted[3], wanted[0] = [0, 30, 0, 70], [70, 0, 30, 0]
    assert np.array_equal(made.transition_counts, wanted)
    assert str(made.spec) == f"asymmetric:0.3:map={name}"
    assert made.details["file"] == name
    noise.verify(made, folder=tmp_path)


@pytest.mark.parametrize("content", ['{"4": 1}', "[0, 1]", '["x", 0, 0, 0]', "[0.5, 0, 0, 0]"])
def test_maps_from_files_that_do_not_fit(content: str, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(content)
    with pytest.raises(NoiseError, match=r"m\.json"):
        noise.make(
            "asymmetric:0.3:map=m.json", np.arange(8) % 4, num_classes=4, seed=0, folder=tmp_path
        )
