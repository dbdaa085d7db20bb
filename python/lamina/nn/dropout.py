"""Dropout of values and of whole channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._C import Tensor
from .module import Module

if TYPE_CHECKING:
    from .._C import functional as _F
else:
    from . import _called as _F


class Dropout(Module):
    """In training, zeroes each value with probability p and scales the rest by 1 / (1 - p): (*) -> (*).

    >>> import lamina
    >>> lamina.nn.Dropout(0.5).eval()(lamina.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    _function = "dropout"

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return input
        function: Any = getattr(_F, self._function)
        out: Tensor = function(input, self.p, True)
        return input.copy_(out) if self.inplace else out

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout1d(Dropout):
    """Dropout of whole channels: (N, C, L) -> (N, C, L) or (C, L) -> (C, L).

    >>> import lamina
    >>> out = lamina.nn.Dropout1d(0.5)(lamina.ones(1, 64, 2))
    >>> bool((out == out[:, :, :1]).all())
    True
    """

    _function = "dropout1d"


class Dropout2d(Dropout):
    """Dropout of whole channels: (N, C, H, W) -> (N, C, H, W).

    >>> import lamina
    >>> out = lamina.nn.Dropout2d(0.5)(lamina.ones(1, 64, 2, 2))
    >>> bool((out == out[:, :, :1, :1]).all())
    True
    """

    _function = "dropout2d"


class Dropout3d(Dropout):
    """Dropout of whole channels: (N, C, D, H, W) -> (N, C, D, H, W).

    >>> import lamina
    >>> out = lamina.nn.Dropout3d(0.5)(lamina.ones(1, 64, 2, 2, 2))
    >>> bool((out == out[:, :, :1, :1, :1]).all())
    True
    """

    _function = "dropout3d"


class AlphaDropout(Dropout):
    """Dropout to the negative saturation of SELU, which keeps mean and variance: (*) -> (*).

    >>> import lamina
    >>> lamina.nn.AlphaDropout(0.2).eval()(lamina.ones(2)).tolist()
    [1.0, 1.0]
    """

    _function = "alpha_dropout"


class FeatureAlphaDropout(Dropout):
    """AlphaDropout of whole channels: (N, C, *) -> (N, C, *).

    >>> import lamina
    >>> out = lamina.nn.FeatureAlphaDropout(0.5)(lamina.ones(1, 64, 3))
    >>> bool((out == out[:, :, :1]).all())
    True
    """

    _function = "feature_alpha_dropout"
