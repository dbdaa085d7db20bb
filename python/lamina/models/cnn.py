"""CNN, LeNet and VGG: plain stacks of convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import nn
from .._C import Tensor
from . import _checks
from ._blocks import init_convs, init_linears
from ._model import Model


@dataclass
class CNNConfig:
    """Sizes of a CNN."""

    channels: int = 1
    width: int = 32  # channels of the first stage; the second has twice as many
    classes: int = 10
    dropout: float = 0.2

    def __post_init__(self) -> None:
        _checks.whole("CNNConfig", channels=self.channels, width=self.width, classes=self.classes)
        _checks.number("CNNConfig", 0, 1, dropout=self.dropout)


class Block(nn.Module):
    """Convolution, batch norm, ReLU: (N, inputs, H, W) -> (N, outputs, H, W)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)  # the norm has the bias
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(self.conv(x)).relu()
        return out


class CNN(Model):
    """Two stages of 3x3 convolutions with batch norm: (N, channels, H, W) -> logits (N, classes), for any H, W >= 2.

    >>> import lamina
    >>> lamina.models.CNN()(lamina.zeros(5, 1, 8, 8)).shape
    (5, 10)
    """

    def __init__(self, config: CNNConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        self.config = config = Model.configure(CNNConfig, config, overrides)
        w = config.width
        self.stage1 = nn.Sequential(Block(config.channels, w), Block(w, w))  # (N, w, H, W)
        self.pool = nn.MaxPool2d(2)  # (N, w, H/2, W/2)
        self.stage2 = nn.Sequential(Block(w, 2 * w), Block(2 * w, 2 * w))  # (N, 2w, H/2, W/2)
        self.shrink = nn.AdaptiveAvgPool2d(2)  # (N, 2w, 2, 2)
        self.drop = nn.Dropout(config.dropout)
        self.head = nn.Linear(2 * w * 2 * 2, config.classes)

    def forward(self, x: Tensor) -> Tensor:
        _checks.check_images("CNN", x, self.config.channels, 2)
        x = self.stage2(self.pool(self.stage1(x)))
        logits: Tensor = self.head(self.drop(self.shrink(x).flatten(1)))
        return logits


@dataclass
class LeNetConfig:
    """Sizes of a LeNet; images are (channels, size, size) with size + 2 padding >= 16."""

    channels: int = 1
    size: int = 28
    padding: int = 2  # 28x28 images are seen as the paper's 32x32
    classes: int = 10
    activation: str = "tanh"  # or "relu"

    def __post_init__(self) -> None:
        _checks.whole("LeNetConfig", channels=self.channels, size=self.size, classes=self.classes)
        _checks.whole("LeNetConfig", 0, padding=self.padding)
        _checks.choice("LeNetConfig", ("tanh", "relu"), activation=self.activation)
        if self.size + 2 * self.padding < 16:
            raise ValueError(
                f"LeNetConfig: size + 2 padding must be at least 16, got size {self.size} and padding {self.padding}"
            )


class LeNet(Model):
    """LeNet-5 (LeCun, Bottou, Bengio and Haffner 1998): (N, channels, size, size) -> logits (N, classes).

    Two 5x5 convolutions with mean pools and three linear layers; the output layer is linear instead of Gaussian. 61,706
    parameters by default.

    >>> import lamina
    >>> lamina.models.LeNet()(lamina.zeros(5, 1, 28, 28)).shape
    (5, 10)
    """

    def __init__(self, config: LeNetConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        self.config = config = Model.configure(LeNetConfig, config, overrides)
        active: type[nn.Module] = nn.Tanh if config.activation == "tanh" else nn.ReLU
        side = ((config.size + 2 * config.padding - 4) // 2 - 4) // 2
        self.features = nn.Sequential(
            *(nn.Conv2d(config.channels, 6, 5, padding=config.padding), active(), nn.AvgPool2d(2)),
            *(nn.Conv2d(6, 16, 5), active(), nn.AvgPool2d(2)),  # (N, 16, side, side)
        )
        self.classifier = nn.Sequential(
            *(nn.Linear(16 * side * side, 120), active(), nn.Linear(120, 84), active()),
            nn.Linear(84, config.classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        _checks.check_images("LeNet", x, self.config.channels, side=self.config.size)
        logits: Tensor = self.classifier(self.features(x).flatten(1))
        return logits


@dataclass
class VGGConfig:
    """Sizes of a VGG; the defaults are VGG-16."""

    stages: tuple[int, ...] = (2, 2, 3, 3, 3)  # convolutions before each max-pool
    batch_norm: bool = False
    channels: int = 3
    classes: int = 1000
    width: int = 64  # channels of the first stage: doubled by each stage up to 8 times
    hidden: int = 4096
    pool: int = 7  # side of the mean pool before the linear layers
    dropout: float = 0.5

    def __post_init__(self) -> None:
        _checks.wholes("VGGConfig", most=9999, stages=self.stages)
        self.stages = tuple(self.stages)
        _checks.flag("VGGConfig", batch_norm=self.batch_norm)
        sizes = {n: getattr(self, n) for n in ("channels", "classes", "width", "hidden", "pool")}
        _checks.whole("VGGConfig", **sizes)
        _checks.number("VGGConfig", 0, 1, dropout=self.dropout)


class VGG(Model):
    """VGG (Simonyan and Zisserman, arXiv:1409.1556): (N, channels, H, W) -> logits (N, classes), H, W >= 2^stages.

    Stages of 3x3 convolutions and a max-pool, then three linear layers. Keys are torchvision's: features.N.weight ...
    classifier.0, classifier.3, classifier.6.

    >>> import lamina
    >>> net = lamina.models.VGG(stages=(1, 1), width=8, hidden=16, pool=2, channels=1, classes=10)
    >>> net(lamina.zeros(5, 1, 8, 8)).shape
    (5, 10)
    """

    def __init__(self, config: VGGConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        self.config = config = Model.configure(VGGConfig, config, overrides)
        layers: list[nn.Module] = []
        inputs = config.channels
        for i, convs in enumerate(config.stages):
            outputs = config.width * min(2**i, 8)
            for _ in range(convs):
                norm = [nn.BatchNorm2d(outputs)] if config.batch_norm else []
                layers += [nn.Conv2d(inputs, outputs, 3, padding=1), *norm, nn.ReLU()]
                inputs = outputs
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(config.pool)
        self.classifier = nn.Sequential(
            *(nn.Linear(inputs * config.pool**2, config.hidden), nn.ReLU(), nn.Dropout(config.dropout)),
            *(nn.Linear(config.hidden, config.hidden), nn.ReLU(), nn.Dropout(config.dropout)),
            nn.Linear(config.hidden, config.classes),
        )
        init_convs(self)
        init_linears(self)

    def forward(self, x: Tensor) -> Tensor:
        _checks.check_images("VGG", x, self.config.channels, 2 ** len(self.config.stages))
        logits: Tensor = self.classifier(self.avgpool(self.features(x)).flatten(1))
        return logits


def vgg11(batch_norm: bool = False, **overrides: Any) -> VGG:
    """VGG with 8 convolutions (11 layers with weights), without or with batch norm: (N, 3, H, W) -> (N, 1000).

    >>> import lamina
    >>> small = lamina.models.vgg11(batch_norm=True, width=4, hidden=8, pool=1)
    >>> small(lamina.zeros(2, 3, 32, 32)).shape
    (2, 1000)
    """
    return VGG(**{"stages": (1, 1, 2, 2, 2), "batch_norm": batch_norm, **overrides})


def vgg13(batch_norm: bool = False, **overrides: Any) -> VGG:
    """VGG with 10 convolutions: (N, 3, H, W) -> (N, 1000).

    >>> import lamina
    >>> lamina.models.vgg13(width=4, hidden=8, pool=1).config.stages
    (2, 2, 2, 2, 2)
    """
    return VGG(**{"stages": (2, 2, 2, 2, 2), "batch_norm": batch_norm, **overrides})


def vgg16(batch_norm: bool = False, **overrides: Any) -> VGG:
    """VGG with 13 convolutions, 138,357,544 parameters: (N, 3, H, W) -> (N, 1000).

    >>> import lamina
    >>> lamina.models.vgg16(width=4, hidden=8, pool=1).config.stages
    (2, 2, 3, 3, 3)
    """
    return VGG(**{"stages": (2, 2, 3, 3, 3), "batch_norm": batch_norm, **overrides})


def vgg19(batch_norm: bool = False, **overrides: Any) -> VGG:
    """VGG with 16 convolutions: (N, 3, H, W) -> (N, 1000).

    >>> import lamina
    >>> lamina.models.vgg19(width=4, hidden=8, pool=1).config.stages
    (2, 2, 4, 4, 4)
    """
    return VGG(**{"stages": (2, 2, 4, 4, 4), "batch_norm": batch_norm, **overrides})
