"""Rectangles erased at random."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import lamina

from .._augment import Transform, normals, share, whole
from ._checks import Fill, fill_tensor, fill_values, like, need_images, size_pair, span
from .geometry import boxes

if TYPE_CHECKING:
    from .._C import Tensor


def rectangles(h: int, w: int, top: Tensor, left: Tensor, height: Tensor, width: Tensor) -> Tensor:
    """True inside of each sample's rectangle, clipped at the border: (N, 1, h, w)."""
    y, x = lamina.arange(h).reshape(1, h, 1), lamina.arange(w).reshape(1, 1, w)
    top, left, height, width = (t.to(lamina.int64).reshape(-1, 1, 1) for t in (top, left, height, width))
    return ((y >= top) & (y < top + height) & (x >= left) & (x < left + width)).unsqueeze(1)


class RandomErasing(Transform):
    """A random rectangle overwritten with probability p: (C, H, W) or (N, C, H, W).

    `scale` is the range of its share of the area, `ratio` that of width / height; after ten tries that do not fit, the
    image stays. `value` is a number, one per channel, or "random" for normal noise. (Zhong et al. 2017, arXiv 1708.04896.)

    >>> import lamina
    >>> lamina.vision.RandomErasing(p=1.0)(lamina.ones(3, 32, 32)).amin().item()
    0.0
    """

    draws = 1 + 22 + 1

    def __init__(
        self,
        p: float = 0.5,
        scale: tuple[float, float] = (0.02, 0.33),
        ratio: tuple[float, float] = (0.3, 3.3),
        value: Any = 0,
        inplace: bool = False,
    ) -> None:
        super().__init__()
        name = "RandomErasing"
        self.p, self.scale, self.ratio = (
            share(name, "p", p),
            span(name, "scale", scale, 0.0),
            span(name, "ratio", ratio, 1e-6),
        )
        if self.scale[1] > 1:
            raise ValueError(f"{name}: scale is a share of the area, between 0 and 1, got {scale!r}")
        self.value = "random" if value == "random" else fill_values(name, value)
        self.inplace = bool(inplace)

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        need_images("RandomErasing", batch)
        h, w = batch.shape[-2:]
        if not h or not w:
            return batch
        fits, height, width, top, left = boxes(h, w, u[:, 1:23], self.scale, self.ratio, strict=True)
        erased = rectangles(h, w, top, left, height, width) & (fits & (u[:, 0] < self.p)).reshape(-1, 1, 1, 1)
        if isinstance(self.value, str):
            noise = normals(u[:, 23], batch.shape[1:])
            new = like(noise if batch.is_floating_point() else noise * 255.0, batch).to(batch.dtype)
        else:
            new = fill_tensor("RandomErasing", self.value, batch)
        out = lamina.where(erased, new, batch)
        return batch.copy_(out) if self.inplace else out

    def extra_repr(self) -> str:
        return f"p={self.p}, scale={self.scale}, ratio={self.ratio}, value={self.value}"


class Cutout(Transform):
    """A rectangle around a random pixel overwritten, clipped at the border: (C, H, W) or (N, C, H, W).

    (DeVries and Taylor 2017, arXiv 1708.04552.)

    >>> import lamina
    >>> lamina.vision.Cutout(16)(lamina.ones(3, 32, 32)).amin().item()
    0.0
    """

    draws = 3

    def __init__(self, size: Any, p: float = 1.0, fill: Fill = 0) -> None:
        super().__init__()
        self.size, self.p, self.fill = size_pair("Cutout", size), share("Cutout", "p", p), fill_values("Cutout", fill)

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        h, w = batch.shape[-2:]
        top, left = whole(u[:, 1], h) - self.size[0] // 2, whole(u[:, 2], w) - self.size[1] // 2
        size = [lamina.full((len(batch),), side) for side in self.size]
        erased = rectangles(h, w, top, left, size[0], size[1]) & (u[:, 0] < self.p).reshape(-1, 1, 1, 1)
        return lamina.where(erased, fill_tensor("Cutout", self.fill, batch), batch)

    def extra_repr(self) -> str:
        return f"size={self.size}, p={self.p}, fill={self.fill}"
