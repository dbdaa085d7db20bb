"""inv_ex, cholesky_ex, solve_ex: decompositions that say in `info` which matrices failed instead of raising."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .. import _C
from .._C import Tensor
from .._out import takes_out
from . import _functions as F
from ._lapack import LinAlgError, check
from .lu_forms import eliminate


class InvExResult(NamedTuple):
    inverse: Tensor
    info: Tensor


class CholeskyExResult(NamedTuple):
    L: Tensor
    info: Tensor


class SolveExResult(NamedTuple):
    result: Tensor
    info: Tensor


def _first_minor(a: np.ndarray) -> int:
    """Order of the first leading minor that is not positive definite, 0 where all are."""
    low, high = 0, a.shape[-1]  # minors up to `low` are fine
    while low < high:
        middle = (low + high + 1) // 2
        try:
            fine = bool(np.isfinite(np.linalg.cholesky(a[:middle, :middle])).all())
        except np.linalg.LinAlgError:
            fine = False
        low, high = (middle, high) if fine else (low, middle - 1)
    return 0 if low == a.shape[-1] else low + 1


def _no_info(A: Tensor) -> Tensor:
    return _C.zeros(A.shape[:-2], dtype=_C.int32)


def _singular(A: Tensor) -> Tensor:
    """Where elimination meets a zero; what LAPACK alone finds singular counts as failing at its last row."""
    info = eliminate(A.detach().numpy(), True)[2]
    for at in np.ndindex(info.shape):
        if info[at] == 0:
            try:
                np.linalg.inv(A.detach().numpy()[at])
            except np.linalg.LinAlgError:
                info[at] = A.shape[-1]
    return _C.from_numpy(np.asarray(info))


def _sound(A: Tensor, bad: Tensor) -> Tensor:
    """A with the identity in place of matrices that failed."""
    return _C.where(bad[..., None, None], F.identity_like(A), A)


def _marked(found: Tensor, bad: Tensor) -> Tensor:
    return _C.where(bad[..., None, None], float("nan"), found)


@takes_out("linalg.inv_ex")
def inv_ex(A: Tensor, *, check_errors: bool = False) -> InvExResult:
    """The inverse and info, which is not 0 where a matrix is singular (its inverse is NaN): (*, N, N) -> (*, N, N), (*)
    int32. LinAlgError instead with check_errors.

    >>> import lamina
    >>> lamina.linalg.inv_ex(lamina.zeros(2, 2)).info.item()
    1
    """
    from . import inv

    check("linalg.inv_ex", "A", A, square=True)
    try:
        return InvExResult(inv(A), _no_info(A))
    except LinAlgError:
        if check_errors:
            raise
    info = _singular(A)
    bad = info != 0
    return InvExResult(_marked(inv(_sound(A, bad)), bad), info)


@takes_out("linalg.solve_ex")
def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> SolveExResult:
    """X of A X = B (left) or X A = B, and info, which is not 0 where a matrix is singular (its X is NaN); shapes as
    solve's. LinAlgError instead with check_errors.

    >>> import lamina
    >>> lamina.linalg.solve_ex(lamina.eye(2), lamina.ones(2)).result.tolist()
    [1.0, 1.0]
    """
    from . import _is_vector, solve

    check("linalg.solve_ex", "A", A, square=True)
    try:
        return SolveExResult(solve(A, B, left=left), _no_info(A))
    except LinAlgError:
        if check_errors:
            raise
    info = _singular(A)
    bad = info != 0
    found = solve(_sound(A, bad), B, left=left)
    if _is_vector(A, B):
        return SolveExResult(_marked(found.unsqueeze(-1), bad).squeeze(-1), info)
    return SolveExResult(_marked(found, bad), info)


@takes_out("linalg.cholesky_ex")
def cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False) -> CholeskyExResult:
    """The Cholesky factor and info, the order of the first leading minor that is not positive definite (the factor is
    NaN there), else 0: (*, N, N) -> (*, N, N), (*) int32. LinAlgError instead with check_errors.

    >>> import lamina
    >>> lamina.linalg.cholesky_ex(lamina.tensor([[1.0, 2.0], [2.0, 1.0]])).info.item()
    2
    """
    from . import cholesky

    check("linalg.cholesky_ex", "A", A, square=True)
    try:
        found = cholesky(A, upper=upper)
    except LinAlgError:
        if check_errors:
            raise
    else:
        return CholeskyExResult(found, _no_info(A))
    array = (F.mT(A) if upper else A).detach().numpy()
    info = np.zeros(array.shape[:-2], np.int32)
    for at in np.ndindex(info.shape):
        info[at] = _first_minor(array[at])
    bad = _C.from_numpy(np.asarray(info)) != 0
    return CholeskyExResult(_marked(cholesky(_sound(A, bad), upper=upper), bad), _C.from_numpy(np.asarray(info)))
