"""Linear algebra with torch.linalg's names: products and norms of the engine, decompositions through NumPy's LAPACK.

The decompositions run on the CPU in float32 and float64, take batches and have gradients of any order. Their bits are
LAPACK's: lamina's promise of equal bits on every machine does not cover them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .. import _C
from .._C import DtypeError, ShapeError, Tensor
from .._C import _linalg as _engine
from .._grad_mode import no_grad
from .._operands import need_tensors
from .._out import takes_out
from . import _functions as F
from ._lapack import LinAlgError, check, describe, same_dtype
from .lu_forms import lu, lu_factor, lu_factor_ex, lu_solve
from .norms import cond, matrix_norm, norm
from .with_info import cholesky_ex, inv_ex, solve_ex

__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv",
    "inv_ex", "lstsq", "lu", "lu_factor", "lu_factor_ex", "lu_solve", "matmul", "matrix_exp", "matrix_norm",
    "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet", "solve", "solve_ex",
    "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vecdot", "vector_norm",
]  # fmt: skip

matmul: Callable[..., Tensor] = _C.matmul
multi_dot: Callable[..., Tensor] = _engine.multi_dot
vecdot: Callable[..., Tensor] = _engine.vecdot
cross: Callable[..., Tensor] = _engine.cross
vector_norm: Callable[..., Tensor] = _engine.vector_norm


class SlogdetResult(NamedTuple):
    sign: Tensor
    logabsdet: Tensor


class QrResult(NamedTuple):
    Q: Tensor
    R: Tensor


class SvdResult(NamedTuple):
    U: Tensor
    S: Tensor
    Vh: Tensor


class EighResult(NamedTuple):
    eigenvalues: Tensor
    eigenvectors: Tensor


class LstsqResult(NamedTuple):
    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


def _batched(a: Tensor, b: Tensor, op: str) -> tuple[Tensor, Tensor]:
    """Both with the batch dims that they broadcast to."""
    left, right = list(a.shape[:-2]), list(b.shape[:-2])
    n = max(len(left), len(right))
    left, right = [1] * (n - len(left)) + left, [1] * (n - len(right)) + right
    batch = []
    for x, y in zip(left, right, strict=True):
        if x != y and 1 not in (x, y):
            raise ShapeError(f"{op}: batch sizes do not broadcast: {describe('A', a)}, {describe('B', b)}")
        batch.append(y if x == 1 else x)
    return a.expand(*batch, *a.shape[-2:]), b.expand(*batch, *b.shape[-2:])


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """View of a diagonal of the last two dims, as the last dim: (*, M, N) -> (*, K)."""
    need_tensors("linalg.diagonal", A=A)
    return A.diagonal(offset, dim1, dim2)


@takes_out("linalg.inv")
def inv(A: Tensor) -> Tensor:
    """Inverse of square matrices: (*, N, N) -> (*, N, N). Gradient: -Y^T G Y^T for Y = A^-1.

    >>> import lamina
    >>> lamina.linalg.inv(lamina.tensor([[2.0, 0.0], [0.0, 4.0]])).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    check("linalg.inv", "A", A, square=True)
    return F.Inverse.apply(A)  # type: ignore[no-any-return]


def _is_vector(A: Tensor, B: Tensor) -> bool:
    return B.dim() == 1 or (A.dim() - 1 == B.dim() and tuple(B.shape) == tuple(A.shape[:-1]))


