from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from nlbench.benchmark import models
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.models.init import GeneratorFor

SHAPE = (3, 8, 8)
# resnet34 has the layers of resnet18, only more of them; torchvision's network has its own tests.
NAMES = [n for n in models.names() if n != "resnet34" and models.get(n).scheme == "protocol"]


def generators(seed: int = 0) -> GeneratorFor:
    def generator_for(name: str) -> np.random.Generator:
        key = int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:16], "little")
        return np.random.Generator(np.random.Philox(key=key))

    return generator_for


def network(name: str, outputs: int = 10, seed: int = 0, classes: int = 10) -> models.Classifier:
    model = models.build(name, SHAPE, outputs)
    models.initialise(model, generators(seed), classes)
    return model


@pytest.mark.parametrize("name", NAMES)
def test_an_extra_output_changes_nothing_else(name: str) -> None:
    plain, extra, more = network(name, 10), network(name, 11), network(name, 14)
    for key, tensor in plain.state_dict().items():
        for other in (extra, more):
            kept = other.state_dict()[key]
            assert torch.equal(tensor, kept[:10] if key.startswith("head.") else kept), key
    assert torch.equal(extra.head.weight, more.head.weight[:11])
    assert torch.equal(extra.head.bias, more.head.bias[:11])
    assert extra.head.weight[10].abs().min() > 0
    prints = {models.init_fingerprint(model, 10) for model in (plain, extra, more)}
    assert len(prints) == 1


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_uniform_on_its_interval(name: str) -> None:
    model = network(name, 11)
    for prefix, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(layer.weight)
            if isinstance(layer, nn.Conv2d):
                deviation = math.sqrt(2 / fan_in)  # Kaiming, ReLU gain
            else:
                deviation = math.sqrt(2 / (fan_in + (10 if prefix == "head" else fan_out)))
            check_uniform(layer.weight, deviation * math.sqrt(3))
            if layer.bias is not None:
                check_uniform(layer.bias, 1 / math.sqrt(fan_in))


def check_uniform(values: torch.Tensor, bound: float) -> None:
    array = values.detach().double().numpy().ravel()
    assert np.abs(array).max() <= bound * (1 + 1e-6)
    assert stats.kstest(array[:20_000], stats.uniform(-bound, 2 * bound).cdf).pvalue > 1e-4


def test_batch_norm_starts_at_identity_even_after_training() -> None:
    model = network("cnn_small")
    wanted = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    model(torch.rand(8, *SHAPE)).sum().backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
    models.initialise(model, generators(), 10)
    for key, tensor in model.state_dict().items():
        assert torch.equal(tensor, wanted[key]), key
    norm = next(layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d))
    assert norm.running_var is not None
    assert norm.running_mean is not None
    assert norm.weight.eq(1).all()
    assert norm.bias.eq(0).all()
    assert norm.running_var.eq(1).all()
    assert norm.running_mean.eq(0).all()


def test_parameters_have_generators_of_their_own() -> None:
    asked: list[str] = []
    base, other = generators(0), generators(1)

    def one_changed(name: str) -> np.random.Generator:
        asked.append(name)
        return other(name) if name == "body.3.weight" else base(name)

    reference = network("cnn8")
    model = models.build("cnn8", SHAPE, 10)
    models.initialise(model, one_changed, 10)
    layers = (nn.Conv2d, nn.Linear)
    named = model.named_modules()
    owned = [f"{p}.{k}" for p, m in named if isinstance(m, layers) for k in ("weight", "bias")]
    assert sorted(asked) == sorted(owned)
    changed = [
        key
        for key, tensor in model.state_dict().items()
        if not torch.equal(tensor, reference.state_dict()[key])
    ]
    assert changed == ["body.3.weight"]


def test_single_precision_is_the_rounded_double() -> None:
    double = models.build("cnn4", SHAPE, 10).double()
    models.initialise(double, generators(), 10)
    single = network("cnn4")
    for key, tensor in double.state_dict().items():
        assert torch.equal(tensor.to(single.state_dict()[key].dtype), single.state_dict()[key])
    drawn = generators()("head.weight").random((11, 128))[:10]
    wanted = (2 * drawn - 1) * math.sqrt(6 / 138)
    np.testing.assert_allclose(double.head.weight.detach().numpy(), wanted, rtol=1e-15)


def test_fingerprint_sees_every_number_but_the_extra_rows() -> None:
    model = network("cnn_small", 11)
    before = models.init_fingerprint(model, 10)
    for key, tensor in model.state_dict().items():
        if not tensor.is_floating_point():
            continue
        flat = tensor.view(-1)
        flat[0] += 0.5
        assert models.init_fingerprint(model, 10) != before, key
        flat[0] -= 0.5
    model = network("cnn_small", 11)
    with torch.no_grad():
        model.head.weight[10] = 7
    assert models.init_fingerprint(model, 10) == before
    assert models.init_fingerprint(network("cnn_small", 11, seed=1), 10) != before
    wide = network("cnn_small", 11).to(memory_format=torch.channels_last)
    assert models.init_fingerprint(wide, 10) == before


def test_golden_first_weights() -> None:
    """The weights behind every published run: they must not change unnoticed."""
    assert models.init_fingerprint(network("cnn_small"), 10) == (
        "6355d269e008e99a785609db08068f150b53a2e8bd7e58707031246bbc175a53"
    )


def test_fewer_outputs_than_classes_are_refused() -> None:
    with pytest.raises(UserError, match="9 outputs; 10 classes"):
        network("mlp", 9)


def test_a_layer_without_a_rule_keeps_its_constants_and_draws_the_rest_by_name() -> None:
    model = models.build("mlp", SHAPE, 10)
    norm, embedding = nn.LayerNorm(256), nn.Embedding(300, 4)
    torch.nn.init.normal_(embedding.weight, 3.0, 0.5, torch.Generator().manual_seed(1))
    model.body = nn.Sequential(model.body, norm, embedding)
    given = embedding.weight.detach().clone()
    models.initialise(model, generators(), 10)
    assert (norm.weight == 1).all()
    assert not (embedding.weight == given).any()
    assert abs(embedding.weight.mean().item() - 3.0) < 0.1
    assert abs(embedding.weight.std().item() - 0.5) < 0.05
