"""Convolutions and their transposes over one, two and three dims."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import _C
from .._C import Tensor
from . import init
from ._sizes import Sizes, each, whole
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from .._C import functional as _F
else:
    from . import _called as _F


class _ConvNd(Module):
    _rank = 0
    transposed = False
    bias: Parameter | None

    def _setup(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Sizes | str,
        dilation: Sizes,
        output_padding: Sizes,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        rank, name = self._rank, type(self).__name__
        in_channels = self.in_channels = whole(name, "in_channels", in_channels)
        out_channels = self.out_channels = whole(name, "out_channels", out_channels)
        groups = self.groups = whole(name, "groups", groups)
        self.kernel_size = each(kernel_size, rank, name, "kernel_size")
        self.stride, self.dilation = each(stride, rank, name, "stride"), each(dilation, rank, name, "dilation")
        self.padding = padding if isinstance(padding, str) else each(padding, rank, name, "padding")
        self.output_padding, self.padding_mode = each(output_padding, rank, name, "output_padding"), padding_mode
        self._check()
        first, second = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (first, second // groups, *self.kernel_size)
        self.weight = Parameter(_C.empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(_C.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _check(self) -> None:
        name, i, o, g = type(self).__name__, self.in_channels, self.out_channels, self.groups
        if g <= 0:
            raise ValueError(f"{name}: groups must be positive, got {g}")
        if i % g or o % g:
            raise ValueError(f"{name}: in_channels {i} and out_channels {o} must be divisible by groups {g}")
        if isinstance(self.padding, str):
            if self.padding not in ("same", "valid"):
                raise ValueError(f"{name}: padding must be a number, a pair, 'same' or 'valid', got {self.padding!r}")
            if self.padding == "same" and self.stride != (1,) * self._rank:
                raise ValueError(f"{name}: padding='same' needs stride 1, got {self.stride}")
        if self.padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ValueError(
                f"{name}: padding_mode must be zeros, reflect, replicate or circular, got {self.padding_mode!r}"
            )

    def reset_parameters(self) -> None:
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            init.fan_in_uniform_(self.bias, self.weight)

    def _borders(self) -> list[int]:
        """(left, right, top, bottom ...) for `pad`: the last dim first."""
        sides: list[int] = []
        for a in reversed(range(self._rank)):
            total = self.dilation[a] * (self.kernel_size[a] - 1) if self.padding == "same" else 0
            before = total // 2 if isinstance(self.padding, str) else self.padding[a]
            sides += [before, total - before if isinstance(self.padding, str) else before]
        return sides

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        rank = len(self.kernel_size)
        zeros, ones = (0,) * rank, (1,) * rank
        for name, usual in (("padding", zeros), ("dilation", ones), ("output_padding", zeros), ("groups", 1)):
            if getattr(self, name) != usual:
                text += f", {name}={getattr(self, name)}"
        if self.bias is None:
            text += ", bias=False"
        return text if self.padding_mode == "zeros" else f"{text}, padding_mode={self.padding_mode}"


class _Conv(_ConvNd):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        rest: tuple[Any, ...] = (groups, bias, padding_mode, device, dtype)
        self._setup(in_channels, out_channels, kernel_size, stride, padding, dilation, 0, *rest)

    def forward(self, input: Tensor) -> Tensor:
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = _F.pad(input, self._borders(), self.padding_mode), 0
        conv = getattr(_F, f"conv{self._rank}d")
        out: Tensor = conv(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)
        return out


class Conv1d(_Conv):
    """1d convolution: (N, C, L) -> (N, out_channels, L') with L' = (L + 2 pad - dil (k - 1) - 1) // stride + 1.

    weight (out_channels, in_channels / groups, k), bias (out_channels); without a batch (C, L) -> (out_channels, L').

    >>> import lamina
    >>> lamina.nn.Conv1d(3, 8, 3, padding="same")(lamina.zeros(2, 3, 9)).shape
    (2, 8, 9)
    """

    _rank = 1


class Conv2d(_Conv):
    """2d convolution: (N, C, H, W) -> (N, out_channels, H', W') with H' = (H + 2 pad - dil (k - 1) - 1) // stride + 1.

    weight (out_channels, in_channels / groups, kh, kw), bias (out_channels); groups = in_channels is depthwise.

    >>> import lamina
    >>> lamina.nn.Conv2d(3, 8, 3, padding=1)(lamina.zeros(2, 3, 9, 9)).shape
    (2, 8, 9, 9)
    """

    _rank = 2


class Conv3d(_Conv):
    """3d convolution: (N, C, D, H, W) -> (N, out_channels, D', H', W'), each side as in Conv2d.

    weight (out_channels, in_channels / groups, kd, kh, kw), bias (out_channels).

    >>> import lamina
    >>> lamina.nn.Conv3d(3, 8, 3, padding=1)(lamina.zeros(2, 3, 4, 5, 6)).shape
    (2, 8, 4, 5, 6)
    """

    _rank = 3


class _ConvTranspose(_ConvNd):
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if padding_mode != "zeros":
            raise ValueError(f"{type(self).__name__}: padding_mode must be 'zeros', got {padding_mode!r}")
        rest: tuple[Any, ...] = (output_padding, groups, bias, padding_mode, device, dtype)
        self._setup(in_channels, out_channels, kernel_size, stride, padding, dilation, *rest)

    def forward(self, input: Tensor, output_size: list[int] | tuple[int, ...] | None = None) -> Tensor:
        """`output_size` picks among the sizes that the stride leaves open."""
        extra = self.output_padding if output_size is None else self._extra(input, tuple(output_size))
        conv = getattr(_F, f"conv_transpose{self._rank}d")
        out: Tensor = conv(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)
        return out

    def _extra(self, input: Tensor, size: tuple[int, ...]) -> tuple[int, ...]:
        rank = self._rank
        if len(size) not in (rank, len(input.shape)):
            raise ValueError(f"{type(self).__name__}: output_size must hold {rank} sizes, got {size}")
        extra = []
        for a in range(rank):
            reach = self.dilation[a] * (self.kernel_size[a] - 1) + 1
            least = (input.shape[a - rank] - 1) * self.stride[a] - 2 * int(self.padding[a]) + reach
            if not 0 <= size[a - rank] - least < max(self.stride[a], self.dilation[a]):
                raise ValueError(
                    f"{type(self).__name__}: output_size {size} is out of reach: side {a} can be "
                    f"{least} to {least + self.stride[a] - 1}"
                )
            extra.append(size[a - rank] - least)
        return tuple(extra)


class ConvTranspose1d(_ConvTranspose):
    """Transposed convolution: (N, C, L) -> (N, out_channels, L').

    L' = (L - 1) stride - 2 pad + dil (k - 1) + output_padding + 1; weight (in_channels, out_channels / groups, k).

    >>> import lamina
    >>> lamina.nn.ConvTranspose1d(3, 8, 4, stride=2, padding=1)(lamina.zeros(2, 3, 5)).shape
    (2, 8, 10)
    """

    _rank = 1


class ConvTranspose2d(_ConvTranspose):
    """Transposed convolution: (N, C, H, W) -> (N, out_channels, H', W'), each side as in ConvTranspose1d.

    weight (in_channels, out_channels / groups, kh, kw), bias (out_channels).

    >>> import lamina
    >>> lamina.nn.ConvTranspose2d(3, 8, 4, stride=2, padding=1)(lamina.zeros(2, 3, 5, 6)).shape
    (2, 8, 10, 12)
    """

    _rank = 2


class ConvTranspose3d(_ConvTranspose):
    """Transposed convolution: (N, C, D, H, W) -> (N, out_channels, D', H', W'), each side as in ConvTranspose1d.

    weight (in_channels, out_channels / groups, kd, kh, kw), bias (out_channels).

    >>> import lamina
    >>> lamina.nn.ConvTranspose3d(3, 8, 2, stride=2)(lamina.zeros(2, 3, 2, 3, 4)).shape
    (2, 8, 4, 6, 8)
    """

    _rank = 3
