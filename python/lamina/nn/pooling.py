"""Pooling layers over one, two and three dims."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._C import Tensor
from ._sizes import Sizes
from .module import Module

if TYPE_CHECKING:
    from .._C import functional as _F
else:
    from . import _called as _F

Size2 = int | tuple[int, int]


class _Pool(Module):
    """What all pools keep: the rank, and a kernel with a stride that is the kernel unless given."""

    _rank = 0
    _shown: tuple[str, ...] = ("kernel_size", "stride", "padding")

    def _keep(self, kernel_size: Sizes, stride: Sizes | None, **others: Any) -> None:
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        for name, value in others.items():
            setattr(self, name, value)

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return getattr(_F, f"{name}{self._rank}d")(*args, **kwargs)

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={getattr(self, name)}" for name in self._shown)


class _MaxPool(_Pool):
    _shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
    padding: Sizes
    dilation: Sizes
    return_indices: bool
    ceil_mode: bool

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self._keep(kernel_size, stride, padding=padding, dilation=dilation)
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: Tensor) -> Any:
        window = (self.kernel_size, self.stride, self.padding, self.dilation)
        return self._call("max_pool", input, *window, self.ceil_mode, self.return_indices)


class MaxPool1d(_MaxPool):
    """Largest value of each window: (N, C, L) -> (N, C, L'); stride is the kernel size unless given.

    >>> import lamina
    >>> lamina.nn.MaxPool1d(2)(lamina.zeros(1, 3, 8)).shape
    (1, 3, 4)
    """

    _rank = 1


class MaxPool2d(_MaxPool):
    """Largest value of each window: (N, C, H, W) -> (N, C, H', W'); stride is the kernel size unless given.

    >>> import lamina
    >>> lamina.nn.MaxPool2d(2)(lamina.zeros(1, 3, 8, 6)).shape
    (1, 3, 4, 3)
    """

    _rank = 2


class MaxPool3d(_MaxPool):
    """Largest value of each window: (N, C, D, H, W) -> (N, C, D', H', W'); stride is the kernel size unless given.

    >>> import lamina
    >>> lamina.nn.MaxPool3d(2)(lamina.zeros(1, 3, 4, 8, 6)).shape
    (1, 3, 2, 4, 3)
    """

    _rank = 3


class AvgPool1d(_Pool):
    """Mean of each window: (N, C, L) -> (N, C, L'); stride is the kernel size unless given.

    >>> import lamina
    >>> lamina.nn.AvgPool1d(2)(lamina.zeros(1, 3, 8)).shape
    (1, 3, 4)
    """

    _rank = 1

    def __init__(
        self,
        kernel_size: int | tuple[int],
        stride: int | tuple[int] | None = None,
        padding: int | tuple[int] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        one = [v if v is None or isinstance(v, tuple) else (v,) for v in (kernel_size, stride, padding)]
        self._keep(one[0], one[1], padding=one[2])  # type: ignore[arg-type]
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        return _F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)

    padding: Sizes


class _AvgPool(_Pool):
    padding: Sizes

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self._keep(kernel_size, stride, padding=padding)
        self.ceil_mode = ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, input: Tensor) -> Tensor:
        window = (self.kernel_size, self.stride, self.padding, self.ceil_mode)
        out: Tensor = self._call("avg_pool", input, *window, self.count_include_pad, self.divisor_override)
        return out


class AvgPool2d(_AvgPool):
    """Mean of each window: (N, C, H, W) -> (N, C, H', W'); stride is the kernel size unless given.

    >>> import lamina
    >>> lamina.nn.AvgPool2d(2)(lamina.zeros(1, 3, 8, 6)).shape
    (1, 3, 4, 3)
    """

    _rank = 2


class AvgPool3d(_AvgPool):
    """Mean of each window: (N, C, D, H, W) -> (N, C, D', H', W'); stride is the kernel size unless given.

    >>> import lamina
    >>> lamina.nn.AvgPool3d(2)(lamina.zeros(1, 3, 4, 8, 6)).shape
    (1, 3, 2, 4, 3)
    """

    _rank = 3


class LPPool1d(_Pool):
    """(sum x^p)^(1/p) of each window: (N, C, L) -> (N, C, L'); stride is the kernel size unless given.

    >>> import lamina
    >>> lamina.nn.LPPool1d(2, 2)(lamina.ones(1, 1, 4)).shape
    (1, 1, 2)
    """

    _rank = 1
    _shown = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(
        self, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type, self.kernel_size, self.stride, self.ceil_mode = norm_type, kernel_size, stride, ceil_mode

    stride: Any

    def forward(self, input: Tensor) -> Tensor:
        out: Tensor = self._call("lp_pool", input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)
        return out


class LPPool2d(LPPool1d):
    """(sum x^p)^(1/p) of each window: (N, C, H, W) -> (N, C, H', W').

    >>> import lamina
    >>> lamina.nn.LPPool2d(2, 2)(lamina.ones(1, 1, 4, 4))[0, 0, 0].tolist()
    [2.0, 2.0]
    """

    _rank = 2


class LPPool3d(LPPool1d):
    """(sum x^p)^(1/p) of each window: (N, C, D, H, W) -> (N, C, D', H', W').

    >>> import lamina
    >>> lamina.nn.LPPool3d(2, 2)(lamina.ones(1, 1, 4, 4, 2)).shape
    (1, 1, 2, 2, 1)
    """

    _rank = 3


class _AdaptivePool(_Pool):
    _shown = ("output_size",)

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Any:
        return self._call("adaptive_avg_pool", input, self.output_size)


class AdaptiveAvgPool1d(_AdaptivePool):
    """Mean over windows chosen so that the output has a given size: (N, C, L) -> (N, C, output_size).

    >>> import lamina
    >>> lamina.nn.AdaptiveAvgPool1d(3)(lamina.zeros(2, 3, 7)).shape
    (2, 3, 3)
    """

    _rank = 1


class AdaptiveAvgPool2d(_AdaptivePool):
    """Mean over windows chosen so that the output has a given size: (N, C, H, W) -> (N, C, *output_size).

    >>> import lamina
    >>> lamina.nn.AdaptiveAvgPool2d(1)(lamina.zeros(2, 3, 7, 5)).shape
    (2, 3, 1, 1)
    """

    _rank = 2


class AdaptiveAvgPool3d(_AdaptivePool):
    """Mean over windows chosen so that the output has a given size: (N, C, D, H, W) -> (N, C, *output_size).

    >>> import lamina
    >>> lamina.nn.AdaptiveAvgPool3d((1, None, 2))(lamina.zeros(2, 3, 4, 7, 5)).shape
    (2, 3, 1, 7, 2)
    """

    _rank = 3


class _AdaptiveMaxPool(_AdaptivePool):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        return self._call("adaptive_max_pool", input, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """Largest values of windows chosen so that the output has a given size: (N, C, L) -> (N, C, output_size).

    >>> import lamina
    >>> lamina.nn.AdaptiveMaxPool1d(3)(lamina.zeros(2, 3, 7)).shape
    (2, 3, 3)
    """

    _rank = 1


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """Largest values of windows chosen so that the output has a given size: (N, C, H, W) -> (N, C, *output_size).

    >>> import lamina
    >>> lamina.nn.AdaptiveMaxPool2d((2, None))(lamina.zeros(2, 3, 7, 5)).shape
    (2, 3, 2, 5)
    """

    _rank = 2


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """Largest values of windows chosen so that the output has a given size: (N, C, D, H, W) -> (N, C, *output_size).

    >>> import lamina
    >>> lamina.nn.AdaptiveMaxPool3d(2)(lamina.zeros(2, 3, 4, 7, 5)).shape
    (2, 3, 2, 2, 2)
    """

    _rank = 3


class _MaxUnpool(_Pool):
    padding: Any

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        super().__init__()
        whole = [(v,) * self._rank if isinstance(v, int) else v for v in (kernel_size, stride, padding)]
        self._keep(whole[0], whole[1], padding=whole[2])  # type: ignore[arg-type]

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        window = (self.kernel_size, self.stride, self.padding)
        size = None if output_size is None else tuple(output_size)
        out: Tensor = self._call("max_unpool", input, indices, *window, size)
        return out


class MaxUnpool1d(_MaxUnpool):
    """Puts the values of MaxPool1d back where they were, zeros elsewhere: (N, C, L), int (N, C, L) -> (N, C, L').

    >>> import lamina
    >>> y, at = lamina.nn.MaxPool1d(2, return_indices=True)(lamina.tensor([[[1.0, 3.0, 2.0, 0.0]]]))
    >>> lamina.nn.MaxUnpool1d(2)(y, at).tolist()
    [[[0.0, 3.0, 2.0, 0.0]]]
    """

    _rank = 1


class MaxUnpool2d(_MaxUnpool):
    """Puts the values of MaxPool2d back where they were: (N, C, H, W), int (N, C, H, W) -> (N, C, H', W').

    >>> import lamina
    >>> y, at = lamina.nn.MaxPool2d(2, return_indices=True)(lamina.randn(1, 2, 4, 6))
    >>> lamina.nn.MaxUnpool2d(2)(y, at).shape
    (1, 2, 4, 6)
    """

    _rank = 2


class MaxUnpool3d(_MaxUnpool):
    """Puts the values of MaxPool3d back where they were: (N, C, D, H, W), int (N, C, D, H, W) -> (N, C, D', H', W').

    >>> import lamina
    >>> y, at = lamina.nn.MaxPool3d(2, return_indices=True)(lamina.randn(1, 2, 4, 4, 6))
    >>> lamina.nn.MaxUnpool3d(2)(y, at).shape
    (1, 2, 4, 4, 6)
    """

    _rank = 3
