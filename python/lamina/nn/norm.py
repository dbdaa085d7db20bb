"""Normalisation and dropout layers."""

from __future__ import annotations

from typing import Any

from .. import _C
from .._C import Tensor
from .._C import functional as _F
from . import init
from .module import Module
from .parameter import Parameter


class _BatchNorm(Module):
    _ranks: tuple[int, ...] = ()
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(_C.ones(num_features, **place)) if affine else None)
        self.register_parameter("bias", Parameter(_C.zeros(num_features, **place)) if affine and bias else None)
        for name, start in (("running_mean", _C.zeros), ("running_var", _C.ones)):
            self.register_buffer(name, start(num_features, **place) if track_running_stats else None)
        count = _C.tensor(0, dtype=_C.int64, device=device) if track_running_stats else None
        self.register_buffer("num_batches_tracked", count)

    def reset_running_stats(self) -> None:
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        if len(input.shape) not in self._ranks:
            expected = " or ".join(f"{rank}D" for rank in self._ranks)
            raise _C.ShapeError(f"{type(self).__name__}: expected {expected} input, got shape {tuple(input.shape)}")
        momentum = self.momentum
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if momentum is None:  # a cumulative mean over all batches
                momentum = 1.0 / float(self.num_batches_tracked.item())
        mean, var = self.running_mean, self.running_var
        return _F.batch_norm(
            input, mean, var, self.weight, self.bias, self.training or mean is None, momentum or 0.0, self.eps
        )

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Normalises each feature over the batch: (N, C) -> (N, C) or (N, C, L) -> (N, C, L).

    >>> import lamina
    >>> lamina.nn.BatchNorm1d(3)(lamina.randn(8, 3)).shape
    (8, 3)
    """

    _ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Normalises each channel over batch, height and width: (N, C, H, W) -> (N, C, H, W).

    >>> import lamina
    >>> lamina.nn.BatchNorm2d(3)(lamina.randn(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    _ranks = (4,)


class LayerNorm(Module):
    """Normalises over the last dims `normalized_shape`: (*, normalized_shape) -> the same.

    >>> import lamina
    >>> lamina.nn.LayerNorm(5)(lamina.randn(2, 3, 5)).shape
    (2, 3, 5)
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...] | list[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape, self.eps, self.elementwise_affine = shape, eps, elementwise_affine
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(_C.ones(shape, **place)) if elementwise_affine else None)
        self.register_parameter("bias", Parameter(_C.zeros(shape, **place)) if elementwise_affine and bias else None)

    def reset_parameters(self) -> None:
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return _F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        affine = f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        return f"{self.normalized_shape}, eps={self.eps}, {affine}"


class Dropout(Module):
    """In training, zeroes each value with probability p and scales the rest by 1 / (1 - p): (*) -> (*).

    >>> import lamina
    >>> lamina.nn.Dropout(0.5).eval()(lamina.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return input
        out = _F.dropout(input, self.p, True)
        return input.copy_(out) if self.inplace else out

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout2d(Dropout):
    """Dropout of whole channels: (N, C, H, W) -> (N, C, H, W).

    >>> import lamina
    >>> out = lamina.nn.Dropout2d(0.5)(lamina.ones(1, 64, 2, 2))
    >>> bool((out == out[:, :, :1, :1]).all())
    True
    """

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return input
        if len(input.shape) != 4:
            raise _C.ShapeError(f"Dropout2d: expected a 4D input, got shape {tuple(input.shape)}")
        n, c = input.shape[:2]
        keep = _F.dropout(_C.ones(n, c, 1, 1, dtype=input.dtype, device=input.device), self.p, True)
        return input.mul_(keep) if self.inplace else input * keep
