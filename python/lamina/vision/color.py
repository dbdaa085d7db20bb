"""Colours: jitter, grayscale, noise, normalising and dtypes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import lamina

from .._augment import Transform, normals, share
from ._checks import as_float, like, need_images, per_sample, span, top_of

if TYPE_CHECKING:
    from .._C import Tensor


def _channels(name: str, images: Tensor, allowed: tuple[int, ...] = (1, 3)) -> int:
    need_images(name, images)
    count = int(images.shape[-3])
    if count not in allowed:
        known = " or ".join(map(str, allowed))
        raise lamina.ShapeError(f"{name}: expected {known} channels, got shape {tuple(images.shape)}")
    return count


def _gray(images: Tensor) -> Tensor:
    """Luma of floats: (N, 3 or 1, H, W) -> (N, 1, H, W) (ITU-R BT.601)."""
    if images.shape[1] == 1:
        return images
    return images[:, 0:1] * 0.2989 + images[:, 1:2] * 0.587 + images[:, 2:3] * 0.114


def _rgb_to_hsv(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue, saturation and value in [0, 1]: (N, 3, H, W) -> three times (N, H, W)."""
    r, g, b = images.unbind(1)
    value, low = images.amax(1), images.amin(1)
    chroma = value - low
    some = chroma > 0
    divisor = lamina.where(some, chroma, 1.0)
    hue = lamina.where(
        value == r, (g - b) / divisor, lamina.where(value == g, (b - r) / divisor + 2.0, (r - g) / divisor + 4.0)
    )
    return (hue / 6.0).remainder(1.0), chroma / lamina.where(value > 0, value, 1.0), value


def _hsv_to_rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """The inverse: each channel falls by up to chroma along a trapezoid of the hue."""
    chroma, six = value * saturation, hue * 6.0
    parts = []
    for start in (5.0, 3.0, 1.0):
        k = (six + start).remainder(6.0)
        parts.append(value - chroma * lamina.minimum(k, 4.0 - k).clamp(0.0, 1.0))
    return lamina.stack(parts, 1)


def _brightness(x: Tensor, factor: Tensor, top: float) -> Tensor:
    return (x * factor).clamp(0.0, top)


def _contrast(x: Tensor, factor: Tensor, top: float) -> Tensor:
    mean = _gray(x).mean((1, 2, 3), keepdim=True)
    return (x * factor + mean * (1.0 - factor)).clamp(0.0, top)


def _saturation(x: Tensor, factor: Tensor, top: float) -> Tensor:
    return x if x.shape[1] == 1 else (x * factor + _gray(x) * (1.0 - factor)).clamp(0.0, top)


def _hue(x: Tensor, shift: Tensor, top: float) -> Tensor:
    if x.shape[1] == 1:
        return x
    hue, saturation, value = _rgb_to_hsv(x / top)
    return _hsv_to_rgb((hue + shift[:, 0]).remainder(1.0), saturation, value) * top


_OPS: dict[str, Callable[[Tensor, Tensor, float], Tensor]] = {
    "brightness": _brightness,
    "contrast": _contrast,
    "saturation": _saturation,
    "hue": _hue,
}


