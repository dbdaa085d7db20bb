"""Images resampled and rearranged: Upsample, PixelShuffle, Fold ..."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _C
from .._C import Tensor
from . import functional
from ._sizes import Sizes
from .module import Module

if TYPE_CHECKING:
    from .._C import functional as _F
else:
    from . import _called as _F

Factors = float | tuple[float, ...]


class Upsample(Module):
    """Resamples to `size` or by `scale_factor`: (N, C, L), (N, C, H, W) or (N, C, D, H, W) -> the same with new sides.

    >>> import lamina
    >>> lamina.nn.Upsample(scale_factor=2, mode="bilinear")(lamina.zeros(1, 3, 4, 5)).shape
    (1, 3, 8, 10)
    """

    def __init__(
        self,
        size: Sizes | None = None,
        scale_factor: Factors | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        if isinstance(scale_factor, tuple):
            scale_factor = tuple(float(f) for f in scale_factor)
        self.size, self.scale_factor = size, float(scale_factor) if isinstance(scale_factor, int) else scale_factor
        self.mode, self.align_corners = mode, align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        return _F.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self) -> str:
        what = "size" if self.scale_factor is None else "scale_factor"
        return f"{what}={getattr(self, what)!r}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Repeats the nearest pixel: (N, C, H, W) -> (N, C, H', W').

    >>> import lamina
    >>> lamina.nn.UpsamplingNearest2d(scale_factor=2)(lamina.tensor([[[[1.0, 2.0]]]]))[0, 0, 0].tolist()
    [1.0, 1.0, 2.0, 2.0]
    """

    def __init__(self, size: Sizes | None = None, scale_factor: Factors | None = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Bilinear with aligned corners: (N, C, H, W) -> (N, C, H', W').

    >>> import lamina
    >>> lamina.nn.UpsamplingBilinear2d(size=(1, 3))(lamina.tensor([[[[1.0, 2.0]]]]))[0, 0, 0].tolist()
    [1.0, 1.5, 2.0]
    """

    def __init__(self, size: Sizes | None = None, scale_factor: Factors | None = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)


class PixelShuffle(Module):
    """Channels into pixels: (*, C r^2, H, W) -> (*, C, H r, W r).

    >>> import lamina
    >>> lamina.nn.PixelShuffle(2)(lamina.zeros(1, 8, 3, 4)).shape
    (1, 2, 6, 8)
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return _C.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Pixels into channels: (*, C, H r, W r) -> (*, C r^2, H, W).

    >>> import lamina
    >>> lamina.nn.PixelUnshuffle(2)(lamina.zeros(1, 2, 6, 8)).shape
    (1, 8, 3, 4)
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return _C.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """Deals the channels out between groups: (N, C, *) -> (N, C, *).

    >>> import lamina
    >>> lamina.nn.ChannelShuffle(2)(lamina.arange(4.0).reshape(1, 4, 1)).flatten().tolist()
    [0.0, 2.0, 1.0, 3.0]
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return _C.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"


class Unfold(Module):
    """Windows as columns: (N, C, H, W) -> (N, C kh kw, L).

    >>> import lamina
    >>> lamina.nn.Unfold((2, 3))(lamina.zeros(2, 5, 3, 4)).shape
    (2, 30, 4)
    """

    def __init__(self, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1) -> None:
        super().__init__()
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        return functional.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Fold(Module):
    """Columns added into images, the transpose of Unfold: (N, C kh kw, L) -> (N, C, *output_size).

    >>> import lamina
    >>> lamina.nn.Fold((4, 5), (2, 2))(lamina.zeros(1, 12, 12)).shape
    (1, 3, 4, 5)
    """

    def __init__(
        self, output_size: Sizes, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
    ) -> None:
        super().__init__()
        self.output_size, self.kernel_size = output_size, kernel_size
        self.dilation, self.padding, self.stride = dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        return _F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        names = ("output_size", "kernel_size", "dilation", "padding", "stride")
        return ", ".join(f"{name}={getattr(self, name)}" for name in names)
