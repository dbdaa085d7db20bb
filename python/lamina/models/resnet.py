"""ResNet (He, Zhang, Ren and Sun, arXiv:1512.03385) with torchvision's names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import nn
from .._C import Tensor
from . import _checks
from ._blocks import init_convs
from ._model import Model


@dataclass
class ResNetConfig:
    """Sizes of a ResNet; the defaults are ResNet-18."""

    block: str = "basic"  # or "bottleneck"
    layers: tuple[int, ...] = (2, 2, 2, 2)  # blocks per stage
    channels: int = 3
    classes: int = 1000
    width: int = 64  # channels of the first stage, doubled by each stage
    stem: str = "large"  # 7x7 with stride 2 and a max-pool; "small": 3x3 with stride 1, for images up to 64x64
    zero_init_residual: bool = False  # each block starts as the identity (arXiv:1706.02677)

    def __post_init__(self) -> None:
        _checks.wholes("ResNetConfig", most=9999, layers=self.layers)
        self.layers = tuple(self.layers)
        _checks.whole("ResNetConfig", channels=self.channels, classes=self.classes, width=self.width)
        _checks.choice("ResNetConfig", ("basic", "bottleneck"), block=self.block)
        _checks.choice("ResNetConfig", ("large", "small"), stem=self.stem)
        _checks.flag("ResNetConfig", zero_init_residual=self.zero_init_residual)


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module | None:
    """A 1x1 convolution where the block changes the shape."""
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(_conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut: (N, inputs, H, W) -> (N, width, H / stride, W / stride)."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = _conv(inputs, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _conv(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(inputs, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        out = out + (x if self.downsample is None else self.downsample(x))
        result: Tensor = out.relu()
        return result


class Bottleneck(nn.Module):
    """1x1, 3x3 (with the stride) and 1x1 convolutions: (N, inputs, H, W) -> (N, 4 width, H / stride, W / stride)."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = _conv(inputs, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _conv(width, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = _conv(width, 4 * width, 1)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = _shortcut(inputs, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn1(self.conv1(x)).relu()
        out = self.bn3(self.conv3(self.bn2(self.conv2(out)).relu()))
        out = out + (x if self.downsample is None else self.downsample(x))
        result: Tensor = out.relu()
        return result


class ResNet(Model):
    """(N, channels, H, W) -> logits (N, classes), for any H, W >= 1.

    Keys are torchvision's: conv1, bn1, layer1.0.conv1 ..., layer2.0.downsample.0 ..., fc.

    >>> import lamina
    >>> net = lamina.models.ResNet(layers=(1, 1), width=8, stem="small", channels=1, classes=10)
    >>> net(lamina.zeros(5, 1, 8, 8)).shape
    (5, 10)
    """

    def __init__(self, config: ResNetConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        self.config = config = Model.configure(ResNetConfig, config, overrides)
        small = config.stem == "small"
        self.conv1 = _conv(config.channels, config.width, *((3, 1) if small else (7, 2)))
        self.bn1 = nn.BatchNorm2d(config.width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, 2, 1)
        block = BasicBlock if config.block == "basic" else Bottleneck
        inputs = config.width
        self._stages = [f"layer{i + 1}" for i in range(len(config.layers))]
        for i, (name, count) in enumerate(zip(self._stages, config.layers, strict=True)):
            width = config.width * 2**i
            blocks: list[nn.Module] = []
            for k in range(count):
                blocks.append(block(inputs, width, 2 if i > 0 and k == 0 else 1))
                inputs = width * block.expansion
            self.add_module(name, nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(inputs, config.classes)
        init_convs(self)
        if config.zero_init_residual:
            for module in self.modules():
                if isinstance(module, BasicBlock | Bottleneck):
                    last = module.bn3 if isinstance(module, Bottleneck) else module.bn2
                    nn.init.zeros_(last.get_parameter("weight"))

    def features(self, x: Tensor) -> Tensor:
        """What the last stage gives: (N, channels, H, W) -> (N, F, H', W')."""
        _checks.check_images("ResNet", x, self.config.channels)
        x = self.maxpool(self.bn1(self.conv1(x)).relu())
        for name in self._stages:
            x = getattr(self, name)(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc(self.avgpool(self.features(x)).flatten(1))
        return logits


def resnet18(**overrides: Any) -> ResNet:
    """ResNet-18, 11,689,512 parameters: (N, 3, H, W) -> (N, 1000).

    >>> import lamina
    >>> lamina.models.resnet18(width=4, classes=10)(lamina.zeros(2, 3, 32, 32)).shape
    (2, 10)
    """
    return ResNet(**{"block": "basic", "layers": (2, 2, 2, 2), **overrides})


def resnet34(**overrides: Any) -> ResNet:
    """ResNet-34, 21,797,672 parameters: (N, 3, H, W) -> (N, 1000).

    >>> import lamina
    >>> lamina.models.resnet34(width=4).config.layers
    (3, 4, 6, 3)
    """
    return ResNet(**{"block": "basic", "layers": (3, 4, 6, 3), **overrides})


def resnet50(**overrides: Any) -> ResNet:
    """ResNet-50, 25,557,032 parameters: (N, 3, H, W) -> (N, 1000).

    >>> import lamina
    >>> lamina.models.resnet50(width=4).fc.in_features
    128
    """
    return ResNet(**{"block": "bottleneck", "layers": (3, 4, 6, 3), **overrides})
