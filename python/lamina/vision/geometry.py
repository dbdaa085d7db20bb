"""Flips, crops, padding and resizing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import lamina

from .._augment import Transform, share, whole
from .._C import functional as _F
from ._checks import Fill, as_float, fill_tensor, fill_values, like, need_images, size_pair, span

if TYPE_CHECKING:
    from .._C import Tensor

_PADDINGS = ("constant", "edge", "reflect", "symmetric")
_TRIES = 10


class RandomHorizontalFlip(Transform):
    """Left and right exchanged with probability p: (C, H, W) or (N, C, H, W).

    >>> import lamina
    >>> lamina.vision.RandomHorizontalFlip(p=1.0)(lamina.tensor([[[1, 2, 3]]])).tolist()
    [[[3, 2, 1]]]
    """

    draws, dim = 1, -1

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = share(type(self).__name__, "p", p)

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        return lamina.where((u < self.p).reshape(-1, 1, 1, 1), batch.flip(self.dim), batch)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class RandomVerticalFlip(RandomHorizontalFlip):
    """Top and bottom exchanged with probability p: (C, H, W) or (N, C, H, W).

    >>> import lamina
    >>> lamina.vision.RandomVerticalFlip(p=1.0)(lamina.tensor([[[1], [2]]])).tolist()
    [[[2], [1]]]
    """

    dim = -2


def _margins(name: str, padding: Any) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of one number, (left and right, top and bottom), or all four."""
    given = (padding,) if isinstance(padding, int) else tuple(padding) if isinstance(padding, (list, tuple)) else ()
    if len(given) not in (1, 2, 4) or not all(isinstance(m, int) and m >= 0 for m in given):
        raise ValueError(f"{name}: padding must be 1, 2 or 4 ints of at least 0, got {padding!r}")
    left, top = given[0], given[1 % len(given)]
    return (given[0], given[1], given[2], given[3]) if len(given) == 4 else (left, top, left, top)


def _mirror(count: int, before: int, after: int, mode: str) -> Tensor:
    """Which row of `count` stands at each place of the padded side."""
    place = lamina.arange(-before, count + after)
    if mode == "edge":
        return place.clamp(0, count - 1)
    period = 2 * count if mode == "symmetric" else max(2 * count - 2, 1)
    place = place.remainder(period)
    return lamina.minimum(place, period - (1 if mode == "symmetric" else 0) - place)


def padded(
    name: str, images: Tensor, margins: tuple[int, int, int, int], fill: float | tuple[float, ...], mode: str
) -> Tensor:
    """Images with left, top, right and bottom margins."""
    left, top, right, bottom = margins
    if not any(margins):
        return images
    h, w = images.shape[-2:]
    if mode != "constant":
        if mode == "reflect" and (max(left, right) >= w or max(top, bottom) >= h):
            raise lamina.ShapeError(f"{name}: reflect padding {margins} must be smaller than the image ({h}, {w})")
        rows, columns = _mirror(h, top, bottom, mode), _mirror(w, left, right, mode)
        return images.index_select(-2, rows).index_select(-1, columns)
    values = fill_tensor(name, fill, images)
    out = _F.pad(images, (left, right, top, bottom), value=fill if not isinstance(fill, tuple) else 0.0)
    if not isinstance(fill, tuple):
        return out
    y, x = lamina.arange(h + top + bottom).unsqueeze(1), lamina.arange(w + left + right)
    inside = (y >= top) & (y < top + h) & (x >= left) & (x < left + w)
    return lamina.where(inside, out, values)


