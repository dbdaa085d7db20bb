"""MLP: fully connected layers with ReLU and dropout, for images or plain feature rows."""

from __future__ import annotations

from dataclasses import dataclass

from .. import nn
from .._C import Tensor


@dataclass
class MLPConfig:
    inputs: int = 64
    hidden: tuple[int, ...] = (256, 128)
    classes: int = 10
    dropout: float = 0.3


class MLP(nn.Module):
    """(N, ...) with `inputs` values a row -> logits (N, classes).

    >>> import lamina
    >>> lamina.models.MLP()(lamina.zeros(5, 1, 8, 8)).shape
    (5, 10)
    """

    def __init__(self, config: MLPConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or MLPConfig()
        layers: list[nn.Module] = []
        width = config.inputs
        for hidden in config.hidden:
            layers += [nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(config.dropout)]
            width = hidden
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, config.classes)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(x.flatten(1)))
        return logits
