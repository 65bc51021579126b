"""Noise, network, augmentation and optimiser from one file outside the project."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nlbench import baselines, noise
from nlbench.benchmark import datasets, models
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.pipeline import augment, augment_kinds
from nlbench.benchmark.runs.part_sources import part_sources
from nlbench.benchmark.runs.run import train
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.spec.run_spec import DatasetSpec, RunSpec
from nlbench.benchmark.store.problems import problems
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.suspicious import kept
from nlbench.benchmark.training import limits, optimizer_outside
from nlbench.noise import NoiseError, NoiseSpec
from tests.helpers.runs import HERE, tiny

PARTS = """
import math
import numpy as np
import torch
from torch import nn
from nlbench.benchmark.pipeline.augment_outside import Transform
from nlbench.noise import Draw, Model, Option

def onward(task):
    chosen = np.argsort(task.stream("flip").bit_generator.random_raw(len(task.labels)))
    noisy = task.labels.copy()
    flipped = chosen[: round(task.rate * len(noisy))]
    noisy[flipped] = (noisy[flipped] + int(task.options["step"])) % task.num_classes
    return Draw(noisy)

STEP = Option("step", "classes further", default="1")
ONWARD = Model("onward", onward, "some classes further", "a test", "", options=(STEP,))
SHORT = Model("short", lambda task: Draw(task.labels[1:]), "", "", "")
BARE = Model("bare", lambda task: task.labels, "", "", "")
LOUD = Model("loud", lambda task: 1 / 0, "", "", "")
FAR = Model("far", lambda task: Draw(task.labels + 1), "", "", "")

def net(in_shape):
    layers = nn.Linear(math.prod(in_shape), 16), nn.LayerNorm(16), nn.Embedding(3, 2)
    class Body(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.norm, self.table = layers
            self.scale = nn.Parameter(torch.full((16,), 0.5))
        def forward(self, images):
            return self.scale * self.norm(self.one(images.flatten(1))) + self.table.weight.sum()
    return Body(), 16

def wide(in_shape):
    return nn.Flatten(), 7

def bare(in_shape):
    return nn.Flatten()

def loud(in_shape):
    raise KeyError("none")

MIRROR = Transform(lambda x, u: torch.where((u < 0.5)[:, :, None, None], x.flip(-1), x), 1)
FLOAT = Transform(lambda x, u: x.float(), 1)
EMPTY = Transform(lambda x, u: x, 0)

class Halved(torch.optim.SGD):
    def __init__(self, params, lr, momentum):
        super().__init__(params, lr=lr / 2, momentum=momentum)

def nothing(params, lr):
    return None
"""
DATA = """
import numpy as np
from nlbench.benchmark.datasets import Dataset, Source

def halves(source):
    labels = np.arange(120, dtype=np.int64) % 2
    images = np.repeat(np.uint8(200) * labels.astype(np.uint8), 16).reshape(120, 1, 4, 4)
    return Dataset(
        name=source.name, family=source.name, label="Halves", class_names=("a", "b"),
        x_train=images[:80], y_train=labels[:80], x_test=images[80:], y_test=labels[80:],
        mean=(0.4,), std=(0.4,),
    )

def renamed(source):
    made = halves(source)
    return Dataset(**{**{f: getattr(made, f) for f in made.__dataclass_fields__}, "name": "x"})

def none(source):
    return None

def loud(source):
    raise OSError("no disk")
"""
MINE = "nlbench_parts_for_test"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the file, importable for the length of a test."""
    (tmp_path / f"{MINE}.py").write_text(PARTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / f"{MINE}_data.py").write_text(DATA)
    yield tmp_path
    sys.modules.pop(MINE, None)
    sys.modules.pop(f"{MINE}_data", None)


def mine(**changes: str) -> RunSpec:
    parts = {
        "noise": f"{MINE}:ONWARD:0.4:step=2",
        "model": f"{MINE}:net",
        "augment": f"{MINE}:MIRROR",
        "optimizer": f"{MINE}:Halved",
    }
    return tiny(**{**parts, **changes})


@pytest.mark.usefixtures("here")
def test_a_run_of_parts_from_outside_is_trained_and_carries_their_sources() -> None:
    record = train(mine(), HERE)
    assert (record.status, record.error) == ("ok", None)
    assert problems(record) == []
    assert sorted(record.part_sources) == [
        f"augmentation {MINE}:MIRROR",
        f"model {MINE}:net",
        f"noise model {MINE}:ONWARD",
        f"optimizer {MINE}:Halved",
    ]
    assert RunRecord.from_json(record.to_json()) == record
    assert '"schema":2' in record.to_json()
    again = train(mine(), HERE)
    assert again.science() == record.science()
    other = train(replace(mine(), method=tiny("gce").method), HERE)
    assert other.pairing == record.pairing


def test_a_run_of_built_in_parts_has_no_word_of_them() -> None:
    assert part_sources(tiny()) == {}
    assert part_sources(tiny(noise="symmetric:0.2+pair:0.1", augment="crop_flip")) == {}


def test_an_edit_is_another_source(here: Path) -> None:
    before, folds = part_sources(mine()), kept.identity(mine(), "samples", 2)
    (here / f"{MINE}.py").write_text(PARTS + "\n# edited\n")
    assert part_sources(mine()) == before  # what this process has imported
    assert kept.identity(mine(), "samples", 2) == folds
    sys.modules.pop(MINE)
    importlib.invalidate_caches()
    assert set(part_sources(mine())) == set(before)
    assert set(part_sources(mine()).values()).isdisjoint(before.values())
    assert kept.identity(mine(), "samples", 2) != folds


@pytest.mark.usefixtures("here")
def test_noise_from_outside_has_a_line_like_ours() -> None:
    line = f"{MINE}:ONWARD:0.40:step=2"
    spec = NoiseSpec.parse(line)
    assert (spec.kind, spec.rate, spec.options) == (f"{MINE}:ONWARD", 0.4, (("step", "2"),))
    assert str(spec) == f"{MINE}:ONWARD:0.4:step=2"
    labels = np.arange(100) % 4
    made = noise.make(line, labels, num_classes=4, seed=0)
    assert made.realised_rate == 0.4
    assert set((made.noisy - labels) % 4) == {0, 2}
    both = noise.make(f"{MINE}:ONWARD:0.4+symmetric:0.1", labels, num_classes=4, seed=0)
    assert both.realised_rate > 0.3


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("humn:worse", "unknown noise model 'humn'; did you mean 'human'?; there is no module"),
        ("symetric:0.4", "unknown noise model 'symetric'; did you mean 'symmetric'?"),
        (f"{MINE}:ONWRD:0.4", "has no 'ONWRD'; did you mean 'ONWARD'?"),
        (f"{MINE}:ONWARD", "needs a rate, as in"),
        (f"{MINE}:ONWARD:0.4:stp=2", "unknown option 'stp'; did you mean 'step'?"),
        (f"{MINE}:onward:0.4", ": onward (function) should be a noise.Model("),
        (f"{MINE}:SHORT:0.4", "returned 99 labels for 100 samples"),
        (f"{MINE}:BARE:0.4", "returned ndarray; it should return noise.Draw(...)"),
        (f"{MINE}:LOUD:0.4", "raised ZeroDivisionError: division by zero"),
        (f"{MINE}:FAR:0.4", "noisy labels: 4 at index 3 is outside the 4 classes 0..3"),
    ],
)
@pytest.mark.usefixtures("here")
def test_bad_noise_is_one_line(line: str, message: str) -> None:
    with pytest.raises(NoiseError) as caught:
        noise.make(line, np.arange(100) % 4, num_classes=4, seed=0)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("here")
