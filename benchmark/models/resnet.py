"""Residual networks: small-image ones (3x3 stem, no max-pooling) and torchvision's ResNet-50."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.machine.vision import torchvision
from nlbench.benchmark.models.outside import Shape
from nlbench.benchmark.models.registry import ModelInfo, register

_WIDTHS = (64, 128, 256, 512)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with batch norm around a shortcut (He et al. 2016, option B)."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _conv(channels, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _conv(width, width, 3, 1)
        self.bn2 = nn.BatchNorm2d(width)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels != width:
            self.shortcut = nn.Sequential(_conv(channels, width, 1, stride), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) -> (N, width, H / stride, W / stride)."""
        out = functional.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out)) + self.shortcut(x)
        return functional.relu(out)


@register(ModelInfo(name="resnet18", description="ResNet-18, 3x3 stem, no max-pool"))
def resnet18(in_shape: Shape) -> tuple[nn.Module, int]:
    """ResNet-18 in its CIFAR form, [2, 2, 2, 2] basic blocks."""
    return _resnet(in_shape, (2, 2, 2, 2))


@register(ModelInfo(name="resnet34", description="ResNet-34, 3x3 stem, no max-pool"))
def resnet34(in_shape: Shape) -> tuple[nn.Module, int]:
    """ResNet-34 in its CIFAR form, [3, 4, 6, 3] basic blocks, as in ALF, ANL and Drainage.

    Global average pooling replaces their 4x4 pooling; for 32x32 images the two are the same.
    """
    return _resnet(in_shape, (3, 4, 6, 3))


@register(
    ModelInfo(
        name="resnet50",
        description="torchvision's ResNet-50 (7x7 stem, max-pool), from scratch",
        min_size=32,
        scheme="torchvision",
    )
)
def resnet50(in_shape: Shape) -> tuple[nn.Module, int]:
    """The ResNet-50 of torchvision, as the robust-loss papers train it on mini-WebVision."""
    return _torchvision_resnet50(in_shape)


@register(
    ModelInfo(
        name="resnet50_imagenet",
        description="torchvision's ResNet-50 from its ImageNet weights (IMAGENET1K_V2)",
        min_size=32,
        scheme="torchvision",
        weights="ResNet50_Weights.IMAGENET1K_V2",
    )
)
def resnet50_imagenet(in_shape: Shape) -> tuple[nn.Module, int]:
    """The ResNet-50 of torchvision before it is given its ImageNet weights (Clothing1M)."""
    return _torchvision_resnet50(in_shape)


def _torchvision_resnet50(in_shape: Shape) -> tuple[nn.Module, int]:
    if in_shape[0] != 3:
        raise UserError(f"torchvision's ResNet-50 takes images of 3 channels, not {in_shape[0]}")
    body = torchvision("models").resnet50()
    width = int(body.fc.in_features)
    body.fc = nn.Identity()
    return body, width


def _resnet(in_shape: Shape, depths: tuple[int, ...]) -> tuple[nn.Module, int]:
    channels = _WIDTHS[0]
    layers: list[nn.Module] = [_conv(in_shape[0], channels, 3, 1)]
    layers += [nn.BatchNorm2d(channels), nn.ReLU()]
    for stage, (width, depth) in enumerate(zip(_WIDTHS, depths, strict=True)):
        for block in range(depth):
            stride = 2 if stage > 0 and block == 0 else 1
            layers.append(BasicBlock(channels, width, stride))
            channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()), channels


def _conv(channels: int, width: int, kernel: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(channels, width, kernel, stride, padding=kernel // 2, bias=False)
