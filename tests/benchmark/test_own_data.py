"""One's own data, from a suite to records: many workers, small images, labels of unknown truth."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.machine.device import cores
from nlbench.benchmark.runs import plan
from nlbench.benchmark.runs.context import Context
from nlbench.benchmark.runs.run import train
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.suites import suite
from nlbench.cli.main import main
from tests.helpers import image_trees as trees

SUITE = """
methods = ["ce", "gce"]
noise = ["given"]
seeds = 1
dataset = { name = "folder:mine", size = 16 }
recipe = { epochs = 1, batch_size = 8, augment = "random_crop_flip" }
"""
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("own")
    trees.folder(root)
    images = np.arange(90 * 64).reshape(90, 8, 8) % 256
    labels = np.arange(90) % 3
    np.savez(root / "mine.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    (root / "mine.toml").write_text(SUITE)
    return root


def parsed(*changes: tuple[str, str]) -> suite.Suite:
    text = SUITE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return suite.parse(text, "mine", "mine.toml")


def run(place: Path, text: str, *more: str) -> int:
    (place / "other.toml").write_text(text)
    where = ["--data", str(place), "--results", str(place / "unused"), "--workers", "1"]
    return main(["run", str(place / "other.toml"), *where, "--device", "cpu", *more])


def test_two_workers_with_two_loaders_each(place: Path) -> None:
    command = [sys.executable, "-m", "nlbench", "run", str(place / "mine.toml")]
    where = ["--data", str(place), "--results", str(place / "results"), "--device", "cpu"]
    if cores() < 2:
        pytest.skip("two workers need two cores")
    done = subprocess.run(
        [*command, *where, "--workers", "2", "--loaders", "2"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "2 ok" in done.stderr
    for record in Store.open(place / "results/runs").records():
        alone = train(record.spec, Context(place, "cpu", 1, {"nlbench": "test"}))
        assert record.science() == alone.science()
        assert record.noise["details"]["truth"] == "unknown"
        assert [record.noise[name] for name in ("realised", "transition", "flipped")] == [None] * 3


@pytest.mark.parametrize("noise", ["given", "clean", "symmetric:0.4"])
@pytest.mark.parametrize("name", ["folder:mine", "npz:mine"])
def test_own_labels_are_what_the_noise_line_says(place: Path, name: str, noise: str) -> None:
    more = [('"folder:mine", size = 16', '"npz:mine"'), ('"random_crop_flip"', '"none"')]
    own = parsed(
        ('noise = ["given"]', f'model = "cnn_small"\nnoise = ["{noise}"]'),
        *(more if name == "npz:mine" else []),
    )
    assert plan.check(own.specs, place, CPU) == []
    record = train(own.specs[0], Context(place, "cpu", 1, {"nlbench": "test"}))
    assert record.status == "ok", record.error
    known = noise != "given"
    assert (record.noise["flipped"] is not None) == known
    assert (record.curves["clean_fit"] != ()) == known


@pytest.mark.parametrize(
    ("size", "model"),
    [("size = 8", "cnn_small"), ("size = 32", "cnn_small"), ("size = 95", "cnn_small"),
     ("size = 96", "resnet50")],
)  # fmt: skip
def test_without_a_network_the_size_decides(size: str, model: str) -> None:
    assert {spec.model for spec in parsed(("size = 16", size)).specs} == {model}


def test_the_default_network_of_other_data() -> None:
    def model(dataset: str) -> str:
        return parsed(('{ name = "folder:mine", size = 16 }', dataset)).specs[0].model

    assert model('{ name = "folder:mine" }') == "resnet50"
    assert model('{ name = "digits" }') == "cnn_small"
    assert model('{ name = "mini_webvision", size = 32 }') == "cnn_small"
    with pytest.raises(UserError, match=r"model is missing.*'npz:mine'.*name one of .*cnn8"):
        model('{ name = "npz:mine" }')


def test_small_images_are_not_enlarged_unasked(place: Path) -> None:
    unasked = parsed((", size = 16", ""))
    with pytest.raises(UserError, match=r"a side of 40 pixels .* enlarged to 224; write size = 40"):
        plan.check(unasked.specs, place, CPU)
    plan.check(parsed(("size = 16", "size = 64")).specs, place, CPU)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("folder:mine", "folder:nowhere", "'folder:nowhere' is not there"),
        (", size = 16", "", "enlarged to 224"),
        ("batch_size = 8", "batch_size = 11", "last batch of one of 12"),
        ("random_crop_flip", "crop_flip", "'crop_flip' is not for data set"),
        ("noise =", 'model = "resnet50"\nnoise =', "at least 32x32 pixels, not 16x16"),
        ('"folder:mine", size = 16', '"digits"', "labels of digits are clean"),
        ('"given"', '"instance:0.4"', "'folder:mine' is read from files"),
    ],
)
def test_a_dry_run_refuses_what_the_run_refuses(
    place: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, says: str
) -> None:
    text = SUITE.replace(old, new)
    if "digits" in text:
        text = text.replace("random_crop_flip", "none")
    for more in (["--dry-run"], []):
        assert run(place, text, *more) == 2
        assert says in capsys.readouterr().err
    assert list((place / "unused").rglob("*.json")) == []


def test_a_dry_run_names_what_the_run_would_download(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SUITE.replace('"folder:mine", size = 16', '"svhn"').replace("random_crop_flip", "none")
    assert run(place, text, "--dry-run") == 0
    assert "not checked: data set 'svhn' is not there yet: the run downloads it" in (
        capsys.readouterr().out
    )
    assert run(place, text, "--dry-run", "--no-download") == 2
    assert "'svhn' is not there and downloading is off" in capsys.readouterr().err


def test_a_dry_run_trains_no_network_for_its_noise(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nlbench.benchmark.labels.confidences.softmax", None)
    text = SUITE.replace('"folder:mine", size = 16', '"digits"').replace("random_crop_flip", "none")
    assert run(place, text.replace('"given"', '"confidence:0.2"'), "--dry-run") == 0
    out = capsys.readouterr().out
    assert "not checked: noise 'confidence:0.2" in out
    assert "drawn by the run: it trains a network first" in out


def test_a_backend_that_needs_images_in_memory_is_refused(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for more in (["--dry-run"], []):
        assert run(place, SUITE, "--backend", "stack", *more) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert "--backend loop trains on those" in lines[-1]