class Pad(Transform):
    """Margins added on all sides: (C, H, W) -> (C, H + top + bottom, W + left + right).

    `padding` is one number, (left and right, top and bottom) or (left, top, right, bottom); `padding_mode` is constant
    (with `fill`, a number or one per channel), edge, reflect or symmetric.

    >>> import lamina
    >>> lamina.vision.Pad((1, 0), padding_mode="edge")(lamina.tensor([[[1, 2]]])).tolist()
    [[[1, 1, 2, 2]]]
    """

    def __init__(self, padding: Any, fill: Fill = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        name = type(self).__name__
        self.padding, self.fill = _margins(name, padding), fill_values(name, fill)
        self.padding_mode = _known(name, "padding_mode", padding_mode, _PADDINGS)

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        return padded("Pad", batch, self.padding, self.fill, self.padding_mode)

    def extra_repr(self) -> str:
        return f"{self.padding}, fill={self.fill}, padding_mode={self.padding_mode!r}"


def _known(name: str, what: str, value: str, names: tuple[str, ...]) -> str:
    if value not in names:
        raise ValueError(f"{name}: {what} must be one of {', '.join(names)}, got {value!r}")
    return value


class CenterCrop(Transform):
    """The middle of the image, with a black margin where it is too small: (C, H, W) -> (C, *size).

    >>> import lamina
    >>> lamina.vision.CenterCrop(2)(lamina.arange(16).reshape(1, 4, 4)).tolist()
    [[[5, 6], [9, 10]]]
    """

    def __init__(self, size: Any) -> None:
        super().__init__()
        self.size = size_pair("CenterCrop", size)

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        h, w = self.size
        down, right = max(0, h - batch.shape[-2]), max(0, w - batch.shape[-1])
        margins = (right // 2, down // 2, (right + 1) // 2, (down + 1) // 2)
        batch = padded("CenterCrop", batch, margins, 0.0, "constant")
        top, left = round((batch.shape[-2] - h) / 2.0), round((batch.shape[-1] - w) / 2.0)
        return batch[:, :, top : top + h, left : left + w]

    def extra_repr(self) -> str:
        return f"size={self.size}"


class RandomCrop(Transform):
    """A random window, after padding: (C, H, W) -> (C, *size).

    `padding`, `fill` and `padding_mode` as in Pad; `pad_if_needed` adds margins where the image is smaller than the
    window.

    >>> import lamina
    >>> lamina.vision.RandomCrop(32, padding=4)(lamina.zeros(10, 3, 32, 32)).shape
    (10, 3, 32, 32)
    """

    draws = 2

    def __init__(
        self,
        size: Any,
        padding: Any = None,
        pad_if_needed: bool = False,
        fill: Fill = 0,
        padding_mode: str = "constant",
    ) -> None:
        super().__init__()
        name = "RandomCrop"
        self.size, self.fill, self.pad_if_needed = size_pair(name, size), fill_values(name, fill), bool(pad_if_needed)
        self.padding = (0, 0, 0, 0) if padding is None else _margins(name, padding)
        self.padding_mode = _known(name, "padding_mode", padding_mode, _PADDINGS)

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        h, w = self.size
        batch = padded("RandomCrop", batch, self.padding, self.fill, self.padding_mode)
        if self.pad_if_needed:
            down, right = max(0, h - batch.shape[-2]), max(0, w - batch.shape[-1])
            batch = padded("RandomCrop", batch, (right, down, right, down), self.fill, self.padding_mode)
        rows, columns = batch.shape[-2] - h, batch.shape[-1] - w
        if rows < 0 or columns < 0:
            raise lamina.ShapeError(
                f"RandomCrop: the window {self.size} is larger than the (padded) image {tuple(batch.shape[-2:])}; "
                "hint: pad_if_needed=True"
            )
        windows = batch.unfold(2, h, 1).unfold(3, w, 1)  # (N, C, places, places, h, w), a view
        top, left = whole(u[:, 0], rows + 1), whole(u[:, 1], columns + 1)
        return windows[lamina.arange(len(batch)), :, top, left]

    def extra_repr(self) -> str:
        return f"size={self.size}, padding={self.padding}, pad_if_needed={self.pad_if_needed}"


def resample_weights(start: Tensor, length: Tensor, size: int, out: int, mode: str, antialias: bool) -> Tensor:
    """How much each of `size` pixels counts in each of `out` pixels of a piece [start, start + length): (N, out, size).

    A triangle around the place that an output pixel's centre has in the input, as wide as an output pixel when
    antialias shrinks; pixels outside of the piece do not count, and the weights of an output pixel sum to 1.
    """
    start, length = start.reshape(-1, 1, 1), length.reshape(-1, 1, 1)
    step = length / out
    pixel = lamina.arange(size, dtype=lamina.float64)
    if mode == "nearest":
        source = (start + (lamina.arange(out, dtype=lamina.float64).unsqueeze(1) * step).floor()).clamp(0, size - 1)
        return (pixel == source).to(lamina.float64)
    centre = start + (lamina.arange(out, dtype=lamina.float64).unsqueeze(1) + 0.5) * step
    width = step.clamp_min(1.0) if antialias else lamina.ones_like(step)
    weight = (1.0 - (pixel + 0.5 - centre).abs() / width).clamp_min(0.0)
    weight = lamina.where((pixel >= start) & (pixel < start + length), weight, 0.0)
    return weight / weight.sum(-1, keepdim=True)


def resampled(batch: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """(N, C, H, W) with weights (N or 1, H', H) and (N or 1, W', W) -> (N, C, H', W')."""
    x = as_float(batch)
    rows, columns = rows.to(x.dtype), columns.to(x.dtype)
    n, c, h, w = x.shape
    if len(columns) == 1:
        x = x.matmul(columns[0].t())
    else:
        x = x.reshape(n, c * h, w).bmm(columns.transpose(1, 2)).reshape(n, c, h, columns.shape[1])
    return like(rows.unsqueeze(1).matmul(x), batch)


class Resize(Transform):
    """Another size: (C, H, W) -> (C, *size); an int is the shorter side, and the shape is kept.

    `interpolation` is bilinear or nearest; `antialias` averages over all pixels that fall into a pixel of a smaller
    image. `max_size` limits the longer side when `size` is an int.

    >>> import lamina
    >>> lamina.vision.Resize(8)(lamina.zeros(3, 16, 32)).shape
    (3, 8, 16)
    """

    def __init__(
        self, size: Any, interpolation: str = "bilinear", max_size: int | None = None, antialias: bool = True
    ) -> None:
        super().__init__()
        self.size = size_pair("Resize", size)
        self.shorter = size if isinstance(size, int) else size[0] if len(size) == 1 else None
        if max_size is not None and (self.shorter is None or max_size < self.shorter):
            raise ValueError(f"Resize: max_size {max_size} needs an int size that is not larger, got {size!r}")
        self.max_size, self.antialias = max_size, bool(antialias)
        self.interpolation = _known("Resize", "interpolation", interpolation, ("bilinear", "nearest"))

    def target(self, h: int, w: int) -> tuple[int, int]:
        """The size that an image of h rows and w columns gets."""
        if self.shorter is None:
            return self.size
        short, long = self.shorter, int(self.shorter * max(h, w) / min(h, w))
        if self.max_size is not None and long > self.max_size:
            short, long = max(1, int(self.max_size * short / long)), self.max_size
        return (short, long) if h <= w else (long, short)

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        need_images("Resize", batch)
        h, w = batch.shape[-2:]
        if not h or not w:
            raise lamina.ShapeError(f"Resize: the image is empty, shape {tuple(batch.shape)}")
        height, width = self.target(h, w)
        if (height, width) == (h, w):
            return batch
        zero, mode = lamina.zeros(1, dtype=lamina.float64), (self.interpolation, self.antialias)
        rows = resample_weights(zero, zero + h, h, height, *mode)
        return resampled(batch, rows, resample_weights(zero, zero + w, w, width, *mode))

    def extra_repr(self) -> str:
        size = self.size if self.shorter is None else self.shorter
        return f"size={size}, interpolation={self.interpolation!r}, antialias={self.antialias}"


def boxes(
    h: int, w: int, u: Tensor, scale: tuple[float, float], ratio: tuple[float, float], strict: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """(fits, heights, widths, tops, lefts), float64 (N): the first of ten tries of area and aspect that fits.

    u is (N, 22); areas are shares of h w, aspects (width / height) even in their logarithm. Strict: below the image.
    """
    tries = u[:, :-2].reshape(len(u), _TRIES, 2)
    area = h * w * (scale[0] + (scale[1] - scale[0]) * tries[:, :, 0])
    low, high = lamina.tensor(ratio, dtype=lamina.float64).log().tolist()
    aspect = (low + (high - low) * tries[:, :, 1]).exp()
    widths, heights = (area * aspect).sqrt().round(), (area / aspect).sqrt().round()
    fits = (widths >= 1) & (heights >= 1)
    fits &= (widths < w) & (heights < h) if strict else (widths <= w) & (heights <= h)
    first = fits.to(lamina.int64).argmax(1, keepdim=True)
    height, width = heights.gather(1, first)[:, 0], widths.gather(1, first)[:, 0]
    top, left = (u[:, -2] * (h - height + 1)).floor(), (u[:, -1] * (w - width + 1)).floor()
    return fits.any(1), height, width, top, left


class RandomResizedCrop(Transform):
    """A window of random area and aspect, resized: (C, H, W) -> (C, *size).

    `scale` is the range of the window's share of the area, `ratio` that of width / height; after ten tries that do not
    fit, the largest window in the middle whose aspect is in range. (Szegedy et al. 2015, arXiv 1409.4842, section 6.)

    >>> import lamina
    >>> lamina.vision.RandomResizedCrop(16)(lamina.zeros(4, 3, 20, 30)).shape
    (4, 3, 16, 16)
    """

    draws = 2 * _TRIES + 2

    def __init__(
        self,
        size: Any,
        scale: tuple[float, float] = (0.08, 1.0),
        ratio: tuple[float, float] = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: str = "bilinear",
        antialias: bool = True,
    ) -> None:
        super().__init__()
        name = "RandomResizedCrop"
        self.size, self.scale = size_pair(name, size), span(name, "scale", scale, 0.0)
        self.ratio = span(name, "ratio", ratio, 1e-6)
        self.interpolation = _known(name, "interpolation", interpolation, ("bilinear", "nearest"))
        self.antialias = bool(antialias)

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        need_images("RandomResizedCrop", batch)
        h, w = batch.shape[-2:]
        if not h or not w:
            raise lamina.ShapeError(f"RandomResizedCrop: the image is empty, shape {tuple(batch.shape)}")
        fits, *found = boxes(h, w, u, self.scale, self.ratio, strict=False)
        width, height = w, h
        if w / h < self.ratio[0]:
            height = min(h, round(w / self.ratio[0]))
        elif w / h > self.ratio[1]:
            width = min(w, round(h * self.ratio[1]))
        middle = (height, width, (h - height) // 2, (w - width) // 2)
        rest = [lamina.where(fits, box, float(value)) for box, value in zip(found, middle, strict=True)]
        tall, wide, top, left = rest
        mode = (self.interpolation, self.antialias)
        rows = resample_weights(top, tall, h, self.size[0], *mode)
        return resampled(batch, rows, resample_weights(left, wide, w, self.size[1], *mode))

    def extra_repr(self) -> str:
        return f"size={self.size}, scale={self.scale}, ratio={self.ratio}, interpolation={self.interpolation!r}"
