"""Transforms that act part by part, or change the shape of an event."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import lamina

from ..._C import Tensor
from .. import constraints
from ..utils import Shape, sum_rightmost
from ._base import Transform, _wider

__all__ = ["CatTransform", "CumulativeDistributionTransform", "ReshapeTransform", "StackTransform"]


class ReshapeTransform(Transform):
    """The last dims from in_shape to out_shape, which have equally many elements.

    >>> import lamina
    >>> lamina.distributions.ReshapeTransform((4,), (2, 2))(lamina.arange(4.0)).tolist()
    [[0.0, 1.0], [2.0, 3.0]]
    """

    bijective = True

    def __init__(self, in_shape: Sequence[int], out_shape: Sequence[int], cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.in_shape, self.out_shape = lamina.Size(in_shape), lamina.Size(out_shape)
        if math.prod(self.in_shape) != math.prod(self.out_shape):
            raise lamina.ShapeError(
                f"ReshapeTransform: in_shape {tuple(in_shape)} and out_shape {tuple(out_shape)} differ in elements"
            )
        self.domain = _wider(constraints.real, len(self.in_shape))
        self.codomain = _wider(constraints.real, len(self.out_shape))

    def with_cache(self, cache_size: int = 1) -> ReshapeTransform:
        return self if cache_size == self._cache_size else ReshapeTransform(self.in_shape, self.out_shape, cache_size)

    def _call(self, x: Tensor) -> Tensor:
        return x.reshape((*x.shape[: x.ndim - len(self.in_shape)], *self.out_shape))

    def _inverse(self, y: Tensor) -> Tensor:
        return y.reshape((*y.shape[: y.ndim - len(self.out_shape)], *self.in_shape))

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return lamina.zeros(tuple(x.shape[: x.ndim - len(self.in_shape)]), dtype=x.dtype, device=x.device)

    def forward_shape(self, shape: Sequence[int]) -> Shape:
        return _exchanged(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape: Sequence[int]) -> Shape:
        return _exchanged(shape, self.out_shape, self.in_shape)

    def _key(self) -> tuple[Any, ...]:
        return self.in_shape, self.out_shape


def _exchanged(shape: Sequence[int], old: Shape, new: Shape) -> Shape:
    cut = len(shape) - len(old)
    if cut < 0 or tuple(shape[cut:]) != tuple(old):
        raise lamina.ShapeError(f"ReshapeTransform: shape {tuple(shape)} does not end with {tuple(old)}")
    return (*shape[:cut], *new)


class _PartWise(Transform):
    """Several transforms, each on its own part along `dim`; what differs is how the parts are cut and joined."""

    transforms: list[Transform]
    dim: int

    def _cut(self, x: Tensor) -> Sequence[Tensor]:
        raise NotImplementedError

    def _join(self, parts: list[Tensor]) -> Tensor:
        raise NotImplementedError

    @property
    def bijective(self) -> bool:  # type: ignore[override]
        return all(t.bijective for t in self.transforms)

    def _take(self, transforms: Sequence[Transform], cache_size: int) -> None:
        if not all(isinstance(t, Transform) for t in transforms):
            raise TypeError(f"{type(self).__name__}: needs a sequence of Transforms, got {transforms!r}")
        Transform.__init__(self, cache_size)
        self.transforms = [t.with_cache(cache_size) if cache_size else t for t in transforms]

    def _call(self, x: Tensor) -> Tensor:
        return self._join([t(part) for t, part in zip(self.transforms, self._cut(x), strict=True)])

    def _inverse(self, y: Tensor) -> Tensor:
        return self._join([t.inv(part) for t, part in zip(self.transforms, self._cut(y), strict=True)])

    def _key(self) -> tuple[Any, ...]:
        return (*self.transforms, self.dim)


class StackTransform(_PartWise):
    """The i-th transform acts on x.select(dim, i).

    >>> import lamina
    >>> from lamina.distributions import ExpTransform, StackTransform, identity_transform
    >>> StackTransform([ExpTransform(), identity_transform], dim=1)(lamina.zeros(2, 2)).tolist()
    [[1.0, 0.0], [1.0, 0.0]]
    """

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0) -> None:
        self._take(tseq, cache_size)
        self.dim = dim
        self.domain = constraints.stack([t.domain for t in self.transforms], dim)
        self.codomain = constraints.stack([t.codomain for t in self.transforms], dim)

    def with_cache(self, cache_size: int = 1) -> StackTransform:
        return self if cache_size == self._cache_size else StackTransform(self.transforms, self.dim, cache_size)

    def _cut(self, x: Tensor) -> Sequence[Tensor]:
        if x.shape[self.dim] != len(self.transforms):
            raise lamina.ShapeError(
                f"StackTransform: dim {self.dim} of {tuple(x.shape)} must have the size {len(self.transforms)}"
            )
        return x.unbind(self.dim)

    def _join(self, parts: list[Tensor]) -> Tensor:
        return lamina.stack(parts, self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        cut = zip(self.transforms, self._cut(x), self._cut(y), strict=True)
        return lamina.stack([t.log_abs_det_jacobian(a, b) for t, a, b in cut], self.dim)


class CatTransform(_PartWise):
    """The i-th transform acts on the next lengths[i] places along `dim`.

    >>> import lamina
    >>> from lamina.distributions import CatTransform, ExpTransform, identity_transform
    >>> CatTransform([ExpTransform(), identity_transform], dim=0, lengths=[1, 2])(lamina.zeros(3)).tolist()
    [1.0, 0.0, 0.0]
    """

    def __init__(
        self, tseq: Sequence[Transform], dim: int = 0, lengths: Sequence[int] | None = None, cache_size: int = 0
    ) -> None:
        self._take(tseq, cache_size)
        self.dim = dim
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise ValueError(f"CatTransform: {len(self.transforms)} transforms but {len(self.lengths)} lengths")
        self.domain = constraints.cat([t.domain for t in self.transforms], dim, self.lengths)
        self.codomain = constraints.cat([t.codomain for t in self.transforms], dim, self.lengths)

    @property
    def event_dim(self) -> int:
        return max(t.event_dim for t in self.transforms)

    @property
    def length(self) -> int:
        return sum(self.lengths)

    def with_cache(self, cache_size: int = 1) -> CatTransform:
        same = cache_size == self._cache_size
        return self if same else CatTransform(self.transforms, self.dim, self.lengths, cache_size)

    def _cut(self, x: Tensor) -> Sequence[Tensor]:
        if x.shape[self.dim] != self.length:
            raise lamina.ShapeError(f"CatTransform: dim {self.dim} of {tuple(x.shape)} must have size {self.length}")
        return x.split(self.lengths, self.dim)

    def _join(self, parts: list[Tensor]) -> Tensor:
        return lamina.cat(parts, self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """With an event of one dim or more, the sum over the parts when `dim` lies within it."""
        cut = zip(self.transforms, self._cut(x), self._cut(y), strict=True)
        parts = [sum_rightmost(t.log_abs_det_jacobian(a, b), self.event_dim - t.event_dim) for t, a, b in cut]
        dim = (self.dim - x.ndim if self.dim >= 0 else self.dim) + self.event_dim
        if dim < 0:
            return lamina.cat(parts, dim)
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def _key(self) -> tuple[Any, ...]:
        return (*super()._key(), *self.lengths)


class CumulativeDistributionTransform(Transform):
    """y = F(x) with F the distribution function of a distribution of single numbers.

    >>> import lamina
    >>> from lamina.distributions import CumulativeDistributionTransform, Normal
    >>> CumulativeDistributionTransform(Normal(0.0, 1.0))(lamina.tensor(0.0)).item()
    0.5
    """

    bijective = True
    codomain = constraints.unit_interval
    sign: Any = 1

    def __init__(self, distribution: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.distribution = distribution
        self.domain = distribution.support

    def _call(self, x: Tensor) -> Tensor:
        y: Tensor = self.distribution.cdf(x)
        return y

    def _inverse(self, y: Tensor) -> Tensor:
        x: Tensor = self.distribution.icdf(y)
        return x

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        found: Tensor = self.distribution.log_prob(x)
        return found
