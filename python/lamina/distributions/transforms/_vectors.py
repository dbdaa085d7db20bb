"""Transforms of vectors and matrices: to the simplex, to triangular, positive definite and correlation matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import lamina

from ..._C import Tensor
from ..._C import functional as _F
from .. import constraints
from ..utils import _EPS, Shape, tril_matrix_to_vec, vec_to_tril_matrix
from ._base import Transform

__all__ = [
    "CorrCholeskyTransform",
    "LowerCholeskyTransform",
    "PositiveDefiniteTransform",
    "SoftmaxTransform",
    "StickBreakingTransform",
]


class _Plain(Transform):
    """Without settings."""

    def _key(self) -> tuple[Any, ...]:
        return ()


class SoftmaxTransform(_Plain):
    """y = softmax(x): real vectors to the simplex. Not bijective (x and x + 1 give one y): inv(y) is log y."""

    domain, codomain = constraints.real_vector, constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        return x.softmax(-1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def forward_shape(self, shape: Sequence[int]) -> Shape:
        return _at_least("SoftmaxTransform", shape, 1)

    inverse_shape = forward_shape


def _at_least(name: str, shape: Sequence[int], dims: int) -> Shape:
    if len(shape) < dims:
        raise lamina.ShapeError(f"{name}: needs at least {dims} dims, got shape {tuple(shape)}")
    return tuple(shape)


class StickBreakingTransform(_Plain):
    """Real vectors of K - 1 numbers to the simplex of K: each breaks its share off what the others left.

    y_k = z_k (1 - z_1) ... (1 - z_(k-1)) with z_k = sigmoid(x_k - log(K - k)), so that x = 0 gives equal shares.

    >>> import lamina
    >>> y = lamina.distributions.StickBreakingTransform()(lamina.zeros(3))
    >>> [round(v, 4) for v in y.tolist()]
    [0.25, 0.25, 0.25, 0.25]
    """

    domain, codomain, bijective = constraints.real_vector, constraints.simplex, True

    def _offset(self, x: Tensor) -> Tensor:
        count = x.shape[-1]
        return lamina.arange(count, 0, -1, dtype=x.dtype, device=x.device).log()

    def _call(self, x: Tensor) -> Tensor:
        shifted = x - self._offset(x)
        log_left = -_F.softplus(shifted).cumsum(-1)  # log of what is left after each piece
        first = lamina.zeros_like(log_left[..., :1])
        before = lamina.cat([first, log_left], -1)
        pieces = lamina.cat([_F.logsigmoid(shifted), first], -1)
        return (before + pieces).exp()

    def _inverse(self, y: Tensor) -> Tensor:
        left = 1 - y[..., :-1].cumsum(-1)
        left = left.clamp(min=_EPS[y.dtype] / 4)
        return y[..., :-1].log() - left.log() + self._offset(y[..., :-1])

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        shifted = x - self._offset(x)
        return (y[..., :-1].log() + _F.logsigmoid(shifted) - shifted).sum(-1)

    def forward_shape(self, shape: Sequence[int]) -> Shape:
        *batch, last = _at_least("StickBreakingTransform", shape, 1)
        return (*batch, last + 1)

    def inverse_shape(self, shape: Sequence[int]) -> Shape:
        *batch, last = _at_least("StickBreakingTransform", shape, 1)
        return (*batch, last - 1)


class LowerCholeskyTransform(_Plain):
    """Square matrices to lower triangular ones with a positive diagonal: exp on the diagonal, zeros above it."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(_Plain):
    """Square matrices to positive definite ones: L L^T with L of LowerCholeskyTransform."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        lower = LowerCholeskyTransform()(x)
        found: Tensor = lower @ lower.mT
        return found

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform().inv(lamina.linalg.cholesky(y))


class CorrCholeskyTransform(_Plain):
    """Real vectors of N (N - 1) / 2 numbers to Cholesky factors of N x N correlation matrices.

    tanh of the vector are canonical partial correlations (Lewandowski, Kurowicka and Joe 2009): row i of the factor
    takes its share of the row's length from each of them in turn, and the diagonal keeps the rest.
    """

    domain, codomain, bijective = constraints.real_vector, constraints.corr_cholesky, True

    def _partial(self, x: Tensor) -> Tensor:
        """tanh x, kept off -1 and 1 by a rounding unit."""
        eps = _EPS[x.dtype]
        return vec_to_tril_matrix(x.tanh().clamp(-1 + eps, 1 - eps), -1)

    def _call(self, x: Tensor) -> Tensor:
        partial = self._partial(x)
        size = partial.shape[-1]
        left = (1 - partial.square()).sqrt().cumprod(-1)  # 1 on and above the diagonal before the first partial
        one = lamina.eye(size, dtype=x.dtype, device=x.device)
        return (partial + one) * _F.pad(left[..., :-1], [1, 0], value=1.0)

    def _inverse(self, y: Tensor) -> Tensor:
        left = 1 - (y * y).cumsum(-1)
        left = _F.pad(left[..., :-1], [1, 0], value=1.0)
        below = tril_matrix_to_vec(y, -1)
        partial = below / tril_matrix_to_vec(left, -1).sqrt()
        return (partial.log1p() - (-partial).log1p()) / 2

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        left = 1 - (y * y).cumsum(-1)
        lengths = 0.5 * tril_matrix_to_vec(left, -2).log().sum(-1)
        slopes = -2 * (x + _F.softplus(-2 * x) - math.log(2.0)).sum(-1)  # log(1 - tanh^2 x)
        return lengths + slopes

    def forward_shape(self, shape: Sequence[int]) -> Shape:
        *batch, count = _at_least("CorrCholeskyTransform", shape, 1)
        size = round((0.25 + 2 * count) ** 0.5 + 0.5)
        if size * (size - 1) // 2 != count:
            raise lamina.ShapeError(f"CorrCholeskyTransform: {count} numbers fill no triangle")
        return (*batch, size, size)

    def inverse_shape(self, shape: Sequence[int]) -> Shape:
        *batch, rows, columns = _at_least("CorrCholeskyTransform", shape, 2)
        if rows != columns:
            raise lamina.ShapeError(f"CorrCholeskyTransform: needs square matrices, got shape {tuple(shape)}")
        return (*batch, rows * (rows - 1) // 2)
