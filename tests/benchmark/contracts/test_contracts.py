"""Contracts hold for what is ours and for the templates, and find what is wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nlbench.benchmark.contracts import registry
from nlbench.benchmark.errors import UserError
from nlbench.cli.main import main
from nlbench.cli.new import KINDS, named

SHAPE = (3, 32, 32)
BAD = """
import math
import random
from dataclasses import dataclass
import numpy as np
import torch
from torch import nn
from nlbench.baselines import Method
from nlbench.benchmark.pipeline.augment_outside import Transform
from nlbench.benchmark.metrics import Metric
from nlbench.noise import Draw, Model

@dataclass(frozen=True, kw_only=True)
class Steep(Method):
    title = "Steep"
    family = "bounded"
    formula = "1 / p_y"
    source = "a test"
    def per_sample(self, logits, targets):
        return 1 / logits.softmax(1).gather(1, targets[:, None]).squeeze(1)

@dataclass(frozen=True, kw_only=True)
class First(Steep):
    def per_sample(self, logits, targets):
        return nn.functional.cross_entropy(logits, targets, reduction="none") * (1 + targets)

@dataclass(frozen=True, kw_only=True)
class Mean(Steep):
    def per_sample(self, logits, targets):
        losses = nn.functional.cross_entropy(logits, targets, reduction="none")
        return losses - losses.mean().detach()

@dataclass(frozen=True, kw_only=True)
class Dice(Steep):
    def per_sample(self, logits, targets):
        losses = nn.functional.cross_entropy(logits, targets, reduction="none")
        return losses * random.random()

def double(task):
    words = task.stream("flip").bit_generator.random_raw(len(task.labels))
    flipped = np.argsort(words)[: round(2 * task.rate * len(task.labels))]
    noisy = task.labels.copy()
    noisy[flipped] = (noisy[flipped] + 1) % task.num_classes
    return Draw(noisy)

def own(task):
    flipped = np.random.default_rng().permutation(len(task.labels))[:1500]
    noisy = task.labels.copy()
    noisy[flipped] = (noisy[flipped] + 1) % task.num_classes
    return Draw(noisy)

DOUBLE = Model("double", double, "twice", "a test", "")
OWN = Model("own", own, "own", "a test", "")

def drops(in_shape):
    return nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(math.prod(in_shape), 8)), 8

