"""Real-world sets from files to report, on small trees in their published layouts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nlbench import baselines
from nlbench.benchmark.datasets import FileDataset
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.pipeline.select import described
from nlbench.benchmark.runs import plan
from nlbench.benchmark.runs.context import Context
from nlbench.benchmark.runs.run import train
from nlbench.benchmark.spec.open_set import Unknown
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.spec.run_spec import DatasetSpec, MethodSpec, RunSpec
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.suites import suite
from nlbench.cli.main import main
from tests.helpers import image_trees as trees

SUITE = """
title = "real-world sets, small"
methods = ["ce", "drainage"]
noise = ["given"]
seeds = 1
model = "cnn_small"
[recipe]
epochs = 2
batch_size = 32
lr = 0.05
[[parts]]
dataset = { name = "mini_webvision", size = 16 }
profile = "official"
recipe = { augment = "resized_crop_flip_jitter", schedule = "exponential", gamma = 0.97 }
[[parts]]
dataset = { name = "clothing1m", size = 16 }
profile = "official"
recipe = { augment = "centre_cutout" }
[[parts]]
dataset = { name = "food101n", size = 16, holdout = 0.2 }
recipe = { augment = "random_crop_flip" }
[[parts]]
dataset = { name = "animal10n" }
recipe = { augment = "crop_flip" }
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trees of all sets below data/, and the suite's file."""
    root = tmp_path_factory.mktemp("real-world")
    for make in (trees.webvision, trees.clothing1m, trees.food101n, trees.animal10n):
        make(root / "data")
    (root / "small.toml").write_text(SUITE)
    return root


def run(place: Path, *more: str) -> int:
    where = ["--data", str(place / "data"), "--results", str(place / "results")]
    quiet = ["--device", "cpu", "--workers", "1", "--no-download"]
    return main(["run", str(place / "small.toml"), *where, *quiet, *more])


