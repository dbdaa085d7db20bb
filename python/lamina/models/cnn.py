"""CNN: two stages of 3x3 convolutions with batch norm, for small images."""

from __future__ import annotations

from dataclasses import dataclass

from .. import nn
from .._C import Tensor


@dataclass
class CNNConfig:
    channels: int = 1
    width: int = 32
    classes: int = 10
    dropout: float = 0.2


class Block(nn.Module):
    """Convolution, batch norm, ReLU: (N, inputs, H, W) -> (N, outputs, H, W)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)  # the norm has the bias
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(self.conv(x)).relu()
        return out


class CNN(nn.Module):
    """(N, channels, H, W) -> logits (N, classes), for any H, W >= 2.

    >>> import lamina
    >>> lamina.models.CNN()(lamina.zeros(5, 1, 8, 8)).shape
    (5, 10)
    """

    def __init__(self, config: CNNConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or CNNConfig()
        w = config.width
        self.stage1 = nn.Sequential(Block(config.channels, w), Block(w, w))  # (N, w, H, W)
        self.pool = nn.MaxPool2d(2)  # (N, w, H/2, W/2)
        self.stage2 = nn.Sequential(Block(w, 2 * w), Block(2 * w, 2 * w))  # (N, 2w, H/2, W/2)
        self.shrink = nn.AdaptiveAvgPool2d(2)  # (N, 2w, 2, 2)
        self.drop = nn.Dropout(config.dropout)
        self.head = nn.Linear(2 * w * 2 * 2, config.classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stage2(self.pool(self.stage1(x)))
        logits: Tensor = self.head(self.drop(self.shrink(x).flatten(1)))
        return logits
