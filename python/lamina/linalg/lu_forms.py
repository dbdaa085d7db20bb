"""LU decompositions A = P L U with pivots of rows, and what is solved with them."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .. import _C
from .._C import DtypeError, ShapeError, Tensor
from .._out import takes_out
from ..autograd.function import Function
from . import _functions as F
from ._lapack import LinAlgError, check, describe, same_dtype


class LuResult(NamedTuple):
    P: Tensor
    L: Tensor
    U: Tensor


class LuFactorResult(NamedTuple):
    LU: Tensor
    pivots: Tensor


class LuFactorExResult(NamedTuple):
    LU: Tensor
    pivots: Tensor
    info: Tensor


def eliminate(a: np.ndarray, pivot: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gaussian elimination of a batch: L and U in one array, the row swapped with each (from 1, as LAPACK counts), and
    the place (from 1) of the first zero on U's diagonal, 0 without one."""
    shape = a.shape
    x = a.reshape(math.prod(shape[:-2]), *shape[-2:]).copy()
    rows, columns = shape[-2:]
    k = min(rows, columns)
    batch = np.arange(x.shape[0])
    swaps = np.empty((x.shape[0], k), np.int32)
    info = np.zeros(x.shape[0], np.int32)
    with np.errstate(all="ignore"):
        for j in range(k):
            best = j + np.argmax(np.abs(x[:, j:, j]), 1) if pivot else np.full(x.shape[0], j)
            swaps[:, j] = best + 1
            moved = x[batch, best].copy()
            x[batch, best] = x[:, j]
            x[:, j] = moved
            zero = x[:, j, j] == 0
            info[zero & (info == 0)] = j + 1
            below = x[:, j + 1 :, j] / np.where(zero, 1, x[:, j, j])[:, None]
            x[:, j + 1 :, j] = below
            x[:, j + 1 :, j + 1 :] -= below[:, :, None] * x[:, j, None, j + 1 :]
    return x.reshape(shape), swaps.reshape(*shape[:-2], k), info.reshape(shape[:-2])


def _order(pivots: Tensor, rows: int) -> Tensor:
    """Row i of P^T A is row order[i] of A: (*, K) -> (*, rows)."""
    swaps = pivots.numpy().reshape(math.prod(pivots.shape[:-1]), pivots.shape[-1]) - 1
    order = np.tile(np.arange(rows), (swaps.shape[0], 1))
    for line, swap in zip(order, swaps, strict=True):
        for j, other in enumerate(swap):
            line[j], line[other] = line[other], line[j]
    return _C.from_numpy(order.reshape(*pivots.shape[:-1], rows))


def _rows(a: Tensor, order: Tensor) -> Tensor:
    return a.gather(-2, order.unsqueeze(-1).expand(*a.shape))


