"""Norms of matrices: those of singular values need LAPACK, the others are sums of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._C import ShapeError, Tensor
from .._C import _linalg as _engine
from .._operands import need_tensors
from .._out import takes_out
from ._lapack import describe

Order = int | float | str | None


def _spectrum(A: Tensor) -> Tensor:
    from . import svdvals

    return svdvals(A)


@takes_out("linalg.matrix_norm")
def matrix_norm(
    A: Tensor,
    ord: int | float | str = "fro",
    dim: Sequence[int] = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor:
    """Norm of matrices over two dims: 'fro', 'nuc' (sum of singular values), 2 and -2 (largest and smallest one), 1 and
    -1 (sums of columns), inf and -inf (sums of rows): (*, M, N) -> (*)."""
    op = "linalg.matrix_norm"
    need_tensors(op, A=A)
    if len(tuple(dim)) != 2:
        raise ShapeError(f"{op}: dim must name two dims, got {tuple(dim)}")
    if A.dim() < 2:
        raise ShapeError(f"{op}: A must have at least 2 dims, got {describe('A', A)}")
    if dtype is not None:
        A = A.to(dtype)
    first, second = (d % A.dim() if -A.dim() <= d < A.dim() else d for d in dim)
    if first == second:
        raise ShapeError(f"{op}: dim names dim {first} twice")
    if ord == "fro":
        return _engine.vector_norm(A, 2, (first, second), keepdim)
    x = A.movedim((first, second), (-2, -1))
    if isinstance(ord, str) and ord != "nuc":
        raise ValueError(f"{op}: ord must be 'fro', 'nuc' or a number, got {ord!r}")
    if ord == "nuc":
        y = _spectrum(x).sum(-1)
    elif ord in (2, -2):
        y = _extreme(_spectrum(x), ord)
    elif ord in (1, -1):
        y = _extreme(x.abs().sum(-2), ord)
    elif ord in (float("inf"), float("-inf")):
        y = _extreme(x.abs().sum(-1), ord)
    else:
        raise ValueError(f"{op}: ord must be 'fro', 'nuc', 1, -1, 2, -2, inf or -inf, got {ord!r}")
    if keepdim:
        for d in sorted((first, second)):
            y = y.unsqueeze(d)
    return y


def _extreme(values: Tensor, ord: Any) -> Tensor:
    if values.shape[-1] == 0 and ord > 0:
        return values.sum(-1)
    return values.amax(-1) if ord > 0 else values.amin(-1)


@takes_out("linalg.norm")
def norm(
    A: Tensor,
    ord: Order = None,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor:
    """Vector norm over one dim or, without ord, over all; matrix norm over two dims or of a matrix with ord."""
    need_tensors("linalg.norm", A=A)
    if isinstance(dim, int):
        dim = (dim,)
    if ord is None:
        return _engine.vector_norm(A, 2, dim, keepdim, dtype)
    if dim is None:
        if A.dim() not in (1, 2):
            raise ShapeError(f"linalg.norm: ord without dim needs a vector or a matrix, got {describe('A', A)}")
        dim = tuple(range(A.dim()))
    if len(dim) == 1:
        if isinstance(ord, str):
            raise ValueError(f"linalg.norm: ord {ord!r} is a norm of matrices; name two dims")
        return _engine.vector_norm(A, ord, dim, keepdim, dtype)
    return matrix_norm(A, ord, dim, keepdim, dtype=dtype)


@takes_out("linalg.cond")
def cond(A: Tensor, p: int | float | str | None = None) -> Tensor:
    """Condition number |A| |A^-1| in the given norm (None and 2: largest over smallest singular value)."""
    from . import inv, svdvals

    need_tensors("linalg.cond", A=A)
    if p is None or p in (2, -2):
        s = svdvals(A)
        if s.shape[-1] == 0:
            return s.sum(-1)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    return matrix_norm(A, p) * matrix_norm(inv(A), p)
