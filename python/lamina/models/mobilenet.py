"""MobileNetV2 (Sandler et al., arXiv:1801.04381) with torchvision's names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import nn
from .._C import Tensor
from . import _checks
from ._blocks import conv_norm, divisible, init_convs, init_linears
from ._model import Model


@dataclass
class MobileNetV2Config:
    """Sizes of a MobileNetV2; a stem_stride of 1 suits small images."""

    # one tuple a stage: expansion, channels, blocks, stride of the first block
    stages: tuple[tuple[int, ...], ...] = (
        *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
        *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
    )
    width_mult: float = 1.0
    channels: int = 3
    classes: int = 1000
    stem: int = 32  # channels of the first convolution
    stem_stride: int = 2
    last: int = 1280  # channels before the mean pool
    dropout: float = 0.2

    def __post_init__(self) -> None:
        fields = ("expansion", "channels", "blocks", "stride")
        self.stages = _checks.stages("MobileNetV2Config", self.stages, fields)
        sizes = {n: getattr(self, n) for n in ("channels", "classes", "stem", "stem_stride", "last")}
        _checks.whole("MobileNetV2Config", **sizes)
        _checks.number("MobileNetV2Config", 1e-3, 1000, width_mult=self.width_mult)
        _checks.number("MobileNetV2Config", 0, 1, dropout=self.dropout)


class InvertedResidual(nn.Module):
    """1x1 widening, 3x3 depthwise, 1x1 linear narrowing: (N, inputs, H, W) -> (N, outputs, H / stride, W / stride)."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        widening = [conv_norm(inputs, wide, 1, activation=nn.ReLU6)] if expansion != 1 else []
        depthwise = conv_norm(wide, wide, 3, stride, groups=wide, activation=nn.ReLU6)
        self.conv = nn.Sequential(*widening, depthwise, *conv_norm(wide, outputs, 1))
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return x + out if self.residual else out


class MobileNetV2(Model):
    """(N, channels, H, W) -> logits (N, classes), for any H, W >= 1.

    Keys are torchvision's: features.0.0, features.1.conv.0.0 ..., classifier.1.

    >>> import lamina
    >>> net = lamina.models.MobileNetV2(width_mult=0.25, stem_stride=1, channels=1, classes=10, last=64)
    >>> net(lamina.zeros(2, 1, 8, 8)).shape
    (2, 10)
    """

    def __init__(self, config: MobileNetV2Config | None = None, **overrides: Any) -> None:
        super().__init__()
        self.config = config = Model.configure(MobileNetV2Config, config, overrides)
        inputs = divisible(config.stem * config.width_mult)
        layers: list[nn.Module] = [conv_norm(config.channels, inputs, 3, config.stem_stride, activation=nn.ReLU6)]
        for expansion, channels, blocks, stride in config.stages:
            outputs = divisible(channels * config.width_mult)
            for k in range(blocks):
                layers.append(InvertedResidual(inputs, outputs, stride if k == 0 else 1, expansion))
                inputs = outputs
        last = divisible(config.last * max(1.0, config.width_mult))
        layers.append(conv_norm(inputs, last, 1, activation=nn.ReLU6))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(last, config.classes))
        init_convs(self)
        init_linears(self)

    def forward(self, x: Tensor) -> Tensor:
        _checks.check_images("MobileNetV2", x, self.config.channels)
        logits: Tensor = self.classifier(self.features(x).mean((2, 3)))
        return logits


def mobilenet_v2(**overrides: Any) -> MobileNetV2:
    """MobileNetV2, 3,504,872 parameters: (N, 3, H, W) -> (N, 1000).

    >>> import lamina
    >>> lamina.models.mobilenet_v2(width_mult=0.1, last=32).eval()(lamina.zeros(1, 3, 32, 32)).shape
    (1, 1000)
    """
    return MobileNetV2(**overrides)