@takes_out("linalg.solve")
def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X of A X = B (left) or X A = B: (*, N, N), (*, N, K) -> (*, N, K); B may be vectors (*, N).

    Gradients: dB = A^-T G, dA = -dB X^T.
    """
    check("linalg.solve", "A", A, square=True)
    check("linalg.solve", "B", B, dims=1)
    same_dtype("linalg.solve", A, B)
    vector = _is_vector(A, B)
    if vector and not left:
        raise ShapeError(f"linalg.solve: vectors need left=True: {describe('A', A)}, {describe('B', B)}")
    b = B.unsqueeze(-1) if vector else B if left else F.mT(B)
    if b.shape[-2] != A.shape[-1]:
        raise ShapeError(f"linalg.solve: sizes of A and B do not fit: {describe('A', A)}, {describe('B', B)}")
    x = F.Solve.apply(*_batched(A if left else F.mT(A), b, "linalg.solve"))
    return x.squeeze(-1) if vector else x if left else F.mT(x)


@takes_out("linalg.solve_triangular")
def solve_triangular(A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Tensor:
    """X of A X = B (left) or X A = B for triangular A, whose other triangle is not read (with unitriangular, nor its
    diagonal): (*, N, N), (*, N, K) -> (*, N, K). Gradients as solve, dA within the triangle."""
    op = "linalg.solve_triangular"
    check(op, "A", A, square=True)
    check(op, "B", B)
    same_dtype(op, A, B)
    a, b = (A, B) if left else (F.mT(A), F.mT(B))
    if b.shape[-2] != A.shape[-1]:
        raise ShapeError(f"{op}: sizes of A and B do not fit: {describe('A', A)}, {describe('B', B)}")
    x = F.SolveTriangular.apply(*_batched(a, b, op), upper if left else not upper, unitriangular)
    return x if left else F.mT(x)


@takes_out("linalg.det")
def det(A: Tensor) -> Tensor:
    """Determinant: (*, N, N) -> (*). Gradient: G det(A) A^-T; for singular A, G times the cofactors."""
    check("linalg.det", "A", A, square=True)
    return F.Determinant.apply(A)  # type: ignore[no-any-return]


@takes_out("linalg.slogdet")
def slogdet(A: Tensor) -> SlogdetResult:
    """Sign and logarithm of the size of the determinant: (*, N, N) -> (*), (*). Gradient: G A^-T."""
    check("linalg.slogdet", "A", A, square=True)
    return SlogdetResult(*F.LogDeterminant.apply(A))


@takes_out("linalg.cholesky")
def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """L of A = L L^T (upper: of A = U^T U) for positive definite A: (*, N, N) -> (*, N, N).

    Gradient: sym(L^-T P L^-1), P the lower triangle of L^T G with half its diagonal. Only A's lower triangle is read.
    """
    check("linalg.cholesky", "A", A, square=True)
    low = F.Cholesky.apply(F.mT(A) if upper else A)
    return F.mT(low) if upper else low


@takes_out("linalg.qr")
def qr(A: Tensor, mode: str = "reduced") -> QrResult:
    """A = Q R, Q with orthonormal columns, R upper triangular: (*, M, N) -> (*, M, K), (*, K, N), K = min(M, N).

    mode 'complete' makes Q square, 'r' returns an empty Q. Gradient for linearly independent first K columns:
    (Gq + Q sym(R Gr^T - Gq^T Q)) R^-T, sym(X) being the lower triangle of X mirrored.
    """
    check("linalg.qr", "A", A)
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"linalg.qr: mode must be 'reduced', 'complete' or 'r', got {mode!r}")
    q, r = F.Qr.apply(A, "reduced" if mode == "r" else mode)
    return QrResult(_C.empty(0, dtype=A.dtype) if mode == "r" else q, r)


@takes_out("linalg.svd")
def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> SvdResult:
    """A = U diag(S) Vh, S descending: (*, M, N) -> (*, M, M), (*, K), (*, N, N), K = min(M, N); without
    full_matrices (*, M, K), (*, K), (*, K, N).

    Gradient: lamina.linalg._functions.Svd has the formula; it needs distinct singular values where it asks for U or Vh.
    """
    check("linalg.svd", "A", A)
    return SvdResult(*F.Svd.apply(A, bool(full_matrices)))


@takes_out("linalg.svdvals")
def svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """Singular values, descending: (*, M, N) -> (*, K). Gradient: U diag(G) Vh."""
    check("linalg.svdvals", "A", A)
    return F.Svd.apply(A, False)[1]  # type: ignore[no-any-return]


@takes_out("linalg.eigh")
def eigh(A: Tensor, UPLO: str = "L") -> EighResult:
    """A = V diag(l) V^T for symmetric A, l ascending: (*, N, N) -> (*, N), (*, N, N). Reads one triangle of A.

    Gradient: sym(V (diag(Gl) + (V^T Gv) / E) V^T), E_ij = l_j - l_i; V asks for distinct eigenvalues.
    """
    check("linalg.eigh", "A", A, square=True)
    if UPLO not in ("L", "U", "l", "u"):
        raise ValueError(f"linalg.eigh: UPLO must be 'L' or 'U', got {UPLO!r}")
    return EighResult(*F.SymmetricEigen.apply(A, UPLO in ("L", "l")))


@takes_out("linalg.eigvalsh")
def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """Eigenvalues of symmetric matrices, ascending: (*, N, N) -> (*, N). Gradient: V diag(G) V^T."""
    return eigh(A, UPLO).eigenvalues


def _tolerances(op: str, A: Tensor, atol: float | Tensor | None, rtol: float | Tensor | None) -> tuple[Tensor, Tensor]:
    """Both for every matrix of the batch; rtol is eps * max(M, N) where neither is given."""
    eps = 2.0**-23 if A.dtype == _C.float32 else 2.0**-52
    default = eps * max(A.shape[-2:]) if atol is None or (isinstance(atol, (int, float)) and atol == 0) else 0.0
    found = []
    for value, missing in ((atol, 0.0), (rtol, default)):
        t = value if isinstance(value, Tensor) else _C.full((), float(missing if value is None else value))
        try:
            found.append(t.detach().to(A.dtype).expand(tuple(A.shape[:-2])).contiguous())
        except ShapeError:
            raise ShapeError(f"{op}: a tolerance {tuple(t.shape)} does not fit {describe('A', A)}") from None
    return found[0], found[1]


@takes_out("linalg.pinv")
def pinv(
    A: Tensor,
    rcond: float | Tensor | None = None,
    hermitian: bool = False,
    *,
    atol: float | Tensor | None = None,
    rtol: float | Tensor | None = None,
) -> Tensor:
    """Moore-Penrose inverse; singular values up to max(atol, rtol * the largest) count as zero: (*, M, N) -> (*, N, M).

    Gradient: -P^T G P^T + (I - A P) G^T P P^T + P^T P G^T (I - P A).
    """
    check("linalg.pinv", "A", A, square=hermitian)
    if rcond is not None and rtol is not None:
        raise ValueError("linalg.pinv: give rcond or rtol, not both")
    tolerances = _tolerances("linalg.pinv", A, atol, rtol if rcond is None else rcond)
    return F.PseudoInverse.apply(A, *tolerances, bool(hermitian))  # type: ignore[no-any-return]


@takes_out("linalg.matrix_rank")
def matrix_rank(
    A: Tensor,
    tol: float | Tensor | None = None,
    hermitian: bool = False,
    *,
    atol: float | Tensor | None = None,
    rtol: float | Tensor | None = None,
) -> Tensor:
    """How many singular values exceed max(atol, rtol * the largest): (*, M, N) -> (*), int64. No gradient."""
    check("linalg.matrix_rank", "A", A, square=hermitian)
    if tol is not None and (atol is not None or rtol is not None):
        raise ValueError("linalg.matrix_rank: give tol, or atol and rtol")
    absolute, relative = _tolerances(
        "linalg.matrix_rank", A, atol if tol is None else tol, 0.0 if tol is not None else rtol
    )
    with no_grad():
        values = eigvalsh(A).abs() if hermitian else svdvals(A)
        if values.shape[-1] == 0:
            return _C.zeros(A.shape[:-2], dtype=_C.int64)
        limit = _C.maximum(absolute, relative * values.amax(-1))
        return (values > limit.unsqueeze(-1)).sum(-1)


_DRIVERS = (None, "gelsy", "gelsd", "gelss", "gels")


def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None) -> LstsqResult:
    """X that minimises |A X - B|, of least norm: (*, M, N), (*, M, K) -> (*, N, K); B may be vectors (*, M).

    All drivers are LAPACK's gelsd. residuals are there for M > N and full rank, singular_values for 'gelsd' and 'gelss',
    rank for all but 'gels', as in PyTorch. Gradients: dB = A^+T G, dA that of the pseudo-inverse for G B^T.
    """
    op = "linalg.lstsq"
    check(op, "A", A)
    check(op, "B", B, dims=1)
    same_dtype(op, A, B)
    if driver not in _DRIVERS:
        raise ValueError(f"{op}: driver must be one of {', '.join(str(d) for d in _DRIVERS)}, got {driver!r}")
    vector = A.dim() - 1 == B.dim() and tuple(B.shape) == tuple(A.shape[:-1])
    b = B.unsqueeze(-1) if vector else B
    if b.dim() < 2 or b.shape[-2] != A.shape[-2]:
        raise ShapeError(f"{op}: A and B must have as many rows: {describe('A', A)}, {describe('B', B)}")
    a, b = _batched(A, b, op)
    m, n = a.shape[-2:]
    eps = 2.0**-23 if A.dtype == _C.float32 else 2.0**-52
    x, rank, values = F.LeastSquares.apply(a, b, eps * max(m, n) if rcond is None else rcond)
    full = bool((rank == n).all())
    none = _C.empty(0, dtype=A.dtype)
    residuals = ((a @ x - b) ** 2).sum(-2) if m > n and full and driver != "gelsy" and driver is not None else none
    return LstsqResult(
        x.squeeze(-1) if vector else x,
        residuals,
        _C.empty(0, dtype=_C.int64) if driver == "gels" else rank,
        values if driver in ("gelsd", "gelss") else none,
    )


@takes_out("linalg.matrix_power")
def matrix_power(A: Tensor, n: int) -> Tensor:
    """The n-th power, of the inverse for negative n: (*, N, N) -> (*, N, N). By repeated squaring."""
    op = "linalg.matrix_power"
    need_tensors(op, A=A)
    n = operator.index(n)
    if A.dim() < 2 or A.shape[-1] != A.shape[-2]:
        raise ShapeError(f"{op}: A must be square (*, N, N), got {describe('A', A)}")
    if n == 0:
        return F.identity_like(A).expand(*A.shape).clone()
    base, left = (A, n) if n > 0 else (inv(A), -n)
    result: Tensor | None = None
    while True:
        if left & 1:
            result = base if result is None else result @ base
        left >>= 1
        if not left:
            return result.clone() if result is A else result  # type: ignore[return-value]
        base = base @ base


def matrix_exp(A: Tensor) -> Tensor:
    """Matrix exponential: (*, N, N) -> (*, N, N). By matmul alone, so exact as matmul is: Taylor's series of degree 18
    of A / 2^s, whose norm is at most 1, squared s times; s is each matrix' own."""
    op = "linalg.matrix_exp"
    need_tensors(op, A=A)
    if A.dim() < 2 or A.shape[-1] != A.shape[-2]:
        raise ShapeError(f"{op}: A must be square (*, N, N), got {describe('A', A)}")
    if not A.is_floating_point():
        raise DtypeError(f"{op}: needs a floating tensor, got {describe('A', A)}")
    eye = F.identity_like(A).expand(*A.shape)
    if A.numel() == 0:
        return A + eye
    size = A.detach().double().abs().sum(-2).amax(-1)
    if not bool(size.isfinite().all()):
        return A * float("nan")
    halvings = size.clamp(min=1.0).log2().ceil().long()
    x = A * (0.5 ** halvings.to(A.dtype))[..., None, None]
    # sum x^k / k! for k up to 18, in blocks of three powers.
    x2 = x @ x
    x3 = x2 @ x
    factor = [1.0]
    for k in range(1, 19):
        factor.append(factor[-1] / k)
    y = eye * factor[18]
    for k in range(15, -1, -3):
        y = y @ x3 + (eye * factor[k] + x * factor[k + 1] + x2 * factor[k + 2])
    for k in range(int(halvings.max())):
        y = _C.where((halvings > k)[..., None, None], y @ y, y)
    return y