def test_first_weights_are_drawn_by_name_and_the_global_generator_goes_on() -> None:
    def weights(outputs: int, seed: int) -> dict[str, torch.Tensor]:
        network = models.build(f"{MINE}:net", (1, 4, 4), outputs)
        models.initialise(network, lambda name: noise.generator("test", seed, name), num_classes=4)
        return network.state_dict()

    before = torch.default_generator.get_state()
    four, five, other = weights(4, 0), weights(5, 0), weights(4, 1)
    assert torch.equal(torch.default_generator.get_state(), before)
    assert (four["body.scale"] == 0.5).all()
    assert (four["body.norm.weight"] == 1).all()
    for name, value in four.items():
        assert torch.equal(five[name][: len(value)], value)
    for name in ("body.one.weight", "body.table.weight", "head.weight"):
        assert not (four[name] == other[name]).any()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mpl", "unknown model 'mpl'; did you mean 'mlp'?"),
        (f"{MINE}:nett", "has no 'nett'; did you mean 'net'?"),
        (f"{MINE}:Halved", "Halved (class) should be a function in_shape -> (body, width"),
        (f"{MINE}:wide", "are (2, 16); by the width it states, 7, they should be (2, 7)"),
        (f"{MINE}:bare", "should be a pair (torch.nn.Module, width of its features)"),
        (f"{MINE}:loud", "for images 1x4x4 it raised KeyError: 'none'"),
    ],
)
@pytest.mark.usefixtures("here")
def test_bad_networks_are_one_line(name: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        models.build(name, (1, 4, 4), 4)
    assert message in str(caught.value)


def test_timm_is_refused_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(UserError, match=r"not installed: pip install 'nlbench\[timm\]'"):
        models.check_name("timm:resnet18")


def test_a_network_of_timm() -> None:
    pytest.importorskip("timm")
    with pytest.raises(UserError, match="did you mean resnet18"):
        models.check_name("timm:resnet_18")
    network = models.build("timm:vit_tiny_patch16_224", (1, 32, 32), 4)
    assert network(torch.zeros(2, 1, 32, 32)).shape == (2, 4)
    assert next(iter(part_sources(tiny(model="timm:resnet18")).values())).startswith("timm ")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("crop_flp", "unknown augmentation 'crop_flp'; did you mean 'crop_flip'?"),
        (f"{MINE}:net", "(function) should be a Transform(function, columns)"),
        (f"{MINE}:EMPTY", "columns = 0 should be a whole number from 1 on"),
        (f"{MINE}:FLOAT", "made (2, 1, 3, 3) float32 of (2, 1, 3, 3) uint8; shape and type"),
    ],
)
@pytest.mark.usefixtures("here")
def test_bad_augmentations_are_one_line(name: str, message: str) -> None:
    images = torch.zeros((2, 1, 3, 3), dtype=torch.uint8)
    with pytest.raises(UserError) as caught:
        augment.apply(images, augment.draw(name, 2, (3, 3), noise.generator("test")))
    assert message in str(caught.value)


