"""Normalisation layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _C
from .._C import Tensor
from . import init
from ._sizes import shape_of, whole
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from .._C import functional as _F
else:
    from . import _called as _F


class _NormBase(Module):
    _ranks: tuple[int, ...] = ()
    _version = 2  # num_batches_tracked came with it
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
        num_features = whole(type(self).__name__, "num_features", num_features)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(_C.ones(num_features, **place)) if affine else None)
        self.register_parameter("bias", Parameter(_C.zeros(num_features, **place)) if affine and bias else None)
        for name, start in (("running_mean", _C.zeros), ("running_var", _C.ones)):
            self.register_buffer(name, start(num_features, **place) if track_running_stats else None)
        count = _C.tensor(0, dtype=_C.int64, device=device) if track_running_stats else None
        self.register_buffer("num_batches_tracked", count)

    def _renew_state(self, state: dict[str, Any], prefix: str, version: int | None) -> None:
        count = self.num_batches_tracked
        if (version is None or version < 2) and count is not None:
            state.setdefault(prefix + "num_batches_tracked", count)

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

    def _check_rank(self, input: Tensor) -> None:
        if len(input.shape) not in self._ranks:
            expected = " or ".join(f"{rank}D" for rank in self._ranks)
            raise _C.ShapeError(f"{type(self).__name__}: expected {expected} input, got shape {tuple(input.shape)}")

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_NormBase):
    def forward(self, input: Tensor) -> Tensor:
        self._check_rank(input)
        momentum = self.momentum
        if self.training and self.eps <= 0:
            raise ValueError(f"{type(self).__name__}: eps must be positive in training, got {self.eps}")
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if momentum is None:  # a cumulative mean over all batches
                momentum = 1.0 / float(self.num_batches_tracked.item())
        mean, var = self.running_mean, self.running_var
        return _F.batch_norm(
            input, mean, var, self.weight, self.bias, self.training or mean is None, momentum or 0.0, self.eps
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


class BatchNorm3d(_BatchNorm):
    """Normalises each channel over batch, depth, height and width: (N, C, D, H, W) -> (N, C, D, H, W).

    >>> import lamina
    >>> lamina.nn.BatchNorm3d(3)(lamina.randn(2, 3, 4, 4, 2)).shape
    (2, 3, 4, 4, 2)
    """

    _ranks = (5,)


class SyncBatchNorm(_BatchNorm):
    """Not there: it joins statistics over processes, and lamina runs in one. (N, C, *) -> (N, C, *) as in BatchNorm2d.

    >>> from lamina import nn
    >>> nn.SyncBatchNorm.convert_sync_batchnorm(nn.BatchNorm2d(3))
    BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "SyncBatchNorm: joins statistics over processes, which lamina does not have; "
            "use BatchNorm1d, BatchNorm2d or BatchNorm3d, which are the same in one process"
        )

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """The module as it is: in one process its batch norms are already synchronous."""
        return module


class _InstanceNorm(_NormBase):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        self._check_rank(input)
        if len(input.shape) == min(self._ranks):  # (C, ...): a batch of one
            return self._normalise(input.unsqueeze(0)).squeeze(0)
        return self._normalise(input)

    def _normalise(self, input: Tensor) -> Tensor:
        own = self.training or not self.track_running_stats
        stats = (self.running_mean, self.running_var)
        return _F.instance_norm(input, *stats, self.weight, self.bias, own, self.momentum or 0.0, self.eps)


class InstanceNorm1d(_InstanceNorm):
    """Normalises each channel of each sample: (N, C, L) -> (N, C, L) or (C, L) -> (C, L).

    >>> import lamina
    >>> lamina.nn.InstanceNorm1d(3)(lamina.randn(2, 3, 5)).shape
    (2, 3, 5)
    """

    _ranks = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Normalises each channel of each sample: (N, C, H, W) -> (N, C, H, W) or (C, H, W) -> (C, H, W).

    >>> import lamina
    >>> lamina.nn.InstanceNorm2d(3)(lamina.randn(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    _ranks = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Normalises each channel of each sample: (N, C, D, H, W) -> the same, or (C, D, H, W) -> the same.

    >>> import lamina
    >>> lamina.nn.InstanceNorm3d(3)(lamina.randn(2, 3, 2, 4, 4)).shape
    (2, 3, 2, 4, 4)
    """

    _ranks = (4, 5)


class GroupNorm(Module):
    """Normalises groups of channels of each sample: (N, C, *) -> (N, C, *); weight and bias (C).

    >>> import lamina
    >>> lamina.nn.GroupNorm(2, 6)(lamina.randn(2, 6, 4, 4)).shape
    (2, 6, 4, 4)
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        num_groups = whole("GroupNorm", "num_groups", num_groups)
        num_channels = whole("GroupNorm", "num_channels", num_channels)
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(f"GroupNorm: num_channels {num_channels} must be divisible by num_groups {num_groups}")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(_C.ones(num_channels, **place)) if affine else None)
        self.register_parameter("bias", Parameter(_C.zeros(num_channels, **place)) if affine and bias else None)

    reset_parameters = _NormBase.reset_parameters

    def reset_running_stats(self) -> None:
        """It keeps none."""

    def forward(self, input: Tensor) -> Tensor:
        return _F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        affine = f"affine={self.affine}, bias={self.bias is not None}"
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, {affine}"


class RMSNorm(Module):
    """x / sqrt(mean(x^2) + eps) * weight over the last dims `normalized_shape`: (*, normalized_shape) -> the same.

    >>> import lamina
    >>> lamina.nn.RMSNorm(2, eps=0.0)(lamina.tensor([3.0, -3.0])).tolist()
    [1.0, -1.0]
    """

    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...] | list[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        shape = shape_of(type(self).__name__, "normalized_shape", normalized_shape)
        self.normalized_shape, self.eps, self.elementwise_affine = shape, eps, elementwise_affine
        weight = Parameter(_C.ones(shape, device=device, dtype=dtype)) if elementwise_affine else None
        self.register_parameter("weight", weight)

    def reset_parameters(self) -> None:
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        return _F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LocalResponseNorm(Module):
    """x / (k + alpha * mean of squares over `size` neighbouring channels)^beta: (N, C, *) -> (N, C, *).

    >>> import lamina
    >>> lamina.nn.LocalResponseNorm(2)(lamina.randn(2, 6, 4, 4)).shape
    (2, 6, 4, 4)
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor) -> Tensor:
        return _F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


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
        shape = shape_of(type(self).__name__, "normalized_shape", normalized_shape)
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
