"""EfficientNet (Tan and Le, arXiv:1905.11946) with torchvision's names; the defaults are B0."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .. import _C, nn
from .._C import Tensor
from . import _checks
from ._blocks import conv_norm, divisible, init_convs
from ._model import Model


@dataclass
class EfficientNetConfig:
    """Sizes of an EfficientNet: B0; B1 to B4 are width_mult 1.0, 1.1, 1.2, 1.4 with depth_mult 1.1, 1.2, 1.4, 1.8."""

    # one tuple a stage: expansion, kernel, stride of the first block, channels, blocks
    stages: tuple[tuple[int, ...], ...] = (
        *((1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3)),
        *((6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1)),
    )
    width_mult: float = 1.0
    depth_mult: float = 1.0
    channels: int = 3
    classes: int = 1000
    stem: int = 32  # channels of the first convolution
    stem_stride: int = 2  # 1 for small images
    dropout: float = 0.2
    stochastic_depth: float = 0.2  # chance of dropping the last block; falls linearly to 0 at the first

    def __post_init__(self) -> None:
        fields = ("expansion", "kernel", "stride", "channels", "blocks")
        self.stages = _checks.stages("EfficientNetConfig", self.stages, fields)
        for stage in self.stages:
            if stage[1] % 2 == 0:
                raise ValueError(f"EfficientNetConfig: kernels must be odd, got {stage[1]} in stage {stage}")
        sizes = {n: getattr(self, n) for n in ("channels", "classes", "stem", "stem_stride")}
        _checks.whole("EfficientNetConfig", **sizes)
        _checks.number("EfficientNetConfig", 1e-3, 1000, width_mult=self.width_mult, depth_mult=self.depth_mult)
        _checks.number("EfficientNetConfig", 0, 1, dropout=self.dropout, stochastic_depth=self.stochastic_depth)


class SqueezeExcitation(nn.Module):
    """Weighs each channel by what all channels hold on average (arXiv:1709.01507): (N, C, H, W) -> (N, C, H, W)."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        scale: Tensor = self.fc2(nn.functional.silu(self.fc1(self.avgpool(x)))).sigmoid()
        return x * scale


class StochasticDepth(nn.Module):
    """In training, zeroes whole rows with probability p, the rest / (1 - p) (arXiv:1603.09382): (N, *) -> (N, *).

    >>> import lamina
    >>> lamina.models.efficientnet.StochasticDepth(0.5).eval()(lamina.ones(2, 1)).tolist()
    [[1.0], [1.0]]
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        _checks.number("StochasticDepth", 0, 1, p=p)
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        keep = _C.empty((x.shape[0],) + (1,) * (len(x.shape) - 1), dtype=x.dtype, device=x.device)
        return x * (keep.bernoulli_(1 - self.p) / (1 - self.p))

    def extra_repr(self) -> str:
        return f"p={self.p}"


class MBConv(nn.Module):
    """1x1 widening, k x k depthwise, squeeze-excitation, 1x1 narrowing, shortcut: (N, inputs, H, W) -> (N, outputs,
    H / stride, W / stride)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int, drop: float) -> None:
        super().__init__()
        wide = divisible(inputs * expansion)
        layers: list[nn.Module] = [conv_norm(inputs, wide, 1, activation=nn.SiLU)] if wide != inputs else []
        layers.append(conv_norm(wide, wide, kernel, stride, groups=wide, activation=nn.SiLU))
        layers.append(SqueezeExcitation(wide, max(1, inputs // 4)))
        layers.append(conv_norm(wide, outputs, 1))
        self.block = nn.Sequential(*layers)
        self.stochastic_depth = StochasticDepth(drop)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.block(x)
        if self.residual:
            out = self.stochastic_depth(out) + x
        return out


class EfficientNet(Model):
    """(N, channels, H, W) -> logits (N, classes), for any H, W >= 1.

    Keys are torchvision's: features.0.0, features.1.0.block.0.0 ..., block.1.fc1 ..., classifier.1.

    >>> import lamina
    >>> net = lamina.models.EfficientNet(width_mult=0.25, stem_stride=1, channels=1, classes=10)
    >>> net(lamina.zeros(2, 1, 8, 8)).shape
    (2, 10)
    """

    def __init__(self, config: EfficientNetConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        self.config = config = Model.configure(EfficientNetConfig, config, overrides)
        inputs = divisible(config.stem * config.width_mult)
        counts = [math.ceil(stage[4] * config.depth_mult) for stage in config.stages]
        layers: list[nn.Module] = [conv_norm(config.channels, inputs, 3, config.stem_stride, activation=nn.SiLU)]
        place, total = 0, sum(counts)
        for (expansion, kernel, stride, channels, _), count in zip(config.stages, counts, strict=True):
            outputs = divisible(channels * config.width_mult)
            blocks: list[nn.Module] = []
            for k in range(count):
                drop = config.stochastic_depth * place / total
                blocks.append(MBConv(inputs, outputs, kernel, stride if k == 0 else 1, expansion, drop))
                inputs, place = outputs, place + 1
            layers.append(nn.Sequential(*blocks))
        layers.append(conv_norm(inputs, 4 * inputs, 1, activation=nn.SiLU))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        head = nn.Linear(4 * inputs, config.classes)
        self.classifier = nn.Sequential(nn.Dropout(config.dropout), head)
        init_convs(self)
        bound = 1.0 / math.sqrt(config.classes)
        nn.init.uniform_(head.weight, -bound, bound)
        nn.init.zeros_(head.get_parameter("bias"))

    def forward(self, x: Tensor) -> Tensor:
        _checks.check_images("EfficientNet", x, self.config.channels)
        logits: Tensor = self.classifier(self.avgpool(self.features(x)).flatten(1))
        return logits


def efficientnet_b0(**overrides: Any) -> EfficientNet:
    """EfficientNet-B0, 5,288,548 parameters: (N, 3, H, W) -> (N, 1000).

    >>> import lamina
    >>> lamina.models.efficientnet_b0(width_mult=0.1).eval()(lamina.zeros(1, 3, 32, 32)).shape
    (1, 1000)
    """
    return EfficientNet(**overrides)