@pytest.mark.usefixtures("here")
def test_an_augmentation_is_drawn_once_and_applied_to_the_rows_of_a_batch() -> None:
    images = torch.arange(4 * 9, dtype=torch.uint8).reshape(4, 1, 3, 3)
    plan = augment.draw(f"{MINE}:MIRROR", 4, (3, 3), noise.generator("test"))
    whole = augment.apply(images, plan)
    rows = torch.tensor([2, 0])
    assert torch.equal(augment.apply(images, plan[rows], rows), whole[rows])
    assert not torch.equal(whole, images)
    with pytest.raises(UserError, match="there is no strong view"):
        augment.draw(f"{MINE}:MIRROR", 4, (3, 3), noise.generator("test"), strong=True)
    with pytest.raises(UserError, match="whose images are read from files"):
        augment_kinds.check_fits(f"{MINE}:MIRROR", True, "clothing1m")


def _recipe(**changes: object) -> Recipe:
    return Recipe.from_dict({"epochs": 1, **changes})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: _recipe(optimizer="sdg"),
            "unknown optimizer 'sdg' in recipe; did you mean 'sgd'?",
        ),
        (lambda: _recipe(optimizer=f"{MINE}:Halfed"), "has no 'Halfed'; did you mean 'Halved'?"),
        (lambda: _recipe(optimizer=f"{MINE}:STEP"), "should be a class of torch.optim.Optimizer"),
        (lambda: _recipe(optimizer=f"{MINE}:net"), "takes in_shape; it should take lr, too"),
        (lambda: _recipe(optimizer=f"{MINE}:nothing"), "None (NoneType) should be a torch.optim"),
        (
            lambda: _recipe(optimizer=f"{MINE}:Halved", weight_decay=0.1),
            "weight_decay = 0.1 is not read by optimizer",
        ),
    ],
)
@pytest.mark.usefixtures("here")
def test_bad_optimisers_are_one_line(make: Callable[[], Recipe], message: str) -> None:
    with pytest.raises(UserError) as caught:
        optimizer_outside.check(make())
    assert message in str(caught.value)


@pytest.mark.usefixtures("here")
def test_what_may_not_be_recorded_is_trained_by_the_loop_alone() -> None:
    method = baselines.create("ce", {})
    assert limits.refusal("loop", method, mine().recipe) == ""
    reason = limits.refusal("graph", method, mine().recipe)
    assert "the recipe's optimizer is from outside and the recipe's augment is" in reason


@pytest.mark.usefixtures("here")
def test_a_data_set_from_outside_is_trained_on_and_its_source_recorded() -> None:
    name = f"{MINE}_data:halves"
    record = train(tiny(dataset=DatasetSpec(name)), HERE)
    assert (record.status, record.data_label) == ("ok", "Halves")
    assert list(record.part_sources) == [f"data set {name}"]
    assert datasets.family(name) == name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digts", "unknown data set 'digts'; did you mean 'digits'?"),
        ("npzz:mine", "unknown data set 'npzz:mine'"),
        (f"{MINE}_data:halvs", "has no 'halvs'; did you mean 'halves'?"),
        (f"{MINE}_data:Dataset", "Dataset (class) should be a function source -> Dataset"),
        (f"{MINE}_data:renamed", "calls itself 'x': name=source.name"),
        (f"{MINE}_data:none", "None (NoneType) should be a Dataset"),
        (f"{MINE}_data:loud", "raised OSError: no disk"),
    ],
)
@pytest.mark.usefixtures("here")
def test_bad_data_sets_are_one_line(name: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        datasets.find(name)
    assert message in str(caught.value)