def idle(in_shape):
    class Body(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Linear(math.prod(in_shape), 8), nn.Linear(2, 2)
        def forward(self, x):
            return self.used(x.flatten(1))
    return Body(), 8

def inverts(images, numbers):
    images.mul_(2)
    return images

INVERTS = Transform(inverts, 1)
STILL = Transform(lambda x, u: x, 1)
DICE = Transform(lambda x, u: x.roll(torch.randint(1, 30, ()).item(), -1), 1)
ROLLED = Transform(lambda x, u: torch.where(u.mean() < 0.5, x.roll(1, 0), x.roll(2, 0)), 1)

class Deaf(torch.optim.SGD):
    def __init__(self, params, lr):
        super().__init__(params, lr=lr)
    def step(self, closure=None):
        for group in self.param_groups:
            for weight in group["params"]:
                weight.data.sub_(0.01 * weight.grad)

class Forgets(torch.optim.SGD):
    def __init__(self, params, lr):
        super().__init__(params, lr=lr)
        self.steps = 0
    def step(self, closure=None):
        self.steps += 1
        for group in self.param_groups:
            for weight in group["params"]:
                weight.data.sub_(group["lr"] / self.steps * weight.grad)

def metric(function, higher=True, bounds=(0.0, 1.0), **words):
    return Metric(name="x", title="x", unit="%", higher_is_better=higher, bounds=bounds,
                  function=function, **words)

def spoils(predictions):
    predictions.logits[:] = 0
    return 0.5

WRONG_MEAN = metric(lambda p: math.nan if p.correct.all() else p.confidence[~p.correct].mean())
VECTOR = metric(lambda p: p.correct)
BEYOND = metric(lambda p: p.losses.mean(), False)
SPOILS = metric(spoils)
RANDOM = metric(lambda p: random.random())
REVERSED = metric(lambda p: p.correct.mean(), False)
"""
MODULE = "nlbench_bad_parts_for_test"


@pytest.fixture
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / f"{MODULE}.py").write_text(BAD)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop(MODULE, None)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("gce", "method"),
        ("coteaching", "method"),
        ("symmetric", "noise"),
        ("instance", "noise"),
        ("cnn_small", "model"),
        ("crop_flip_rotate", "augmentation"),
        ("adamw", "optimizer"),
        *((name, "metric") for name in ("ece", "nll", "brier", "top5", "worst_class")),
        ("digits", "dataset"),
    ],
)
def test_what_is_ours_keeps_to_its_contract(name: str, kind: str) -> None:
    assert [f for f in registry.check(name, kind, SHAPE) if f.problem] == []


@pytest.mark.parametrize(
    ("name", "check", "problem"),
    [
        ("Steep", "Losses and gradients are finite", "a loss is inf at logits of 50"),
        ("First", "No class is treated otherwise", "when classes are renamed"),
        ("Mean", "The loss of a sample does not depend", "in a batch of one"),
        ("Dice", "Two runs of it have the same bits", "two runs of one seed differ"),
        ("DOUBLE", "The realised rate is the one asked for", "a share of 0.200 changes"),
        ("OWN", "The same seed gives the same labels", "task.stream(purpose) alone"),
        ("drops", "It draws nothing while it trains", "there is dropout"),
        ("idle", "Every parameter has a gradient", "body.unused.weight has none"),
        ("INVERTS", "Shape and type of the images stay", "change a copy"),
        ("STILL", "Some images are changed", "no image is changed"),
        ("DICE", "The same numbers change", "take those given"),
        ("ROLLED", "What becomes of an image", "two images alone become others"),
        ("Deaf", "At rate 0", "a step should read group['lr']"),
        ("Forgets", "Saved and restored", "must be in its state"),
        ("WRONG_MEAN", "It is one finite number", "all predictions right: metric"),
        ("VECTOR", "It is one finite number", "returned ndarray of shape (120,); it should return"),
        ("BEYOND", "It is one finite number", "outside its bounds 0 to 1"),
        ("SPOILS", "The predictions it is given are not", "it writes into logits: change a copy"),
        ("RANDOM", "The same predictions give", "it draws random numbers of its own"),
        ("REVERSED", "Right predictions are no worse", "but higher_is_better = False"),
    ],
)
@pytest.mark.usefixtures("bad")
def test_what_is_wrong_is_found(name: str, check: str, problem: str) -> None:
    part = f"{MODULE}:{name}"
    found = list(registry.check(part, registry.kind_of(part), SHAPE))
    (one,) = [f for f in found if f.check.startswith(check)]
    assert problem in one.problem
    assert "\n" not in one.problem


@pytest.mark.usefixtures("bad")
def test_what_is_no_part_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="is no part of a known kind"):
        registry.kind_of("sys:path")
    assert main(["check", f"{MODULE}:Stepe"]) == 2
    assert "has no 'Stepe'; did you mean 'Steep'?" in capsys.readouterr().err
    assert main(["check", f"{MODULE}:drops", "--kind", "modl"]) == 2
    assert "unknown kind of part 'modl'; did you mean 'model'?" in capsys.readouterr().err
    assert main(["check", f"{MODULE}:drops", "--images", "32"]) == 2
    assert "should be channels x height x width" in capsys.readouterr().err
    assert main(["check", f"{MODULE}:drops"]) == 1
    out = capsys.readouterr().out
    assert "FAILED  It draws nothing while it trains" in out
    assert f"model {MODULE}:drops: 1 check failed" in out


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_part_passes_its_contract(
    kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    module = f"new_{kind}_for_test"
    assert main(["new", kind, module, "--out", str(tmp_path)]) == 0
    part = capsys.readouterr().out.split()[-1]
    assert part == f"{module}:{named(KINDS[kind], module)}"
    assert (
        "template" not in (tmp_path / f"{module}.py").read_text().replace("a template", "").lower()
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(["check", part, "--kind", kind]) == 0
    out = capsys.readouterr().out
    assert out.endswith(f"{kind} {part}: all checks hold\n")
    assert main(["new", kind, module, "--out", str(tmp_path)]) == 2
    assert "is there already; it is not overwritten" in capsys.readouterr().err
    sys.modules.pop(module)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nois", "mine"], "unknown kind of part 'nois'; did you mean 'noise'?"),
        (["noise", "my-noise"], "name 'my-noise' should be one that Python can import"),
        (["noise", "class"], "name 'class' should be"),
    ],
)
def test_bad_names_of_new_parts_are_one_line(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", *words]) == 2
    assert message in capsys.readouterr().err
