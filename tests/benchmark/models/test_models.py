from __future__ import annotations

import pytest
import torch
import torchvision
from torch import nn

from nlbench.benchmark import models
from nlbench.benchmark.errors import UserError

CIFAR = (3, 32, 32)
# Smallest side of an image; of any other network 1.
SMALLEST = {"cnn_small": 8, "cnn4": 4, "cnn8": 8}


def filled(name: str, in_shape: tuple[int, int, int], outputs: int = 10) -> models.Classifier:
    """A network with weights from torch's own generator, in float64."""
    model = models.build(name, in_shape, outputs).double()
    generator = torch.Generator().manual_seed(0)
    for tensor in model.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(0.01, 0.1, generator=generator)
    return model


@pytest.mark.parametrize(
    ("name", "in_shape", "millions"),
    [
        ("cnn8", CIFAR, 1.64),
        ("resnet18", CIFAR, 11.17),
        ("resnet34", CIFAR, 21.28),
    ],
)
def test_sizes_of_the_published_networks(
    name: str, in_shape: tuple[int, int, int], millions: float
) -> None:
    model = models.build(name, in_shape, 10)
    assert round(sum(p.numel() for p in model.parameters()) / 1e6, 2) == millions


def test_layers_of_the_robust_loss_networks() -> None:
    def shapes(name: str, in_shape: tuple[int, int, int]) -> list[tuple[int, ...]]:
        layers = models.build(name, in_shape, 10).modules()
        kinds = (nn.Conv2d, nn.Linear)
        found = [layer for layer in layers if isinstance(layer, kinds)]
        assert all(layer.bias is not None for layer in found)
        return [tuple(layer.weight.shape) for layer in found]

    assert shapes("cnn4", (1, 28, 28)) == [(32, 1, 3, 3), (64, 32, 3, 3), (128, 3136), (10, 128)]
    assert shapes("cnn8", CIFAR) == [
        (64, 3, 3, 3),
        (64, 64, 3, 3),
        (128, 64, 3, 3),
        (128, 128, 3, 3),
        (196, 128, 3, 3),
        (196, 196, 3, 3),
        (256, 3136),
        (10, 256),
    ]
    assert shapes("mlp", (1, 28, 28)) == [(256, 784), (10, 256)]


@pytest.mark.parametrize("name", ["resnet18", "resnet34"])
@pytest.mark.parametrize("training", [True, False])
def test_resnets_equal_torchvision_with_a_cifar_stem(name: str, training: bool) -> None:
    theirs = getattr(torchvision.models, name)(num_classes=10).double()
    theirs.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False).double()
    theirs.maxpool = nn.Identity()
    ours = filled(name, CIFAR)
    source, target = ours.state_dict(), theirs.state_dict()
    assert [t.shape for t in source.values()] == [t.shape for t in target.values()]
    theirs.load_state_dict(dict(zip(target, source.values(), strict=True)))
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(2, 3, 20, 20, dtype=torch.float64, generator=generator)
    ours.train(training)
    theirs.train(training)
    with torch.no_grad():
        torch.testing.assert_close(ours(images), theirs(images), rtol=1e-12, atol=0)


# torchvision's ResNet-50 has tests of its own.
NAMES = [name for name in models.names() if models.get(name).scheme == "protocol"]
SIZES = [(name, (1, 8, 8)) for name in NAMES]
SIZES += [(n, s) for n in ("mlp", "cnn_small", "cnn4", "cnn8") for s in ((1, 28, 28), CIFAR)]
SIZES += [(n, (3, 9, 13)) for n in ("cnn_small", "cnn8", "resnet18")]


@pytest.mark.parametrize(("name", "shape"), SIZES)
def test_logits_of_every_size(name: str, shape: tuple[int, int, int]) -> None:
    model = filled(name, shape, outputs=11).eval()
    images = torch.rand(2, *shape, dtype=torch.float64)
    with torch.no_grad():
        logits = model(images)
        assert logits.shape == (2, 11)
        assert torch.equal(logits, model.head(model.features(images)))
        wide = images.contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(
            model.to(memory_format=torch.channels_last)(wide), logits, rtol=1e-10, atol=0
        )


@pytest.mark.parametrize("name", NAMES)
def test_contract_of_every_model(name: str) -> None:
    model = filled(name, (1, 8, 8), outputs=4).float()
    assert isinstance(model.head, nn.Linear)
    assert model.head.out_features == 4
    assert list(model.state_dict())[-2:] == ["head.weight", "head.bias"]
    assert not any(isinstance(m, nn.modules.dropout._DropoutNd) for m in model.modules())
    images = torch.rand(4, 1, 8, 8)
    model(images).square().sum().backward()
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_building_draws_nothing(name: str) -> None:
    before = torch.get_rng_state()
    model = models.build(name, (1, 8, 8), 3)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(not tensor.any() for tensor in model.state_dict().values())
    assert all(p.device.type == "cpu" and p.requires_grad for p in model.parameters())


def test_vectors_go_through_the_mlp() -> None:
    assert filled("mlp", (5, 1, 1), 2)(torch.rand(3, 5, 1, 1).double()).shape == (3, 2)


@pytest.mark.parametrize("name", NAMES)
def test_too_small_images_are_refused(name: str) -> None:
    least = SMALLEST.get(name, 1)
    assert filled(name, (1, least, least)).eval()(torch.rand(1, 1, least, least).double()).numel()
    if least > 1:
        with pytest.raises(
            UserError, match=f"{name}.*at least {least}x{least}.*not 20x{least - 1}"
        ):
            models.build(name, (1, 20, least - 1), 10)


def test_unknown_model_offers_the_nearest() -> None:
    with pytest.raises(
        UserError, match=r"unknown model 'resnet-18' in x\.toml; did you mean 'resn"
    ):
        models.check_name("resnet-18", "x.toml")
    with pytest.raises(UserError, match="unknown model"):
        models.build("nothing", CIFAR, 10)
    with pytest.raises(UserError, match="0 outputs"):
        models.build("mlp", CIFAR, 0)


def test_every_model_is_described() -> None:
    assert tuple(entry.name for entry in models.info()) == models.names()
    assert all(entry.description for entry in models.info())
