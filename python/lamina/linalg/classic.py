"""The older names outside lamina.linalg, which are methods of Tensor too: inverse, det, svd, qr ..."""

from __future__ import annotations

from typing import NamedTuple

from .. import _C
from .._C import Tensor
from .._operands import need_tensors
from .._out import takes_out
from . import QrResult, SlogdetResult, pinv, solve_triangular
from . import cholesky as _cholesky
from . import det as det
from . import inv as inverse
from . import matrix_exp as matrix_exp
from . import matrix_power as matrix_power
from . import qr as _qr
from . import slogdet as slogdet
from . import svd as _svd
from .lu_forms import lu_solve as _lu_solve
from .lu_forms import lu_unpack as lu_unpack

__all__ = [
    "cholesky", "cholesky_inverse", "cholesky_solve", "det", "inverse", "logdet", "lu_solve", "lu_unpack", "matrix_exp",
    "matrix_power", "pinverse", "qr", "slogdet", "svd", "SlogdetResult",
]  # fmt: skip


class SvdResult(NamedTuple):
    U: Tensor
    S: Tensor
    V: Tensor


def logdet(input: Tensor) -> Tensor:
    """log det: NaN for a negative determinant, -inf for zero: (*, N, N) -> (*)."""
    sign, log = slogdet(input)
    return _C.where(sign < 0, float("nan"), log)


@takes_out("cholesky")
def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """lamina.linalg.cholesky with `upper` by position."""
    return _cholesky(input, upper=upper)


@takes_out("qr")
def qr(input: Tensor, some: bool = True) -> QrResult:
    """lamina.linalg.qr: reduced, or complete with some=False."""
    return _qr(input, "reduced" if some else "complete")


@takes_out("svd")
def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> SvdResult:
    """input = U diag(S) V^T: returns V itself, where linalg.svd returns its transpose. compute_uv=False: U, V are 0."""
    u, s, vh = _svd(input, full_matrices=not some)
    if not compute_uv:
        m, n = input.shape[-2:]
        batch = tuple(input.shape[:-2])
        return SvdResult(_C.zeros((*batch, m, m), dtype=input.dtype), s, _C.zeros((*batch, n, n), dtype=input.dtype))
    return SvdResult(u, s, vh.transpose(-2, -1))


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """lamina.linalg.pinv with rcond by position."""
    return pinv(input, rcond)


@takes_out("cholesky_solve")
def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """X of A X = B, given the Cholesky factor of A: (*, N, K), (*, N, N) -> (*, N, K)."""
    need_tensors("cholesky_solve", B=B, L=L)
    low = L.transpose(-2, -1) if upper else L
    y = solve_triangular(low, B, upper=False)
    return solve_triangular(low.transpose(-2, -1), y, upper=True)


@takes_out("cholesky_inverse")
def cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor:
    """A^-1, given the Cholesky factor of A: (*, N, N) -> (*, N, N)."""
    need_tensors("cholesky_inverse", L=L)
    return cholesky_solve(_C.eye(L.shape[-1], dtype=L.dtype).expand(*L.shape), L, upper)


@takes_out("lu_solve")
def lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """linalg.lu_solve with the right side first: (*, N, K), (*, N, N), (*, N) -> (*, N, K)."""
    return _lu_solve(LU_data, LU_pivots, b)