@takes_out("linalg.tensorinv")
def tensorinv(A: Tensor, ind: int = 2) -> Tensor:
    """Inverse of A as a map from its last dims to its first `ind` dims, whose sizes have the same product."""
    need_tensors("linalg.tensorinv", A=A)
    first, last = tuple(A.shape[:ind]), tuple(A.shape[ind:])
    rows, columns = _product(first), _product(last)
    if ind < 1 or rows != columns:
        raise ShapeError(
            f"linalg.tensorinv: the first {ind} sizes and the others must have one product: {describe('A', A)}"
        )
    return inv(A.reshape(rows, columns)).reshape(*last, *first)


@takes_out("linalg.tensorsolve")
def tensorsolve(A: Tensor, B: Tensor, dims: Sequence[int] | None = None) -> Tensor:
    """X of tensordot(A, X, X.ndim) = B; `dims` of A are moved to its end first."""
    need_tensors("linalg.tensorsolve", A=A, B=B)
    if dims is not None:
        A = A.movedim(list(dims), list(range(-len(dims), 0)))
    last = tuple(A.shape[B.dim() :])
    if _product(last) != B.numel() or A.numel() != B.numel() ** 2:
        raise ShapeError(f"linalg.tensorsolve: sizes do not fit: {describe('A', A)}, {describe('B', B)}")
    return solve(A.reshape(B.numel(), B.numel()), B.reshape(-1)).reshape(*last)


def _product(sizes: Sequence[int]) -> int:
    n = 1
    for s in sizes:
        n *= s
    return n


def __getattr__(name: str) -> object:
    from .._missing import later

    return later(__name__, name)