class ColorJitter(Transform):
    """Random brightness, contrast, saturation and hue, in random order: (C, H, W) or (N, C, H, W), C 1 or 3.

    One number b stands for factors in (max(0, 1 - b), 1 + b), for hue, at most 0.5, for shifts in (-h, h) of the circle
    of colours. Floats are in [0, 1]; uint8 is computed in float32 and rounded once.

    >>> import lamina
    >>> jitter = lamina.vision.ColorJitter(brightness=(0.5, 0.5))
    >>> jitter(lamina.ones(3, 2, 2)).amax().item()
    0.5
    """

    def __init__(self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0) -> None:
        super().__init__()
        given = {"brightness": brightness, "contrast": contrast, "saturation": saturation, "hue": hue}
        self.ranges = {what: found for what, value in given.items() if (found := self._range(what, value)) is not None}
        self.draws = 2 * len(self.ranges)  # a place in the order, and a factor

    @staticmethod
    def _range(what: str, value: Any) -> tuple[float, float] | None:
        middle = 0.0 if what == "hue" else 1.0
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if not 0 <= value < math.inf:
                raise ValueError(f"ColorJitter: {what} must not be negative, got {value!r}")
            value = (middle - value if what == "hue" else max(0.0, middle - value), middle + value)
        low, high = span("ColorJitter", what, value, -0.5 if what == "hue" else 0.0)
        if what == "hue" and high > 0.5:
            raise ValueError(f"ColorJitter: hue must lie between -0.5 and 0.5, got {(low, high)}")
        return None if low == high == middle else (low, high)

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        _channels("ColorJitter", batch)
        count = len(self.ranges)
        if not count or not len(batch):
            return batch
        ranges = lamina.tensor(list(self.ranges.values()), dtype=lamina.float64)
        factors = ranges[:, 0] + (ranges[:, 1] - ranges[:, 0]) * u[:, count:]
        groups: dict[tuple[int, ...], list[int]] = {}  # samples with one order of the operations go together
        for i, order in enumerate(u[:, :count].argsort(1).tolist()):
            groups.setdefault(tuple(order), []).append(i)
        ops, top = [_OPS[what] for what in self.ranges], top_of(batch)
        parts, places = [], []
        for order, rows in groups.items():
            index = lamina.tensor(rows)
            part, factor = as_float(batch.index_select(0, index)), factors.index_select(0, index)
            for op in order:
                part = ops[op](part, per_sample(factor[:, op], part), top)
            parts.append(like(part, batch))
            places += rows
        return lamina.cat(parts).index_select(0, lamina.tensor(places).argsort())

    def extra_repr(self) -> str:
        return ", ".join(f"{what}={found}" for what, found in self.ranges.items())


class Grayscale(Transform):
    """Luma 0.2989 R + 0.587 G + 0.114 B, once or three times: (C, H, W) -> (num_output_channels, H, W), C 1 or 3.

    >>> import lamina
    >>> lamina.vision.Grayscale()(lamina.ones(3, 2, 2)).shape
    (1, 2, 2)
    """

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        if num_output_channels not in (1, 3):
            raise ValueError(f"Grayscale: num_output_channels must be 1 or 3, got {num_output_channels!r}")
        self.num_output_channels = num_output_channels

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        _channels("Grayscale", batch)
        gray = like(_gray(as_float(batch)), batch)
        return gray.repeat(1, 3, 1, 1) if self.num_output_channels == 3 else gray

    def extra_repr(self) -> str:
        return f"num_output_channels={self.num_output_channels}"