def test_from_files_to_report(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(place, "--loaders", "1", "--minutes", "0") == 1  # nothing is begun
    assert run(place, "--loaders", "1", "--methods", "ce") == 0
    store = Store.open(place / "results/runs")
    before = {record.run_id: record for record in store.records()}
    assert len(before) == 4
    assert run(place, "--loaders", "0") == 0
    records = {record.run_id: record for record in store.records()}
    assert len(records) == 8
    assert {run_id: records[run_id].timing for run_id in before} == {
        run_id: record.timing for run_id, record in before.items()
    }
    for record in records.values():
        check(record)
    out = place / "results/reports/small"
    where = ["--results", str(place / "results"), "--only", "tables"]
    assert main(["report", str(place / "small.toml"), *where]) == 0
    text = (out / "accuracy.md").read_text()
    for name in ("mini-WebVision", "Clothing1M", "Food-101N", "Animal-10N"):
        assert f"## {name}, cnn" in text
    rows = [line for line in text.splitlines() if line.startswith("| given")]
    assert len(rows) == 4
    assert all(row.split("|")[2:4] == rows[0].split("|")[2:4] for row in rows)
    assert "–" in rows[0].split("|")[2]
    elsewhere = (out / "test-sets.md").read_text()
    assert elsewhere.count("| ilsvrc") == 2
    assert "Clothing1M" not in elsewhere
    for record in records.values():
        for accuracy in record.evaluations.get("test_sets", {}).values():
            assert f"| {100 * accuracy:.2f} ± –" in " ".join(elsewhere.split())
    capsys.readouterr()


def check(record: RunRecord) -> None:
    """Nothing is claimed that nobody knows; what is known is there."""
    facts, curves = record.noise, record.curves
    assert record.status == "ok", record.error
    unknown = ("nominal", "realised", "per_class", "transition", "flipped")
    assert [facts[name] for name in unknown] == [None] * 5
    assert facts["details"]["truth"] == "unknown"
    for name in ("clean_fit", "flipped_fit_given", "flipped_fit_true", "drainage_clean"):
        assert curves[name] == ()
    assert len(curves["given_fit"]) == len(curves["train_loss"]) == 2
    assert ("drainage_all" in curves) == (record.spec.method.name == "drainage")
    held = record.spec.dataset.holdout > 0
    assert (len(curves["val_noisy"]), len(curves["val_clean"])) == (2 if held else 0, 0)
    assert (record.metrics["noisy_val"] is not None) == held
    assert record.metrics["clean_val"] is None
    wanted = {"test_sets"} if record.spec.dataset.name == "mini_webvision" else set()
    assert set(record.evaluations) == {"measures", *wanted}
    assert ("top5" in record.evaluations["measures"]) == (facts["num_classes"] > 20)
    assert json.loads(record.to_json())["spec"]["dataset"].get("size") == (
        None if record.spec.dataset.name == "animal10n" else 16
    )


def spec(dataset: DatasetSpec, noise: str = "given", **recipe: object) -> RunSpec:
    values = {"epochs": 1, "batch_size": 50, "lr": 0.01, **recipe}
    params = baselines.create("drainage", {}).params()
    method = MethodSpec.of("drainage", params)
    return RunSpec(dataset, "cnn_small", method, noise, 0, Recipe.from_dict(values))


def context(place: Path, loaders: int = 0) -> Context:
    return Context(place / "data", "cpu", 1, {"nlbench": "test"}, loaders=loaders)


def test_the_record_does_not_depend_on_who_decodes(place: Path) -> None:
    one = spec(DatasetSpec("mini_webvision", size=16), augment="resized_crop_flip_jitter")
    here, there = (train(one, context(place, loaders)) for loaders in (0, 2))
    assert here.status == "ok"
    assert here.science() == there.science()
    assert here.evaluations["test_sets"].keys() == {"ilsvrc"}


def test_resnet50_learns_from_files(place: Path) -> None:
    one = spec(DatasetSpec("mini_webvision_val", size=32), augment="resized_crop_flip")
    record = train(RunSpec(**{**vars(one), "model": "resnet50"}), context(place))
    assert record.status == "ok", record.error
    assert record.metrics["last"] is not None
    assert set(record.evaluations) == {"measures"}


def test_clean_folders_of_ones_own_take_any_label_noise(place: Path) -> None:
    trees.folder(place / "data")
    one = spec(DatasetSpec("folder:mine", size=16), "symmetric:0.4", augment="random_crop_flip")
    record = train(one, context(place))
    assert record.status == "ok", record.error
    assert record.noise["flipped"] == 5
    assert set(record.evaluations) == {"measures", "detection"}


@pytest.mark.parametrize(
    ("dataset", "noise", "augment", "words"),
    [
        ("clothing1m", "clean", "none", r"labels of clothing1m are noisy .* 'given'"),
        ("clothing1m", "symmetric:0.4", "none", r"labels of clothing1m are noisy .* 'given'"),
        ("digits", "given", "none", r"labels of digits are clean; .* 'clean' for these"),
        ("clothing1m", "given", "crop_flip", r"'crop_flip' is not for data set 'clothing1m'"),
        ("animal10n", "given", "centre_cutout", r"'centre_cutout' is not for data set 'animal10n'"),
    ],
)
def test_what_does_not_fit_is_refused_before_training(
    place: Path, dataset: str, noise: str, augment: str, words: str
) -> None:
    import torch

    one = spec(DatasetSpec(dataset), noise, augment=augment)
    with pytest.raises(UserError, match=words):
        plan.check([one], place / "data", torch.device("cpu"))
    assert train(one, context(place)).status == "failed"


def test_other_engines_name_the_one_that_can(place: Path) -> None:
    from nlbench.benchmark.training import BackendConfig

    one = spec(DatasetSpec("clothing1m", size=16))
    where = Context(place / "data", "cpu", 1, {"nlbench": "test"}, BackendConfig("stack"))
    record = train(one, where)
    assert record.status == "failed"
    assert "only loop can train on it" in str(record.error)


def test_unknown_classes_of_images_in_files(place: Path) -> None:
    data = DatasetSpec("clothing1m", size=16, holdout=0.2, unknown="classes:4:split=1")
    record = train(spec(data), context(place))
    assert record.status == "ok", record.error
    full = described(DatasetSpec("clothing1m", size=16), place / "data")
    known = Unknown(4, 1).known(full.num_classes)
    found = record.evaluations["open_set"]
    assert found["classes"] == [full.class_names[k] for k in known]
    assert found["known"] == int(np.isin(full.y_test, known).sum())
    assert found["unknown"] == len(full.y_test) - found["known"]
    assert found["validation"] > 0
    assert found["scores"]["drainage"]["threshold"] is not None
    part = described(data, place / "data")
    assert isinstance(full, FileDataset)
    assert isinstance(part, FileDataset)
    renamed = dict(zip(part.train.paths, part.train.labels.tolist(), strict=True))
    kept = [(p, k) for p, k in zip(full.train.paths, full.y_train, strict=True) if k in known]
    assert renamed == {path: known.index(k) for path, k in kept}


def test_a_folder_of_images_is_unknown(place: Path) -> None:
    sketches = place / "data" / "sketch"
    for number, name in enumerate(("n01/a.JPEG", "n01/b.png", "n02/deep/c.jpg")):
        (sketches / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 30), (80 * number, 40, 200)).save(sketches / name)
    (sketches / "readme.txt").write_text("no image")
    data = DatasetSpec("food101n", size=16, unknown="foreign:images:sketch")
    record = train(spec(data), context(place))
    assert record.status == "ok", record.error
    assert record.evaluations["open_set"]["unknown"] == 3
    assert record.evaluations["open_set"]["scores"].keys() >= {"msp", "energy", "drainage"}


