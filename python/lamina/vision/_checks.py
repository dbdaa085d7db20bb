"""Arguments that several transforms take, checked, and images to floats and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import lamina

if TYPE_CHECKING:
    from .._C import Tensor

Fill = float | Sequence[float]


def size_pair(name: str, size: Any) -> tuple[int, int]:
    """(height, width) of an int (a square) or of two."""
    sides = (size, size) if isinstance(size, int) else tuple(size) if isinstance(size, (list, tuple)) else ()
    if len(sides) == 1:
        sides = (sides[0], sides[0])
    if len(sides) != 2 or not all(isinstance(s, int) and not isinstance(s, bool) and s > 0 for s in sides):
        raise ValueError(f"{name}: size must be a positive int or (height, width), got {size!r}")
    return sides[0], sides[1]


def span(name: str, what: str, value: Any, low: float | None = None, sorted_: bool = True) -> tuple[float, float]:
    """Two finite numbers, the first not above the second and not below `low`."""
    ends = tuple(value) if isinstance(value, (list, tuple)) else ()
    if len(ends) != 2 or not all(isinstance(e, (int, float)) and math.isfinite(e) for e in ends):
        raise ValueError(f"{name}: {what} must be two finite numbers, got {value!r}")
    if (sorted_ and ends[0] > ends[1]) or (low is not None and min(ends) < low):
        least = "" if low is None else f", not below {low:g}"
        raise ValueError(f"{name}: {what} must be (smallest, largest){least}, got {value!r}")
    return float(ends[0]), float(ends[1])


def angles(name: str, degrees: Any) -> tuple[float, float]:
    """One number d stands for (-d, d)."""
    if isinstance(degrees, (int, float)) and not isinstance(degrees, bool):
        if not 0 <= degrees < math.inf:
            raise ValueError(f"{name}: a single number of degrees must not be negative, got {degrees!r}")
        return -float(degrees), float(degrees)
    return span(name, "degrees", degrees)


def fill_values(name: str, fill: Any) -> float | tuple[float, ...]:
    """One number, or one per channel."""
    values = tuple(fill) if isinstance(fill, (list, tuple)) else (fill,)
    if not values or not all(isinstance(v, (int, float)) and math.isfinite(v) for v in values):
        raise ValueError(f"{name}: fill must be a finite number or one per channel, got {fill!r}")
    return tuple(float(v) for v in values) if len(values) > 1 else float(values[0])


def fill_tensor(name: str, fill: float | tuple[float, ...], images: Tensor) -> Tensor:
    """(C, 1, 1), or (1, 1, 1) for one number, in the dtype of the images."""
    values = fill if isinstance(fill, tuple) else (fill,)
    channels = images.shape[-3]
    if len(values) not in (1, channels):
        raise lamina.ShapeError(f"{name}: fill has {len(values)} values for {channels} channels")
    if not images.is_floating_point() and any(v != int(v) for v in values):
        raise ValueError(f"{name}: fill {fill} is not whole, as {images.dtype} images need")
    return lamina.tensor(values, dtype=lamina.float64).to(images.dtype).reshape(-1, 1, 1).to(images.device)


def need_images(name: str, images: Tensor) -> None:
    if not images.is_floating_point() and images.dtype != lamina.uint8:
        raise lamina.DtypeError(f"{name}: images must be uint8 or floating, got {images.dtype}; hint: ToFloat()")


def top_of(images: Tensor) -> float:
    """White: 255 in uint8, 1 in floats."""
    return 1.0 if images.is_floating_point() else 255.0


def as_float(images: Tensor) -> Tensor:
    return images if images.is_floating_point() else images.to(lamina.float32)


def like(result: Tensor, images: Tensor) -> Tensor:
    """Floats back in the dtype of the images: uint8 is rounded to nearest and limited to 0 ... 255."""
    return result if images.is_floating_point() else result.round().clamp(0, 255).to(images.dtype)


def per_sample(values: Tensor, images: Tensor) -> Tensor:
    """float64 (N) as (N, 1, 1, 1) in the images' dtype."""
    return values.to(images.dtype).reshape(-1, 1, 1, 1)
