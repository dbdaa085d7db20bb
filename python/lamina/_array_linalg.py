"""The `linalg` extension of the array API standard (2023.12) on lamina tensors: `array_api.linalg`.

Source: https://data-apis.org/array-api/2023.12/extensions/linear_algebra_functions.html
"""

from __future__ import annotations

from typing import Any, NamedTuple

from . import _C, array_api
from . import linalg as _linalg
from .array_api import matmul as matmul
from .array_api import matrix_transpose as matrix_transpose
from .array_api import tensordot as tensordot
from .array_api import vecdot as vecdot
from .linalg import cholesky as _cholesky
from .linalg import matrix_power as _matrix_power

Array = _C.Tensor
det, inv, slogdet, svdvals, eigh, eigvalsh = (
    _linalg.det, _linalg.inv, _linalg.slogdet, _linalg.svdvals, _linalg.eigh, _linalg.eigvalsh,
)  # fmt: skip
solve, qr = _linalg.solve, _linalg.qr

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm", "matrix_power",
    "matrix_rank", "matrix_transpose", "outer", "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "tensordot", "trace",
    "vecdot", "vector_norm",
]  # fmt: skip


class SvdResult(NamedTuple):
    U: Array
    S: Array
    Vh: Array


def cholesky(x: Array, /, *, upper: bool = False) -> Array:
    return _cholesky(x, upper=upper)


def cross(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    return _linalg.cross(x1, x2, dim=axis)


def diagonal(x: Array, /, *, offset: int = 0) -> Array:
    return _linalg.diagonal(x, offset=offset)


def matrix_norm(x: Array, /, *, keepdims: bool = False, ord: Any = "fro") -> Array:
    return _linalg.matrix_norm(x, "fro" if ord is None else ord, keepdim=keepdims)


def matrix_power(x: Array, n: int, /) -> Array:
    return _matrix_power(x, n)


def matrix_rank(x: Array, /, *, rtol: float | Array | None = None) -> Array:
    return _linalg.matrix_rank(x, rtol=rtol)


def outer(x1: Array, x2: Array, /) -> Array:
    return _C.outer(x1, x2)


def pinv(x: Array, /, *, rtol: float | Array | None = None) -> Array:
    return _linalg.pinv(x, rtol=rtol)


def svd(x: Array, /, *, full_matrices: bool = True) -> SvdResult:
    return SvdResult(*_linalg.svd(x, full_matrices=full_matrices))


def trace(x: Array, /, *, offset: int = 0, dtype: Any = None) -> Array:
    """Sums of a diagonal of the last two axes; small integers add in int64."""
    return array_api.sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


def vector_norm(x: Array, /, *, axis: Any = None, keepdims: bool = False, ord: float = 2) -> Array:
    return _linalg.vector_norm(x, ord, axis, keepdims)
