"""MixUp and CutMix: two samples in one, with soft labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import lamina

from .. import nn
from .._augment import Seeds, seed_list, uniforms
from .._C import functional as _F
from .._operands import need_tensors
from ._checks import as_float, like, need_images, per_sample
from .erase import rectangles

if TYPE_CHECKING:
    from .._C import Tensor


def symmetric_beta(alpha: float, u: Tensor) -> Tensor:
    """Beta(alpha, alpha) numbers of two uniform ones: float64 (N, 2) -> (N).

    A Student t number by the polar method (Bailey 1994), and what it is to the symmetric beta (Devroye 1996).
    """
    spread = (1.0 - u[:, 0]).pow(-1.0 / alpha) - 1.0
    angle = u[:, 1] * (2.0 * math.pi)
    size = 0.5 / (1.0 + 1.0 / (spread * angle.cos().square())).sqrt()
    return 0.5 + lamina.where(angle.cos() < 0, -size, size)


class MixUp(nn.Module):
    """x = lam x_i + (1 - lam) x_j, and its label likewise: (N, C, H, W), (N) -> (N, C, H, W), (N, num_classes) float32.

    lam is drawn from Beta(alpha, alpha) for each sample by itself; j is the sample before in the batch, or, as `mix` of
    Augment, a random sample of the dataset. Labels are int64 classes (N), or soft ones (N, num_classes). `seeds` are one
    int per sample. (Zhang et al. 2018, arXiv 1710.09412.)

    >>> import lamina
    >>> mix = lamina.vision.MixUp(alpha=0.2, num_classes=10)
    >>> x, y = mix(lamina.rand(4, 1, 8, 8), lamina.tensor([3, 1, 4, 1]))
    >>> y.shape, [round(s, 5) for s in y.sum(1).tolist()]
    ((4, 10), [1.0, 1.0, 1.0, 1.0])
    """

    draws = 2

    def __init__(self, alpha: float = 1.0, num_classes: int | None = None) -> None:
        super().__init__()
        name = type(self).__name__
        if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or not 0 < alpha < math.inf:
            raise ValueError(f"{name}: alpha must be a positive number, got {alpha!r}")
        if num_classes is not None and (not isinstance(num_classes, int) or num_classes < 1):
            raise ValueError(f"{name}: num_classes must be a positive int, got {num_classes!r}")
        self.alpha, self.num_classes = float(alpha), num_classes

    def forward(self, images: Tensor, labels: Tensor, seeds: Seeds = None) -> tuple[Tensor, Tensor]:
        name = type(self).__name__
        need_tensors(name, images=images, labels=labels)
        if images.dim() != 4 or labels.dim() not in (1, 2) or len(labels) != len(images):
            raise lamina.ShapeError(
                f"{name}: expected images (N, C, H, W) and labels (N) or (N, num_classes), got "
                f"{tuple(images.shape)} and {tuple(labels.shape)}"
            )
        u = uniforms(seed_list(name, seeds, len(images), False), self.draws)
        return self.pair(images, labels, images.roll(1, 0), labels.roll(1, 0), u)

    def pair(self, x: Tensor, y: Tensor, x2: Tensor, y2: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
        """Each sample of (x, y) mixed with that of (x2, y2); u is float64 (N, draws)."""
        need_images(type(self).__name__, x)
        mixed, lam = self._images(x, x2, u)
        share = lam.to(lamina.float32).unsqueeze(1)
        return mixed, self._soft(y) * share + self._soft(y2) * (1.0 - share)

    def _images(self, x: Tensor, x2: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
        lam, first = symmetric_beta(self.alpha, u), as_float(x)
        weight = per_sample(lam, first)
        return like(first * weight + as_float(x2) * (1.0 - weight), x), lam

    def _soft(self, labels: Tensor) -> Tensor:
        name = type(self).__name__
        if labels.dim() == 2:
            if self.num_classes not in (None, labels.shape[1]):
                raise lamina.ShapeError(f"{name}: {labels.shape[1]} soft labels for {self.num_classes} classes")
            return labels.to(lamina.float32)
        if labels.is_floating_point():
            raise lamina.DtypeError(f"{name}: labels (N) must be whole numbers, got {labels.dtype}")
        if self.num_classes is None:
            raise ValueError(f"{name}: labels of shape (N) need num_classes")
        if len(labels) and not 0 <= int(labels.min().item()) <= int(labels.max().item()) < self.num_classes:
            raise ValueError(f"{name}: labels must lie between 0 and {self.num_classes - 1}")
        return _F.one_hot(labels.to(lamina.int64), self.num_classes).to(lamina.float32)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}, num_classes={self.num_classes}"


class CutMix(MixUp):
    """A rectangle of another image, its share of the area in the label: shapes and partners as in MixUp.

    The rectangle has a share 1 - lam of the area, lam from Beta(alpha, alpha), around a random pixel, clipped at the
    border; the label counts its pixels. (Yun et al. 2019, arXiv 1905.04899.)

    >>> import lamina
    >>> mix = lamina.vision.CutMix(num_classes=2)
    >>> x, y = mix(lamina.tensor([0.0, 1.0]).reshape(2, 1, 1, 1).expand(2, 1, 8, 8), lamina.tensor([0, 1]))
    >>> bool(((x.mean((1, 2, 3)) - y[:, 1]).abs() < 1e-6).all())
    True
    """

    draws = 4

    def _images(self, x: Tensor, x2: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
        h, w = x.shape[-2:]
        side = (1.0 - symmetric_beta(self.alpha, u[:, :2])).clamp(0.0, 1.0).sqrt()
        y, x0 = (u[:, 2] * h).floor(), (u[:, 3] * w).floor()
        tall, wide = (side * (h * 0.5)).floor(), (side * (w * 0.5)).floor()
        inside = rectangles(h, w, y - tall, x0 - wide, 2 * tall, 2 * wide)
        lam = 1.0 - inside.to(lamina.float64).mean((1, 2, 3))
        return lamina.where(inside, x2, x), lam
