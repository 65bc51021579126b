"""torchvision's ResNet-50: its layers, its first weights, its published weights."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from scipy import stats

from nlbench import noise
from nlbench.benchmark import models
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.models import pretrained

SHAPE = (3, 32, 32)


@pytest.fixture(scope="module")
def drawn() -> models.Classifier:
    model = models.build("resnet50", SHAPE, 15)
    models.initialise(model, lambda name: noise.generator("test", name), 14)
    return model


def test_it_is_torchvisions_network(drawn: models.Classifier) -> None:
    theirs = torchvision.models.resnet50(num_classes=15)
    state = {
        key.removeprefix("body.").replace("head.", "fc."): tensor
        for key, tensor in drawn.state_dict().items()
    }
    theirs.load_state_dict(state)
    images = torch.rand(2, *SHAPE, generator=torch.Generator())
    with torch.no_grad():
        assert torch.equal(drawn.eval()(images), theirs.eval()(images))


def test_first_weights_follow_torchvisions_rule(drawn: models.Classifier) -> None:
    for name, module in drawn.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            deviation = math.sqrt(2 / (module.out_channels * math.prod(module.kernel_size)))
            values = module.weight.detach().numpy().ravel()[:4000]
            assert stats.kstest(values, stats.norm(0, deviation).cdf).pvalue > 1e-4, name
    bound = 1 / math.sqrt(2048)
    for tensor in (drawn.head.weight, drawn.head.bias):
        assert float(tensor.detach().abs().max()) <= bound
    values = drawn.head.weight.detach().numpy().ravel()
    assert stats.kstest(values, stats.uniform(-bound, 2 * bound).cdf).pvalue > 1e-4
    rows = {len(np.unique(row)) for row in values.reshape(15, -1)}
    assert min(rows) > 2000


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as torchvision publishes it: the digest of its content in its name."""
    folder = tmp_path_factory.mktemp("weights")
    body = torchvision.models.resnet50()
    torch.save(body.state_dict(), folder / "raw.pth")
    digest = hashlib.sha256((folder / "raw.pth").read_bytes()).hexdigest()[:8]
    return (folder / "raw.pth").rename(folder / f"resnet50-{digest}.pth")


def test_published_weights_fill_the_body_and_leave_the_head(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrained, "_address", lambda _name: f"https://example.org/{weights.name}")
    model = models.build("resnet50_imagenet", SHAPE, 14)
    models.load_weights(model, "resnet50_imagenet", weights.parent)
    theirs = torch.load(weights, weights_only=True)
    for key, tensor in model.body.state_dict().items():
        assert torch.equal(tensor, theirs[key])
    assert not model.head.weight.any()
    damaged = weights.with_name("resnet50-00000000.pth")
    damaged.write_bytes(b"not weights")
    monkeypatch.setattr(pretrained, "_address", lambda _name: f"https://example.org/{damaged.name}")
    with pytest.raises(UserError, match=r"resnet50-00000000\.pth: damaged"):
        models.load_weights(model, "resnet50_imagenet", weights.parent)


def test_absent_weights_are_named_and_not_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    with pytest.raises(UserError, match=r"no resnet50-11ad3fa6\.pth in .* get it from https"):
        models.weights_file("resnet50_imagenet", tmp_path)
    assert models.weights_file("resnet50", tmp_path) is None


def test_images_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UserError, match="3 channels, not 1"):
        models.build("resnet50", (1, 32, 32), 10)
    with pytest.raises(UserError, match="at least 32x32"):
        models.build("resnet50", (3, 28, 28), 10)
