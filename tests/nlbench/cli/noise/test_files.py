"""``nlbench noise``: files of labels made, shown and checked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nlbench.benchmark.runs.run import train
from nlbench.cli import main
from nlbench.noise import NoisyLabels
from tests.helpers.runs import HERE, tiny


def test_noise_files_make_inspect_verify(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "labels.npz"
    make = ["noise", "make", "instance:0.3", "--dataset", "digits", "--seed", "3"]
    assert main([*make, "--out", str(path)]) == 0
    capsys.readouterr()
    assert main(["noise", "inspect", "--json", str(path)]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["seed"] == 3
    assert facts["realised"] == pytest.approx(0.3, abs=0.05)
    assert main(["noise", "verify", str(path)]) == 0
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    capsys.readouterr()
    assert main(["noise", "verify", str(path)]) == 2
    assert str(path) in capsys.readouterr().err


def test_the_labels_of_a_file_are_the_labels_of_a_run(tmp_path: Path) -> None:
    record = train(tiny("ce"), HERE)
    path = tmp_path / "labels.npz"
    make = ["noise", "make", "symmetric:0.4", "--dataset", "digits", "--train-per-class", "20"]
    assert main([*make, "--seed", "0", "--out", str(path)]) == 0
    assert NoisyLabels.load(path).fingerprint == record.noise["fingerprint"]
