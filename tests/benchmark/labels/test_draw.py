"""Labels of a run: what noise models are given, and foreign images in place."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nlbench import noise
from nlbench.benchmark.datasets.fit import fit
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.labels import confidences
from nlbench.benchmark.labels.draw import draw_labels
from nlbench.benchmark.labels.foreign_images import with_foreign_images
from nlbench.benchmark.pipeline.in_memory import resident
from nlbench.benchmark.pipeline.select import host, original_index
from nlbench.benchmark.runs.run import train
from nlbench.benchmark.spec.run_spec import DatasetSpec
from nlbench.benchmark.suites import suite as suites
from nlbench.noise import NoiseSpec, bench_files
from tests.helpers.runs import HERE, tiny

SMALL = DatasetSpec("digits", 30)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NLBENCH_CACHE", str(tmp_path / "cache"))


def test_the_index_finds_the_subset_in_the_full_set() -> None:
    full, part = host(DatasetSpec("digits"), None), host(SMALL, None)
    index = original_index(SMALL, None)
    assert index is not None
    assert np.array_equal(full.x_train[index], part.x_train)
    assert np.array_equal(full.y_train[index], part.y_train)
    assert original_index(DatasetSpec("digits"), None) is None


def test_confidences_are_probabilities_of_a_network_that_learned(tmp_path: Path) -> None:
    spec = DatasetSpec("digits", 90)
    values = confidences.softmax(spec, None, torch.device("cpu"))
    labels = host(spec, None).y_train
    assert values.shape == (900, 10)
    np.testing.assert_allclose(values.sum(1), 1, rtol=1e-5)
    assert (values.argmax(1) == labels).mean() > 0.8
    files = list((tmp_path / "cache" / "confidences").iterdir())
    assert len(files) == 1
    again = confidences.softmax(spec, None, torch.device("cpu"))
    assert np.array_equal(again, values)
    np.save(files[0], values[:5])
    with pytest.raises(UserError, match="remove it"):
        confidences.softmax(spec, None, torch.device("cpu"))


def test_confidence_noise_flips_where_the_network_is_least_sure() -> None:
    labels = draw_labels("confidence:0.2", SMALL, 0, None)
    values = confidences.softmax(SMALL, None, torch.device("cpu")).astype(np.float64)
    assert labels.realised_rate == pytest.approx(0.2)
    values[np.arange(300), labels.clean] = -1
    score = values.max(1)
    assert score[labels.flipped].min() >= score[~labels.flipped].max()


def test_a_subset_of_a_published_file_is_aligned(tmp_path: Path) -> None:
    full = host(DatasetSpec("digits"), None)
    noisy = (full.y_train + (np.arange(1000) % 7 == 0)) % 10
    np.save(tmp_path / "mine.npy", noisy)
    labels = draw_labels("file:mine.npy", SMALL, 0, tmp_path)
    index = original_index(SMALL, None)
    assert np.array_equal(labels.noisy, noisy[index])


def test_foreign_images_stand_where_the_labels_say() -> None:
    line = "openset:0.3:from=digits:pool=1000"
    labels = draw_labels(line, SMALL, 0, None)
    cpu = torch.device("cpu")
    data = resident(SMALL, None, cpu)
    changed = with_foreign_images(data, labels, None)
    assert labels.replaced is not None
    assert labels.source is not None
    pool = host(DatasetSpec("digits"), None).x_train
    for i in range(300):
        expected = pool[labels.source[i]] if labels.replaced[i] else data.dataset.x_train[i]
        assert np.array_equal(changed.x_train[i].numpy(), expected)
    assert np.array_equal(data.x_train.numpy(), data.dataset.x_train)
    assert labels.replaced.sum() == 90
    assert train(tiny(dataset=SMALL, noise=line), HERE).status == "ok"


def test_images_are_fitted_or_refused() -> None:
    grey = np.full((2, 1, 4, 4), 7, np.uint8)
    fitted = fit(grey, (3, 6, 6), "small")
    assert fitted.shape == (2, 3, 6, 6)
    assert fitted[:, :, 1:5, 1:5].min() == 7
    assert fitted.sum() == 7 * 2 * 3 * 16
    with pytest.raises(UserError, match="do not fit"):
        fit(grey, (1, 3, 3), "large")
    with pytest.raises(UserError, match="do not fit"):
        fit(fitted, (1, 6, 6), "coloured")


WRITTEN = ("labels.csv", "matrix.csv", "CIFAR-10_human.pt")
KINDS = {
    "clean": ("clean",),
    "symmetric": (
        "symmetric:0.4",
        "symmetric:0.4:true=include:count=overall",
        "symmetric:0.4:count=bernoulli",
        "symmetric:0.4:legacy=equal-count",
        "symmetric:0.4:legacy=truncated",
        "symmetric:0.4:legacy=pair-truncated",
    ),
    "asymmetric": (
        "asymmetric:0.4",
        "asymmetric:0.4:map=cdr",
        "asymmetric:0.4:count=bernoulli",
        "asymmetric:0.4:legacy=sequential:map=cifar10/standard",
        "asymmetric:0.4:legacy=truncated",
    ),
    "pair": ("pair:0.4",),
    "transition": ("transition:matrix.csv", "transition:matrix.csv:count=bernoulli"),
    "instance": (
        "instance:0.4",
        "instance:0.4:scale=unitnorm",
        "instance:0.4:scale=raw:bias=legacy",
        "instance:0.4:projection=shared",
    ),
    "confidence": ("confidence:0.2",),
    "pmd": ("pmd:0.35", "pmd:0.35:type=2", "pmd:0.35:type=3"),
    "openset": ("openset:0.3:from=digits:pool=1000",),
    "file": ("file:labels.csv",),
    "human": ("human:worse",),
    "mixture": ("symmetric:0.2+instance:0.2", "openset:0.2:from=digits:pool=1000+pair:0.2"),
}


def test_every_noise_model_runs_in_a_suite_by_its_line(tmp_path: Path) -> None:
    # `given` is for sets published with wrong labels, and has its own tests with them
    assert set(KINDS) == set(noise.names()) - {"given"}
    lines = [line for name in KINDS for line in KINDS[name]]
    full = host(DatasetSpec("digits"), None)
    for name in WRITTEN:
        bench_files.write(name, tmp_path, full.y_train, full.num_classes)
    path = tmp_path / "all.toml"
    path.write_text(
        'title = "Every noise model"\nbaseline = "ce"\nmethods = ["ce"]\nseeds = 1\n'
        f'model = "mlp"\nprofile = "matched"\nnoise = {json.dumps(lines)}\n'
        '[dataset]\nname = "digits"\ntrain_per_class = 40\n'
        "[recipe]\nepochs = 1\nbatch_size = 64\nlr = 0.05\n"
    )
    suite = suites.load(str(path))
    assert len(suite.specs) == len(lines)
    context = replace(HERE, root=tmp_path)
    for line, spec in zip(lines, suite.specs, strict=True):
        record = train(spec, context)
        assert record.status == "ok", (line, record.error)
        kind = NoiseSpec.parse(line).kind
        assert NoiseSpec.parse(record.noise["spec"]).kind == kind
        if kind != "clean":
            assert 0.08 < record.noise["realised"] < 0.5, line