class RandomGrayscale(Transform):
    """Grayscale with probability p, the channels stay: (C, H, W) or (N, C, H, W), C 1 or 3.

    >>> import lamina
    >>> lamina.vision.RandomGrayscale()(lamina.ones(3, 2, 2)).shape
    (3, 2, 2)
    """

    draws = 1

    def __init__(self, p: float = 0.1) -> None:
        super().__init__()
        self.p = share("RandomGrayscale", "p", p)

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        _channels("RandomGrayscale", batch)
        return lamina.where((u < self.p).reshape(-1, 1, 1, 1), like(_gray(as_float(batch)), batch), batch)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class GaussianNoise(Transform):
    """Adds independent normal numbers to every value: (C, H, W) or (N, C, H, W).

    `mean` and `sigma` are in shares of white (1 in floats, 255 in uint8); `clip` limits the result to black and white.

    >>> import lamina
    >>> lamina.vision.GaussianNoise(sigma=0.2)(lamina.zeros(1, 4, 4)).amin().item()
    0.0
    """

    draws = 1

    def __init__(self, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> None:
        super().__init__()
        if not math.isfinite(mean) or not 0 <= sigma < math.inf:
            raise ValueError(f"GaussianNoise: mean must be finite, sigma not negative, got {mean!r} and {sigma!r}")
        self.mean, self.sigma, self.clip = float(mean), float(sigma), bool(clip)

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        need_images("GaussianNoise", batch)
        top = top_of(batch)
        noise = normals(u[:, 0], batch.shape[1:]).to(as_float(batch[:0]).dtype)
        out = as_float(batch) + (noise * self.sigma + self.mean) * top
        return like(out.clamp(0.0, top) if self.clip else out, batch)

    def extra_repr(self) -> str:
        return f"mean={self.mean}, sigma={self.sigma}, clip={self.clip}"


class Normalize(Transform):
    """(image - mean) / std, each one number per channel: floats (C, H, W) or (N, C, H, W).

    >>> import lamina
    >>> lamina.vision.Normalize([0.5], [0.25])(lamina.ones(1, 1, 2)).tolist()
    [[[2.0, 2.0]]]
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        super().__init__()
        self.mean, self.std, self.inplace = tuple(map(float, mean)), tuple(map(float, std)), bool(inplace)
        if len(self.mean) != len(self.std) or not self.mean:
            raise ValueError(f"Normalize: one mean and std per channel, got {len(self.mean)} and {len(self.std)}")
        if not all(map(math.isfinite, (*self.mean, *self.std))) or min(self.std) <= 0:
            raise ValueError(f"Normalize: mean must be finite and std positive, got {mean!r} and {std!r}")

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        if not batch.is_floating_point():
            raise lamina.DtypeError(f"Normalize: images must be floating, got {batch.dtype}; hint: ToFloat() before")
        if len(self.mean) not in (1, batch.shape[-3]):
            raise lamina.ShapeError(
                f"Normalize: {len(self.mean)} means for {batch.shape[-3]} channels, shape {tuple(batch.shape)}"
            )
        mean, std = (
            lamina.tensor(values, dtype=batch.dtype).reshape(-1, 1, 1).to(batch.device)
            for values in (self.mean, self.std)
        )
        return batch.sub_(mean).div_(std) if self.inplace else (batch - mean) / std

    def extra_repr(self) -> str:
        return f"mean={self.mean}, std={self.std}"


class ConvertImageDtype(Transform):
    """Another dtype with white kept white: 255 in uint8 is 1 in floats.

    Floats to uint8 take 256 steps of equal width: x * 255.999 rounded down, limited to 0 ... 255.

    >>> import lamina
    >>> lamina.vision.ConvertImageDtype(lamina.uint8)(lamina.tensor([[[0.0, 0.5, 1.0]]])).tolist()
    [[[0, 127, 255]]]
    """

    def __init__(self, dtype: Any = lamina.float32) -> None:
        super().__init__()
        if not isinstance(dtype, lamina.dtype) or not (dtype.is_floating_point or dtype == lamina.uint8):
            raise lamina.DtypeError(f"{type(self).__name__}: dtype must be uint8 or floating, got {dtype}")
        self.dtype = dtype

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        need_images(type(self).__name__, batch)
        if batch.is_floating_point() == self.dtype.is_floating_point:
            return batch.to(self.dtype)
        if batch.is_floating_point():
            return (batch.to(lamina.float32) * 255.999).clamp(0.0, 255.0).to(lamina.uint8)
        wide = self.dtype if self.dtype == lamina.float64 else lamina.float32
        return (batch.to(wide) / 255.0).to(self.dtype)

    def extra_repr(self) -> str:
        return f"dtype={self.dtype}"


class ToFloat(ConvertImageDtype):
    """float32 in [0, 1] of uint8: (C, H, W) or (N, C, H, W).

    >>> import lamina
    >>> lamina.vision.ToFloat()(lamina.full((1, 1, 1), 255, dtype=lamina.uint8)).item()
    1.0
    """

    def __init__(self) -> None:
        super().__init__(lamina.float32)