class _Square(Function):
    """L and U of a square A that needs no pivots, in one matrix: dA = L^-T (tril(L^T Gl, -1) + triu(Gu U^T)) U^-T."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        lu = _C.from_numpy(eliminate(a.detach().numpy(), False)[0])
        ctx.save_for_backward(lu)
        return lu

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (lu,) = ctx.saved_tensors
        low, up = lu.tril(-1) + F.identity_like(lu), lu.triu()
        inner = (F.mT(low) @ g.tril(-1)).tril(-1) + (g.triu() @ F.mT(up)).triu()
        right = F.mT(F.SolveTriangular.apply(up, F.mT(inner), True, False))
        solved: Tensor = F.SolveTriangular.apply(F.mT(low), right, True, True)
        return solved


def _differentiable(a: Tensor, order: Tensor) -> Tensor:
    """LU of a with its history: of the leading square, then what stands below and beside it."""
    rows, columns = a.shape[-2:]
    k = min(rows, columns)
    moved = _rows(a, order)
    lu: Tensor = _Square.apply(moved[..., :k, :k])
    if columns > k:
        beside = F.SolveTriangular.apply(lu, moved[..., :k, k:], False, True)
        lu = _C.cat([lu, beside], -1)
    if rows > k:
        below = F.mT(F.SolveTriangular.apply(F.mT(lu), F.mT(moved[..., k:, :]), False, False))
        lu = _C.cat([lu, below], -2)
    return lu


@takes_out("linalg.lu_factor_ex")
def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> LuFactorExResult:
    """L (unit diagonal) and U in one matrix, the row swapped with each (from 1, int32), and info, the place (from 1) of
    the first zero on U's diagonal, 0 where there is none: (*, M, N) -> (*, M, N), (*, K), (*). LinAlgError for such a
    zero with check_errors. The gradient exists where the first K columns of A are linearly independent.

    >>> import lamina
    >>> lamina.linalg.lu_factor_ex(lamina.tensor([[0.0, 1.0], [2.0, 3.0]])).LU.tolist()
    [[2.0, 3.0], [0.0, 1.0]]
    """
    op = "linalg.lu_factor_ex"
    check(op, "A", A)
    found, swaps, info = (_C.from_numpy(np.asarray(x)) for x in eliminate(A.detach().numpy(), pivot))
    if check_errors:
        _refuse(op, A, info)
    if A.requires_grad and _C.is_grad_enabled():
        found = _differentiable(A, _order(swaps, A.shape[-2])) if A.numel() else A.clone()
    return LuFactorExResult(found, swaps, info)


def _refuse(op: str, A: Tensor, info: Tensor) -> None:
    if (info != 0).any().item():
        at = info.flatten()[int((info != 0).flatten().int().argmax())].item()
        raise LinAlgError(f"{op}: U[{at},{at}] is zero, the matrix is singular: {describe('A', A)}")


@takes_out("linalg.lu_factor")
def lu_factor(A: Tensor, *, pivot: bool = True) -> LuFactorResult:
    """lu_factor_ex without info; LinAlgError for a singular matrix: (*, M, N) -> (*, M, N), (*, K)."""
    check("linalg.lu_factor", "A", A)
    found = lu_factor_ex(A, pivot=pivot)
    _refuse("linalg.lu_factor", A, found.info)
    return LuFactorResult(found.LU, found.pivots)


@takes_out("lu_unpack")
def lu_unpack(LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True) -> LuResult:
    """P, L and U of what lu_factor gave: (*, M, N), (*, K) -> (*, M, M), (*, M, K), (*, K, N); empty where not asked."""
    op = "lu_unpack"
    check(op, "LU_data", LU_data)
    _check_pivots(op, LU_data, LU_pivots)
    rows, columns = LU_data.shape[-2:]
    k = min(rows, columns)
    p = low = up = _C.empty(0, dtype=LU_data.dtype)
    if unpack_pivots:
        order = _order(LU_pivots, rows)
        p = (
            F.mT(_C.functional.one_hot(order, rows)).to(LU_data.dtype)
            if rows
            else LU_data.new_zeros((*LU_data.shape[:-1], 0))
        )
    if unpack_data:
        eye = _C.eye(rows, k, dtype=LU_data.dtype)
        low, up = LU_data[..., :, :k].tril(-1) + eye, LU_data[..., :k, :].triu()
    return LuResult(p, low, up)


@takes_out("linalg.lu")
def lu(A: Tensor, *, pivot: bool = True) -> LuResult:
    """A = P L U, P a permutation, L with ones on its diagonal: (*, M, N) -> (*, M, M), (*, M, K), (*, K, N); without
    pivot P is empty.

    >>> import lamina
    >>> lamina.linalg.lu(lamina.tensor([[0.0, 1.0], [2.0, 3.0]])).P.tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    check("linalg.lu", "A", A)
    found = lu_factor_ex(A, pivot=pivot)
    return lu_unpack(found.LU, found.pivots, unpack_pivots=pivot)


def _check_pivots(op: str, LU: Tensor, pivots: Tensor) -> None:
    k = min(LU.shape[-2:])
    if pivots.is_floating_point() or pivots.dtype == _C.bool:
        raise DtypeError(f"{op}: pivots must be integers, got {describe('pivots', pivots)}")
    if tuple(pivots.shape) != (*LU.shape[:-2], k):
        raise ShapeError(f"{op}: pivots must be {(*LU.shape[:-2], k)}, got {describe('pivots', pivots)}")
    if pivots.numel() and not (1 <= pivots.min().item() and pivots.max().item() <= LU.shape[-2]):
        raise ValueError(f"{op}: pivots count rows from 1 to {LU.shape[-2]}: {describe('pivots', pivots)}")


@takes_out("linalg.lu_solve")
def lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False) -> Tensor:
    """X of A X = B (left) or X A = B, with A as lu_factor gave it, or its transpose (adjoint): (*, N, N), (*, N),
    (*, N, K) -> (*, N, K). Gradients for LU and B."""
    op = "linalg.lu_solve"
    check(op, "LU", LU, square=True)
    check(op, "B", B)
    same_dtype(op, LU, B)
    _check_pivots(op, LU, pivots)
    if not left:
        return F.mT(lu_solve(LU, pivots, F.mT(B), adjoint=not adjoint))
    if B.shape[-2] != LU.shape[-1]:
        raise ShapeError(f"{op}: sizes do not fit: {describe('LU', LU)}, {describe('B', B)}")
    from . import _batched

    order = _order(pivots, LU.shape[-1])
    a, b = _batched(LU, B, op)
    order = order.expand(*b.shape[:-1])
    if not adjoint:
        y = F.SolveTriangular.apply(a, _rows(b, order), False, True)
        return F.SolveTriangular.apply(a, y, True, False)  # type: ignore[no-any-return]
    y = F.SolveTriangular.apply(F.mT(a), b, False, False)
    return _rows(F.SolveTriangular.apply(F.mT(a), y, True, True), order.argsort(-1))
