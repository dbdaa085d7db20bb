"""Rotations and other affine maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import lamina

from .._augment import Transform
from .._C import functional as _F
from ._checks import Fill, angles, as_float, fill_tensor, fill_values, like, need_images, span

if TYPE_CHECKING:
    from .._C import Tensor

_MODES = ("nearest", "bilinear")


def affine_matrix(angle: Tensor, translate: Tensor, scale: Tensor, shear: Tensor) -> Tensor:
    """Where each output place comes from: (N, 2, 3) in pixels from the centre.

    The image is sheared by `shear` (N, 2), rotated clockwise by `angle` (N), both in degrees, scaled, and moved by
    `translate` (N, 2) pixels: the inverse of that map.
    """
    turn, sx, sy = angle.deg2rad(), shear[:, 0].deg2rad(), shear[:, 1].deg2rad()
    # rotation times shear: determinant 1
    a = (turn - sy).cos() / sy.cos()
    c = (turn - sy).sin() / sy.cos()
    b, d = -a * sx.tan() - turn.sin(), -c * sx.tan() + turn.cos()
    rows = lamina.stack([d, -b, -c, a], 1).reshape(-1, 2, 2) / scale.reshape(-1, 1, 1)
    return lamina.cat([rows, -(rows * translate.unsqueeze(1)).sum(-1, keepdim=True)], 2)


def warped(name: str, batch: Tensor, matrix: Tensor, mode: str, fill: float | tuple[float, ...], centre: Any) -> Tensor:
    """Images (N, C, H, W) at the places that matrix (N, 2, 3) gives, around `centre` (x, y) or the middle."""
    need_images(name, batch)
    h, w = batch.shape[-2:]
    shift_x, shift_y = (0.0, 0.0) if centre is None else (centre[0] - w * 0.5, centre[1] - h * 0.5)
    x = (lamina.arange(w, dtype=lamina.float64) + (0.5 - w * 0.5 - shift_x)).reshape(1, 1, w)
    y = (lamina.arange(h, dtype=lamina.float64) + (0.5 - h * 0.5 - shift_y)).reshape(1, h, 1)
    m = matrix.reshape(-1, 6, 1, 1)
    from_x = m[:, 0] * x + m[:, 1] * y + (m[:, 2] + shift_x)
    from_y = m[:, 3] * x + m[:, 4] * y + (m[:, 5] + shift_y)
    image = as_float(batch)
    grid = lamina.stack([from_x / (w * 0.5), from_y / (h * 0.5)], -1).to(image.dtype)
    out = _F.grid_sample(image, grid, mode, "zeros", False)
    if fill != 0.0:  # how much of each place lies inside, from an image of ones
        inside = _F.grid_sample(lamina.ones_like(image[:, :1]), grid, mode, "zeros", False)
        out = out + (1.0 - inside) * fill_tensor(name, fill, image)
    return like(out, batch)


def _mode(name: str, interpolation: str) -> str:
    if interpolation not in _MODES:
        raise ValueError(f"{name}: interpolation must be one of {', '.join(_MODES)}, got {interpolation!r}")
    return interpolation


def _centre(name: str, center: Any) -> tuple[float, float] | None:
    return None if center is None else span(name, "center", center, sorted_=False)


class RandomRotation(Transform):
    """Counter-clockwise by a random angle: (C, H, W) or (N, C, H, W), the size stays.

    `degrees` is (smallest, largest) or one number d for (-d, d); `center` is (x, y) in pixels, the middle by default;
    `fill` is what stands outside of the image. `interpolation` is bilinear or nearest.

    >>> import lamina
    >>> turn = lamina.vision.RandomRotation((90, 90))
    >>> turn(lamina.tensor([[[1.0, 2.0], [3.0, 4.0]]])).round().tolist()
    [[[2.0, 4.0], [1.0, 3.0]]]
    """

    draws = 1

    def __init__(
        self, degrees: Any, interpolation: str = "bilinear", expand: bool = False, center: Any = None, fill: Fill = 0
    ) -> None:
        super().__init__()
        name = "RandomRotation"
        if expand:
            raise ValueError(f"{name}: expand=True is refused: the sizes in a batch would differ; hint: Pad before")
        self.degrees, self.interpolation = angles(name, degrees), _mode(name, interpolation)
        self.center, self.fill = _centre(name, center), fill_values(name, fill)

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        low, high = self.degrees
        angle = -(low + (high - low) * u[:, 0])
        still = lamina.zeros(len(batch), 2, dtype=lamina.float64)
        matrix = affine_matrix(angle, still, lamina.ones_like(angle), still)
        return warped("RandomRotation", batch, matrix, self.interpolation, self.fill, self.center)

    def extra_repr(self) -> str:
        return f"degrees={self.degrees}, interpolation={self.interpolation!r}, fill={self.fill}"


class RandomAffine(Transform):
    """Random rotation, shift, scale and shear in one sampling: (C, H, W) or (N, C, H, W), the size stays.

    `degrees` as in RandomRotation (clockwise here, as in torchvision); `translate` (a, b): shifts up to a W and b H
    pixels, whole ones; `scale` (smallest, largest) factor; `shear` a number s for x in (-s, s), two for the range of x,
    or four for those of x and y, in degrees.

    >>> import lamina
    >>> lamina.vision.RandomAffine(10, translate=(0.1, 0.1), scale=(0.9, 1.1), shear=5)(lamina.zeros(2, 1, 8, 8)).shape
    (2, 1, 8, 8)
    """

    draws = 6

    def __init__(
        self,
        degrees: Any,
        translate: Any = None,
        scale: Any = None,
        shear: Any = None,
        interpolation: str = "bilinear",
        fill: Fill = 0,
        center: Any = None,
    ) -> None:
        super().__init__()
        name = "RandomAffine"
        self.degrees, self.interpolation = angles(name, degrees), _mode(name, interpolation)
        self.translate = (0.0, 0.0) if translate is None else span(name, "translate", translate, 0.0, sorted_=False)
        if max(self.translate) > 1:
            raise ValueError(f"{name}: translate is a share of the size, between 0 and 1, got {translate!r}")
        self.scale = (1.0, 1.0) if scale is None else span(name, "scale", scale, 0.0)
        if self.scale[0] <= 0:
            raise ValueError(f"{name}: scale must be positive, got {scale!r}")
        self.shear = self._shear(shear)
        self.center, self.fill = _centre(name, center), fill_values(name, fill)

    @staticmethod
    def _shear(shear: Any) -> tuple[float, float, float, float]:
        if shear is None:
            return 0.0, 0.0, 0.0, 0.0
        if isinstance(shear, (list, tuple)) and len(shear) == 4:
            found = (*span("RandomAffine", "shear", shear[:2]), *span("RandomAffine", "shear", shear[2:]))
        else:
            found = (*angles("RandomAffine", shear), 0.0, 0.0)
        if max(map(abs, found)) >= 90:
            raise ValueError(f"RandomAffine: shear must be below 90 degrees, got {shear!r}")
        return found

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        h, w = batch.shape[-2:]
        angle = self.degrees[0] + (self.degrees[1] - self.degrees[0]) * u[:, 0]
        reach = lamina.tensor([self.translate[0] * w, self.translate[1] * h], dtype=lamina.float64)
        move = ((u[:, 1:3] * 2 - 1) * reach).round()
        factor = self.scale[0] + (self.scale[1] - self.scale[0]) * u[:, 3]
        x0, x1, y0, y1 = self.shear
        shear = lamina.stack([x0 + (x1 - x0) * u[:, 4], y0 + (y1 - y0) * u[:, 5]], 1)
        matrix = affine_matrix(angle, move, factor, shear)
        return warped("RandomAffine", batch, matrix, self.interpolation, self.fill, self.center)

    def extra_repr(self) -> str:
        return f"degrees={self.degrees}, translate={self.translate}, scale={self.scale}, shear={self.shear}"
