"""Pooling layers."""

from __future__ import annotations

from typing import Any

from .._C import Tensor
from .._C import functional as _F
from .module import Module

Size2 = int | tuple[int, int]


class MaxPool2d(Module):
    """Largest value of each window: (N, C, H, W) -> (N, C, H', W'); stride is the kernel size unless given.

    >>> import lamina
    >>> lamina.nn.MaxPool2d(2)(lamina.zeros(1, 3, 8, 6)).shape
    (1, 3, 4, 3)
    """

    def __init__(
        self,
        kernel_size: Size2,
        stride: Size2 | None = None,
        padding: Size2 = 0,
        dilation: Size2 = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: Tensor) -> Any:
        return _F.max_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class AvgPool2d(Module):
    """Mean of each window: (N, C, H, W) -> (N, C, H', W'); stride is the kernel size unless given.

    >>> import lamina
    >>> lamina.nn.AvgPool2d(2)(lamina.zeros(1, 3, 8, 6)).shape
    (1, 3, 4, 3)
    """

    def __init__(
        self,
        kernel_size: Size2,
        stride: Size2 | None = None,
        padding: Size2 = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return _F.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AdaptiveAvgPool2d(Module):
    """Mean over windows chosen so that the output has a given size: (N, C, H, W) -> (N, C, *output_size).

    >>> import lamina
    >>> lamina.nn.AdaptiveAvgPool2d(1)(lamina.zeros(2, 3, 7, 5)).shape
    (2, 3, 1, 1)
    """

    def __init__(self, output_size: int | tuple[int | None, int | None]) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        size = self.output_size
        if isinstance(size, tuple):  # None keeps that side
            h, w = size
            return _F.adaptive_avg_pool2d(
                input, (input.shape[-2] if h is None else h, input.shape[-1] if w is None else w)
            )
        return _F.adaptive_avg_pool2d(input, (size, size))

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"
