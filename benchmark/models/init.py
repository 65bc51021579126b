"""First weights: every parameter from its own generator, the head the same for K and K+1."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.models.registry import Classifier

GeneratorFor = Callable[[str], np.random.Generator]
_HEAD = "head"


def initialise(model: Classifier, generator_for: GeneratorFor, num_classes: int) -> None:
    """Draw all parameters and reset all buffers, in place.

    The rule is that of the public protocol code (APL, ALF, ANL, Drainage): convolution weights
    U(-b, b), b = sqrt(6 / fan_in) (Kaiming, ReLU gain); linear weights b = sqrt(6 / (fan_in +
    fan_out)) (Xavier); biases b = 1 / sqrt(fan_in) (torch's default, which that code leaves);
    batch norm 1 and 0, its running mean 0 and variance 1. Models of the scheme ``torchvision``
    (ResNet-50, as that code takes it from there) have torchvision's rule: convolution weights
    N(0, 2 / fan_out), linear weights and biases b = 1 / sqrt(fan_in).

    Each parameter has the generator ``generator_for(its name)``, so adding or widening a layer
    shifts no other. Numbers are drawn in float64 and then cast. The head always draws
    num_classes + 1 rows with fan_out = num_classes and keeps the first ``head.out_features``:
    networks with K and K+1 outputs agree bit for bit in everything but the last row. (Deviation:
    the public code uses fan_out = K+1 for a K+1 head, a bound smaller by 0.19 % for 256 features
    and K = 10.) Rows beyond K+1 come from the generator of "<name>/beyond".

    Parameters of other layers, which only networks from outside have, keep the constant that their
    code gave them; where it gave different numbers they are drawn anew, normal with the mean and
    the deviation of those.

    Raises:
        UserError: the head has fewer outputs than classes.
    """
    if model.head.out_features < num_classes:
        raise UserError(
            f"the head has {model.head.out_features} outputs; {num_classes} classes need as many"
        )
    for prefix, module in _owners(model):
        if isinstance(module, _BatchNorm):
            module.reset_parameters()
        elif isinstance(module, nn.Conv2d | nn.Linear):
            _initialise_weights(prefix, module, generator_for, num_classes, model.scheme)
        else:
            _initialise_others(prefix, module, generator_for)


def redraw(
    model: Classifier, inside: Sequence[str], generator_for: GeneratorFor, num_classes: int
) -> None:
    """Draw the parameters of some modules anew, by the rule of :func:`initialise`, in place.

    Args:
        model: trained, on any device.
        inside: names of modules; what is in them is drawn.
        generator_for: as there.
        num_classes: K.

    Raises:
        UserError: a layer has no rule: what its own code first gave it is not known any more.
    """
    for prefix, module in _owners(model):
        if not f"{prefix}.".startswith(tuple(f"{name}." for name in inside)):
            continue
        if isinstance(module, nn.Conv2d | nn.Linear):
            _initialise_weights(prefix, module, generator_for, num_classes, model.scheme)
        elif isinstance(module, _BatchNorm | nn.LayerNorm | nn.GroupNorm):
            module.reset_parameters()
        else:
            raise UserError(
                f"layer {prefix!r}, a {type(module).__name__}, cannot be drawn anew: there is a"
                " rule for convolutions, linear layers and normalisation"
            )


def init_fingerprint(model: Classifier, num_classes: int) -> str:
    """SHA-256 hex digest over all parameters and buffers, only the first K rows of the head.

    Taken right after :func:`initialise` it is the same for every method's network.
    """
    digest = hashlib.sha256(b"nlbench-init-1")
    for name, tensor in model.state_dict().items():
        kept = tensor[:num_classes] if name.startswith(f"{_HEAD}.") else tensor
        array = kept.detach().cpu().contiguous().numpy()
        portable = array.astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(f" {name} {portable.dtype.str}{portable.shape}".encode())
        digest.update(portable.tobytes())
    return digest.hexdigest()


def _owners(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Modules that own parameters themselves, with their names."""
    for name, module in model.named_modules():
        if any(True for _ in module.parameters(recurse=False)):
            yield name, module


def _initialise_weights(
    prefix: str,
    module: nn.Conv2d | nn.Linear,
    generator_for: GeneratorFor,
    num_classes: int,
    scheme: str,
) -> None:
    if scheme == "torchvision" and isinstance(module, nn.Conv2d):
        _torchvision_conv(prefix, module, generator_for)
        return
    fan_in = math.prod(module.weight.shape[1:])
    fan_out = num_classes if prefix == _HEAD else module.weight.shape[0]
    denominator = fan_in if isinstance(module, nn.Conv2d) else fan_in + fan_out
    bounds = {"weight": math.sqrt(6 / denominator), "bias": 1 / math.sqrt(fan_in)}
    if scheme == "torchvision":
        bounds["weight"] = bounds["bias"]
    rows = num_classes + 1 if prefix == _HEAD else module.weight.shape[0]
    for kind, bound in bounds.items():
        parameter = getattr(module, kind)
        if parameter is None:
            continue
        name = f"{prefix}.{kind}"
        values = _draw(name, rows, tuple(parameter.shape), generator_for) * bound
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(values))


def _initialise_others(prefix: str, module: nn.Module, generator_for: GeneratorFor) -> None:
    """Of a layer without a rule: what is constant stays, all else is drawn by its own name."""
    for kind, parameter in module.named_parameters(recurse=False):
        given = parameter.detach().double().numpy()
        if given.size == 0 or given.min() == given.max():
            continue
        drawn = generator_for(f"{prefix}.{kind}").standard_normal(given.shape)
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(given.mean() + given.std() * drawn))


def _torchvision_conv(prefix: str, conv: nn.Conv2d, generator_for: GeneratorFor) -> None:
    """Kaiming normal by fan_out; torchvision's residual networks have no convolution bias."""
    if conv.bias is not None:
        raise UserError(f"no initialisation rule for the bias of {prefix}")
    shape = tuple(conv.weight.shape)
    deviation = math.sqrt(2 / (shape[0] * math.prod(shape[2:])))
    values = generator_for(f"{prefix}.weight").standard_normal(shape, dtype=np.float32)
    with torch.no_grad():
        conv.weight.copy_(torch.from_numpy(values * np.float32(deviation)))


def _draw(
    name: str, rows: int, shape: tuple[int, ...], generator_for: GeneratorFor
) -> npt.NDArray[np.float64]:
    """U(-1, 1) of ``shape``, cut from ``rows`` rows, or continued where it needs more."""
    values = generator_for(name).random((rows, *shape[1:]))
    if shape[0] > rows:
        beyond = generator_for(f"{name}/beyond").random((shape[0] - rows, *shape[1:]))
        values = np.concatenate([values, beyond])
    return 2 * values[: shape[0]] - 1
