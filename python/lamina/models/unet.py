"""U-Net (Ronneberger, Fischer and Brox, arXiv:1505.04597): a class for every pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import _C, nn
from .._C import Tensor
from .._C import functional as F
from ..metrics._denominator import classes_counted
from ..metrics.classification import ConfusionMatrix
from . import _checks
from ._blocks import init_convs
from ._model import Model

if TYPE_CHECKING:
    from ..metrics import Metric


@dataclass
class UNetConfig:
    """Sizes of a U-Net."""

    channels: int = 1
    classes: int = 2
    width: int = 64  # channels of the first level, doubled by each level below
    depth: int = 4  # times that height and width are halved
    batch_norm: bool = True
    dice: float = 0.0  # weight of the dice loss beside the cross entropy

    def __post_init__(self) -> None:
        _checks.whole("UNetConfig", channels=self.channels, classes=self.classes, width=self.width)
        _checks.whole("UNetConfig", most=16, depth=self.depth)
        _checks.flag("UNetConfig", batch_norm=self.batch_norm)
        _checks.number("UNetConfig", 0, dice=self.dice)


def double_conv(inputs: int, outputs: int, batch_norm: bool) -> nn.Sequential:
    """Two 3x3 convolutions with ReLU: (N, inputs, H, W) -> (N, outputs, H, W)."""
    layers: list[nn.Module] = []
    for width in (inputs, outputs):
        conv = nn.Conv2d(width, outputs, 3, padding=1, bias=not batch_norm)
        layers += [conv, *([nn.BatchNorm2d(outputs)] if batch_norm else []), nn.ReLU()]
    return nn.Sequential(*layers)


class Up(nn.Module):
    """Doubles the size and joins the level's skip: (N, 2 C, H', W'), (N, C, H, W) -> (N, C, H, W)."""

    def __init__(self, outputs: int, batch_norm: bool) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(2 * outputs, outputs, 2, 2)
        self.conv = double_conv(2 * outputs, outputs, batch_norm)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        grown = self.up(x, output_size=skip.shape[2:])  # odd sizes find their own size again
        out: Tensor = self.conv(_C.cat([skip, grown], 1))
        return out


class UNet(Model):
    """(N, channels, H, W) -> logits (N, classes, H, W), for any H, W >= 2^depth.

    As in the paper, with padded convolutions (the output has the input's size) and batch norm. Targets are classes
    (N, H, W) in int64; predict gives classes (N, H, W). Keys: down.0 ... down.{depth}, up.0 ..., head.

    >>> import lamina
    >>> net = lamina.models.UNet(width=4, depth=2)
    >>> net(lamina.zeros(2, 1, 9, 8)).shape
    (2, 2, 9, 8)
    """

    def __init__(self, config: UNetConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        self.config = config = Model.configure(UNetConfig, config, overrides)
        widths = [config.width * 2**i for i in range(config.depth + 1)]
        inputs = [config.channels, *widths]
        self.down = nn.ModuleList(
            [double_conv(a, b, config.batch_norm) for a, b in zip(inputs[:-1], widths, strict=True)]
        )
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ModuleList([Up(width, config.batch_norm) for width in reversed(widths[:-1])])
        self.head = nn.Conv2d(config.width, config.classes, 1)
        init_convs(self)

    def forward(self, x: Tensor) -> Tensor:
        _checks.check_images("UNet", x, self.config.channels, 2**self.config.depth)
        skips: list[Tensor] = []
        for i, block in enumerate(self.down):
            x = block(x if i == 0 else self.pool(x))
            skips.append(x)
        for up, skip in zip(self.up, reversed(skips[:-1]), strict=True):
            x = up(x, skip)
        logits: Tensor = self.head(x)
        return logits

    def training_loss(self, *batch: Any) -> Tensor:
        """Cross entropy of all pixels plus `dice` times the dice loss: images, classes (N, H, W) -> ()."""
        x, y = self._pair(batch)
        logits = self(x)
        loss = F.cross_entropy(logits, y)
        return loss + self.config.dice * dice_loss(logits, y) if self.config.dice else loss

    def loss_denominator(self, *batch: Any) -> float | None:
        """The pixels that are not -100; rows, where the dice loss is a part of it."""
        return None if self.config.dice else classes_counted(batch[-1])

    def metrics(self) -> dict[str, Metric]:
        """Pixel accuracy and the mean intersection over union of the classes that occur."""
        from ..metrics import Accuracy

        return {"accuracy": Accuracy(), "iou": MeanIoU(self.config.classes)}

    def metric_inputs(self, *batch: Any) -> tuple[Any, ...]:
        """Classes of all pixels and their truth: (N, H, W), (N, H, W)."""
        x, y = self._pair(batch)
        return self(x).argmax(1), y

    def _pair(self, batch: tuple[Any, ...]) -> tuple[Tensor, Tensor]:
        if len(batch) != 2:
            raise ValueError(f"UNet: a batch should be (images, classes of the pixels), got {len(batch)} fields")
        x, y = batch
        if len(x.shape) == 4 and tuple(y.shape) != (x.shape[0], *x.shape[2:]):
            wanted = (x.shape[0], *x.shape[2:])
            raise _C.ShapeError(f"UNet: the target should hold a class per pixel, {wanted}, got {tuple(y.shape)}")
        return x, y


def dice_loss(logits: Tensor, target: Tensor, smooth: float = 1.0) -> Tensor:
    """1 - mean dice of the classes (Milletari et al., arXiv:1606.04797): (N, C, *), int64 (N, *) -> ().

    The dice of a class in one row is (2 sum p t + smooth) / (sum p + sum t + smooth), with p of softmax and t 0 or 1.

    >>> import lamina
    >>> logits = lamina.tensor([[[9.0, -9.0], [-9.0, 9.0]]])
    >>> round(lamina.models.unet.dice_loss(logits, lamina.tensor([[0, 1]])).item(), 6)
    0.0
    """
    classes = logits.shape[1]
    p = logits.softmax(1).flatten(2)
    t = F.one_hot(target.flatten(1), classes).transpose(1, 2).to(p.dtype)
    dice = (2 * (p * t).sum(2) + smooth) / (p.sum(2) + t.sum(2) + smooth)
    return 1 - dice.mean()


class MeanIoU(ConfusionMatrix):
    """Intersection over union of predicted and true pixels, the mean over the classes that occur in either.

    `update(output, target)`: scores (N, C, *) or classes (N, *), and classes (N, *); nan where nothing was seen.

    >>> import lamina
    >>> metric = lamina.models.unet.MeanIoU(3)
    >>> metric.update(lamina.tensor([[0, 0, 1, 1]]), lamina.tensor([[0, 1, 1, 1]]))
    >>> round(metric.compute(), 4)  # 1/2 and 2/3
    0.5833
    """

    def compute(self) -> float:
        """The value over everything seen."""
        matrix = self.array()
        both = matrix.diagonal()
        either = matrix.sum(0) + matrix.sum(1) - both
        shares = [b / e for b, e in zip(both.tolist(), either.tolist(), strict=True) if e]
        return math.fsum(shares) / len(shares) if shares else math.nan