def test_known_images_cannot_be_told_from_themselves(place: Path) -> None:
    trees.folder(place / "data")
    data = DatasetSpec("folder:mine", size=16, unknown="foreign:folder:mine")
    record = train(spec(data, "clean"), context(place))
    assert record.status == "ok", record.error
    for found in record.evaluations["open_set"]["scores"].values():
        assert found["auroc"] == pytest.approx(0.5)


def test_sizes_belong_to_files_and_unknowns_come_the_way_the_known_do(place: Path) -> None:
    import torch

    for dataset, words in (
        (DatasetSpec("digits", size=16), "size = 16 is for images that are read from files"),
        (DatasetSpec("clothing1m", unknown="foreign:digits"), "in memory; name a folder"),
        (DatasetSpec("clothing1m", unknown="foreign:images:none"), "no .jpg or .png file below"),
        (DatasetSpec("digits", unknown="foreign:images:sketch"), "'digits' is in memory"),
    ):
        with pytest.raises(UserError, match=words):
            plan.check([spec(dataset)], place / "data", torch.device("cpu"))
    with pytest.raises(UserError, match="size = 4 must be from 8 to 4096 pixels"):
        DatasetSpec("clothing1m", size=4)
    assert "size" not in DatasetSpec("digits").to_dict()


def test_shipped_suites_follow_the_published_protocols() -> None:
    web, clothing = suite.load("webvision"), suite.load("clothing1m")
    drained = {name: next(s for s in them.specs if s.method.name == "drainage")
               for name, them in (("web", web), ("clothing", clothing))}  # fmt: skip
    assert drained["web"].method.values == {"alpha": 0.1, "beta": 10.0}
    assert (drained["web"].recipe.l1, drained["web"].recipe.weight_decay) == (1e-5, 0.0)
    assert (drained["web"].recipe.lr, drained["web"].recipe.nesterov) == (0.4, True)
    assert drained["clothing"].method.values == {"alpha": 0.01, "beta": 100.0}
    assert drained["clothing"].recipe.lr == 1e-4
    assert {s.recipe.lr for s in clothing.specs if s.method.name != "drainage"} == {1e-3}
    assert clothing.specs[0].model == "resnet50_imagenet"
    human = suite.load("cifar-n")
    assert {(s.dataset.name, s.noise) for s in human.specs if s.noise != "clean"} == {
        ("cifar10", "human:aggre"),
        ("cifar10", "human:random1"),
        ("cifar10", "human:worse"),
        ("cifar100", "human:fine"),
    }
