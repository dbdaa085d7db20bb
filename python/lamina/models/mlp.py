"""MLP: fully connected layers with ReLU and dropout, for images or plain feature rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import _C, nn
from .._C import Tensor
from . import _checks
from ._model import Model


@dataclass
class MLPConfig:
    """Sizes of an MLP; hidden may be empty: then it is logistic regression."""

    inputs: int = 64  # values a row
    hidden: tuple[int, ...] = (256, 128)
    classes: int = 10
    dropout: float = 0.3

    def __post_init__(self) -> None:
        _checks.whole("MLPConfig", inputs=self.inputs, classes=self.classes)
        if self.hidden not in ((), []):
            _checks.wholes("MLPConfig", hidden=self.hidden)
        self.hidden = tuple(self.hidden)
        _checks.number("MLPConfig", 0, 1, dropout=self.dropout)


class MLP(Model):
    """(N, ...) with `inputs` values a row -> logits (N, classes).

    Keys: body.0, body.3 ... (linear layers) and head.

    >>> import lamina
    >>> lamina.models.MLP()(lamina.zeros(5, 1, 8, 8)).shape
    (5, 10)
    """

    def __init__(self, config: MLPConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        self.config = config = Model.configure(MLPConfig, config, overrides)
        layers: list[nn.Module] = []
        width = config.inputs
        for hidden in config.hidden:
            layers += [nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(config.dropout)]
            width = hidden
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, config.classes)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.flatten(1) if len(x.shape) > 1 else x
        if len(rows.shape) != 2 or rows.shape[1] != self.config.inputs:
            raise _C.ShapeError(f"MLP: expected {self.config.inputs} values a row, got shape {tuple(x.shape)}")
        _checks.check_floats("MLP", x)
        logits: Tensor = self.head(self.body(rows))
        return logits
