"""Plain convolutional networks: a small one, and the two of the robust-loss papers."""

from __future__ import annotations

from torch import nn

from nlbench.benchmark.models.outside import Shape
from nlbench.benchmark.models.registry import ModelInfo, register


@register(
    ModelInfo(
        name="cnn_small",
        description="3x (3x3 conv 16-32-48, batch norm, ReLU, max-pool), linear head",
        min_size=8,
    )
)
def cnn_small(in_shape: Shape) -> tuple[nn.Module, int]:
    """Three 3x3 convolutions (16, 32, 48; no bias), each followed by max-pooling of 2."""
    widths = (16, 32, 48)
    layers: list[nn.Module] = []
    channels = in_shape[0]
    for width in widths:
        layers += _pooled(*_conv(channels, width, bias=False))
        channels = width
    return nn.Sequential(*layers, nn.Flatten()), channels * _area(in_shape, len(widths))


@register(
    ModelInfo(
        name="cnn4",
        description="the MNIST network of the robust-loss papers: conv 32, conv 64, fc 128",
        min_size=4,
    )
)
def cnn4(in_shape: Shape) -> tuple[nn.Module, int]:
    """Two 3x3 convolutions with max-pooling, one hidden layer of 128, all with batch norm.

    The 4-layer network of Ma et al. 2020 (APL) and its successors, as in their public code:
    convolutions keep their bias.
    """
    layers = (*_pooled(*_conv(in_shape[0], 32)), *_pooled(*_conv(32, 64)))
    return nn.Sequential(*layers, *_hidden(64 * _area(in_shape, 2), 128)), 128


@register(
    ModelInfo(
        name="cnn8",
        description="the 8-layer CIFAR-10 network of the robust-loss papers: 64-128-196, fc 256",
        min_size=8,
    )
)
def cnn8(in_shape: Shape) -> tuple[nn.Module, int]:
    """Three pairs of 3x3 convolutions (64, 128, 196), one hidden layer of 256, all batch norm.

    The 8-layer network of Ma et al. 2020 (APL), also of ALF, ANL, eps-softmax and Drainage, as in
    their public code: convolutions keep their bias, 196 channels, max-pooling after each pair.
    """
    widths = (64, 128, 196)
    layers: list[nn.Module] = []
    channels = in_shape[0]
    for width in widths:
        layers += [*_conv(channels, width), *_pooled(*_conv(width, width))]
        channels = width
    flat = channels * _area(in_shape, len(widths))
    return nn.Sequential(*layers, *_hidden(flat, 256)), 256


def _conv(channels: int, width: int, bias: bool = True) -> tuple[nn.Module, ...]:
    conv = nn.Conv2d(channels, width, kernel_size=3, padding=1, bias=bias)
    return conv, nn.BatchNorm2d(width), nn.ReLU()


def _pooled(conv: nn.Module, norm: nn.Module, relu: nn.Module) -> tuple[nn.Module, ...]:
    """Max-pooling of 2 before ReLU: the values and gradients of the other order, cheaper.

    ReLU is monotone, so the two commute, and it is applied to a quarter of the values.
    """
    return conv, norm, nn.MaxPool2d(2), relu


def _hidden(flat: int, width: int) -> tuple[nn.Module, ...]:
    return nn.Flatten(), nn.Linear(flat, width), nn.BatchNorm1d(width), nn.ReLU()


def _area(in_shape: Shape, pools: int) -> int:
    """Pixels left after ``pools`` max-poolings of 2."""
    return (in_shape[1] >> pools) * (in_shape[2] >> pools)
