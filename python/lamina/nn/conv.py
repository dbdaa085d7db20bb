"""Conv2d."""

from __future__ import annotations

import math
from typing import Any

from .. import _C
from .._C import Tensor
from .._C import functional as _F
from . import init
from .module import Module
from .parameter import Parameter


def pair(value: int | tuple[int, int]) -> tuple[int, int]:
    """3 -> (3, 3); (3, 5) stays."""
    if isinstance(value, int):
        return value, value
    a, b = value
    return a, b


class Conv2d(Module):
    """2d convolution: (N, C, H, W) -> (N, out_channels, H', W') with H' = (H + 2 pad - dil (k - 1) - 1) // stride + 1.

    weight (out_channels, in_channels / groups, kh, kw), bias (out_channels); groups = in_channels is depthwise.

    >>> import lamina
    >>> lamina.nn.Conv2d(3, 8, 3, padding=1)(lamina.zeros(2, 3, 9, 9)).shape
    (2, 8, 9, 9)
    """

    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | str = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride, self.dilation = pair(kernel_size), pair(stride), pair(dilation)
        self.padding = padding if isinstance(padding, str) else pair(padding)
        self.padding_mode = padding_mode
        self._check()
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = Parameter(_C.empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(_C.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _check(self) -> None:
        i, o, g = self.in_channels, self.out_channels, self.groups
        if g <= 0:
            raise ValueError(f"Conv2d: groups must be positive, got {g}")
        if i % g or o % g:
            raise ValueError(f"Conv2d: in_channels {i} and out_channels {o} must be divisible by groups {g}")
        if isinstance(self.padding, str):
            if self.padding not in ("same", "valid"):
                raise ValueError(f"Conv2d: padding must be a number, a pair, 'same' or 'valid', got {self.padding!r}")
            if self.padding == "same" and self.stride != (1, 1):
                raise ValueError(f"Conv2d: padding='same' needs stride 1, got {self.stride}")
        if self.padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ValueError(
                f"Conv2d: padding_mode must be zeros, reflect, replicate or circular, got {self.padding_mode!r}"
            )

    def reset_parameters(self) -> None:
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            init.fan_in_uniform_(self.bias, self.weight)

    def forward(self, input: Tensor) -> Tensor:
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = _F.pad(input, self._borders(), self.padding_mode), 0
        return _F.conv2d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _borders(self) -> list[int]:
        """(left, right, top, bottom) for `pad`."""
        if self.padding == "valid":
            return [0, 0, 0, 0]
        if self.padding == "same":
            total = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            return [total[1] // 2, total[1] - total[1] // 2, total[0] // 2, total[0] - total[0] // 2]
        return [int(self.padding[1])] * 2 + [int(self.padding[0])] * 2

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0, 0):
            text += f", padding={self.padding}"
        if self.dilation != (1, 1):
            text += f", dilation={self.dilation}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        return text if self.padding_mode == "zeros" else f"{text}, padding_mode={self.padding_mode}"
