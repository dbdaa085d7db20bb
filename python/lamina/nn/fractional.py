"""Fractional max pooling (Graham 2014): windows whose places are drawn, for outputs of any size."""

from __future__ import annotations

from typing import Any

import lamina

from .._C import InvalidValue, Tensor
from .module import Module

Sizes = int | tuple[int, ...]


def _tuple(what: str, value: Any, rank: int) -> tuple[Any, ...]:
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank
    if len(values) != rank:
        raise InvalidValue(f"{what} must be one value or {rank}, got {value!r}")
    return values


def _starts(samples: Tensor, size: int, kernel: int, outputs: int) -> Tensor:
    """Where the windows begin, (N, C, outputs): steps of about (size - kernel) / (outputs - 1), shifted by a sample."""
    if outputs == 1:
        return lamina.full((*samples.shape, 1), size - kernel, dtype=lamina.int64, device=samples.device)
    alpha = (size - kernel) / (outputs - 1)
    step = lamina.arange(outputs, dtype=samples.dtype, device=samples.device)
    shift = samples.unsqueeze(-1)
    places = ((step + shift) * alpha).floor().long() - (shift * alpha).floor().long()
    return lamina.where(step == outputs - 1, size - kernel, places)


def _pool(
    rank: int,
    input: Tensor,
    kernel_size: Sizes,
    output_size: Any,
    output_ratio: Any,
    return_indices: bool,
    _random_samples: Tensor | None,
) -> Any:
    name = f"fractional_max_pool{rank}d"
    if input.ndim not in (rank + 1, rank + 2):
        raise lamina.ShapeError(f"{name}: needs {rank + 1} or {rank + 2} dims, got input {tuple(input.shape)}")
    x = input if input.ndim == rank + 2 else input.unsqueeze(0)
    sizes, kernels = tuple(x.shape[2:]), _tuple(f"{name}: kernel_size", kernel_size, rank)
    if (output_size is None) == (output_ratio is None):
        raise InvalidValue(f"{name}: give output_size or output_ratio, not both")
    if output_size is None:
        ratios = _tuple(f"{name}: output_ratio", output_ratio, rank)
        output_size = tuple(int(size * ratio) for size, ratio in zip(sizes, ratios, strict=True))
    outputs = _tuple(f"{name}: output_size", output_size, rank)
    for size, kernel, count in zip(sizes, kernels, outputs, strict=True):
        if kernel < 1 or count < 1 or count + kernel - 1 > size:
            raise lamina.ShapeError(
                f"{name}: {count} windows of {kernel} do not fit into {size}: input {tuple(input.shape)}"
            )
    samples = _random_samples
    if samples is None:
        samples = lamina.rand((x.shape[0], x.shape[1], rank), dtype=x.dtype, device=x.device)
    if tuple(samples.shape) != (x.shape[0], x.shape[1], rank):
        raise lamina.ShapeError(
            f"{name}: _random_samples must be {(x.shape[0], x.shape[1], rank)}, got {tuple(samples.shape)}"
        )
    values, places = _largest(x, samples.detach(), sizes, kernels, outputs)
    if input.ndim == rank + 1:
        values, places = values.squeeze(0), places.squeeze(0)
    return (values, places) if return_indices else values


def _largest(
    x: Tensor, samples: Tensor, sizes: tuple[int, ...], kernels: tuple[int, ...], outputs: tuple[int, ...]
) -> tuple[Tensor, Tensor]:
    """The largest value of each window, and its place in the flat input. Samples name the last dim first in 2-D."""
    rank, batch = len(sizes), tuple(x.shape[:2])
    order = [1, 0] if rank == 2 else [0, 1, 2]
    flat: Any = 0
    for dim in range(rank):  # places of all windows: (N, C, *outputs, *kernels)
        start = _starts(samples[..., order[dim]], sizes[dim], kernels[dim], outputs[dim])
        inside = start.unsqueeze(-1) + lamina.arange(kernels[dim], device=x.device)
        shape = [1] * (2 * rank)
        shape[dim], shape[rank + dim] = outputs[dim], kernels[dim]
        flat = flat * sizes[dim] + inside.reshape((*batch, *shape))
    windows = flat.reshape((*batch, -1, flat[0, 0].numel() // max(1, _product(outputs)))) if flat.numel() else flat
    pixels = x.flatten(2)
    with lamina.no_grad():
        seen = pixels.gather(2, windows.flatten(2)).reshape(windows.shape)
        best = seen.argmax(-1, keepdim=True)
        place = windows.gather(-1, best).squeeze(-1)
    values = pixels.gather(2, place)
    return values.reshape((*batch, *outputs)), place.reshape((*batch, *outputs))


def _product(values: tuple[int, ...]) -> int:
    total = 1
    for value in values:
        total *= value
    return total


def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Sizes,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """The largest value of windows at drawn places: (N, C, H, W) -> (N, C, *output_size), and with return_indices
    their places in the flat image. output_ratio gives the sizes as shares of the input's."""
    return _pool(2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Sizes,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """The largest value of windows at drawn places: (N, C, T, H, W) -> (N, C, *output_size), and with return_indices
    their places in the flat volume. output_ratio gives the sizes as shares of the input's."""
    return _pool(3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool2d_with_indices(*args: Any, **kwargs: Any) -> Any:
    """fractional_max_pool2d with return_indices=True."""
    return fractional_max_pool2d(*args, **{**kwargs, "return_indices": True})


def fractional_max_pool3d_with_indices(*args: Any, **kwargs: Any) -> Any:
    """fractional_max_pool3d with return_indices=True."""
    return fractional_max_pool3d(*args, **{**kwargs, "return_indices": True})


class _FractionalMaxPool(Module):
    _rank = 0
    _random_samples: Tensor | None

    def __init__(
        self,
        kernel_size: Sizes,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if (output_size is None) == (output_ratio is None):
            raise InvalidValue(f"{name}: give output_size or output_ratio, not both")
        self.kernel_size = _tuple(f"{name}: kernel_size", kernel_size, self._rank)
        self.output_size = None if output_size is None else _tuple(f"{name}: output_size", output_size, self._rank)
        self.output_ratio = None if output_ratio is None else _tuple(f"{name}: output_ratio", output_ratio, self._rank)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        for ratio in self.output_ratio or ():
            if not 0 < ratio < 1:
                raise InvalidValue(f"{name}: output_ratio must be between 0 and 1, got {output_ratio}")

    def forward(self, input: Tensor) -> Any:
        sizes = self.kernel_size, self.output_size, self.output_ratio
        return _pool(self._rank, input, *sizes, self.return_indices, self._random_samples)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, output_size={self.output_size}, output_ratio={self.output_ratio}"


class FractionalMaxPool2d(_FractionalMaxPool):
    """Max pooling with drawn windows: (N, C, H, W) -> (N, C, *output_size), or the shares output_ratio of H and W.

    >>> import lamina
    >>> lamina.nn.FractionalMaxPool2d(2, output_ratio=0.7)(lamina.zeros(1, 3, 10, 20)).shape
    (1, 3, 7, 14)
    """

    _rank = 2


class FractionalMaxPool3d(_FractionalMaxPool):
    """Max pooling with drawn windows: (N, C, T, H, W) -> (N, C, *output_size), or the shares output_ratio.

    >>> import lamina
    >>> lamina.nn.FractionalMaxPool3d(2, output_size=(3, 4, 5))(lamina.zeros(1, 2, 6, 8, 10)).shape
    (1, 2, 3, 4, 5)
    """

    _rank = 3
