"""Decompositions with gradients. Every backward is written with operations, so it can be differentiated again.

G is the gradient of the result, A^T the transpose of the last two dims; each class states its formula.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from .. import _C
from .._C import Tensor
from ..autograd.function import Function
from ._lapack import run

SINGULAR = "the matrix is singular"
NOT_FINITE = "the algorithm did not converge; is every number finite?"


def finite(call: Callable[..., Any]) -> Callable[..., Any]:
    """LAPACK may return anything for NaN and infinity: refuse them."""

    def checked(x: Any, *others: Any) -> Any:
        if not np.isfinite(x).all():
            raise np.linalg.LinAlgError
        return call(x, *others)

    return checked


def mT(x: Tensor) -> Tensor:
    return x.transpose(-2, -1)


def identity_like(a: Tensor) -> Tensor:
    return _C.eye(a.shape[-1], dtype=a.dtype, device=a.device)


def _half_diagonal(x: Tensor) -> Tensor:
    """The lower triangle, its diagonal halved."""
    return x.tril() - x * (identity_like(x) * 0.5)


class Inverse(Function):
    """Y = A^-1: dA = -Y^T G Y^T."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        (y,) = run("linalg.inv", f"the inverse does not exist, {SINGULAR}", np.linalg.inv, a)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return -(mT(y) @ g @ mT(y))


class Solve(Function):
    """X = A^-1 B: dB = A^-T G, dA = -dB X^T."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        (x,) = run("linalg.solve", f"no unique solution, {SINGULAR}", np.linalg.solve, a, b)
        ctx.save_for_backward(a, x)
        return x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, Tensor]:
        a, x = ctx.saved_tensors
        gb = Solve.apply(mT(a), g)
        return -(gb @ mT(x)) if ctx.needs_input_grad[0] else None, gb


def _triangular(a: Any, b: Any) -> Any:
    if a.size and not np.all(np.diagonal(a, axis1=-2, axis2=-1)):
        raise np.linalg.LinAlgError
    return np.linalg.solve(a, b)


class SolveTriangular(Function):
    """X = A^-1 B for an upper or lower triangle of A: dB = A^-T G, dA = -(dB X^T) within the triangle."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, upper: bool, unit: bool) -> Tensor:
        ctx.upper, ctx.unit = upper, unit
        t = a.triu() if upper else a.tril()
        if unit:
            t = t - t * identity_like(t) + identity_like(t)
        # LU of an upper triangle is that triangle, without pivoting; a lower one is turned around.
        turned = (t, b) if upper else (t.flip(-2, -1), b.flip(-2))
        (x,) = run("linalg.solve_triangular", f"no unique solution, {SINGULAR}", _triangular, *turned)
        x = x if upper else x.flip(-2)
        ctx.save_for_backward(a, x)
        return x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, Tensor, None, None]:
        a, x = ctx.saved_tensors
        gb = SolveTriangular.apply(mT(a), g, not ctx.upper, ctx.unit)
        ga = None
        if ctx.needs_input_grad[0]:
            ga, k = -(gb @ mT(x)), int(ctx.unit)
            ga = ga.triu(k) if ctx.upper else ga.tril(-k)
        return ga, gb, None, None


class Determinant(Function):
    """d = det A: dA = G d A^-T; for a singular A the cofactors by way of its singular values."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        (d,) = run("linalg.det", NOT_FINITE, np.linalg.det, a)
        ctx.save_for_backward(a, d)
        return d

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        a, d = ctx.saved_tensors
        zero = (d == 0).detach()
        if not bool(zero.any()):
            full: Tensor = (g * d)[..., None, None] * mT(Inverse.apply(a))
            return full
        where = zero[..., None, None]
        n = a.shape[-1]
        regular = (g * d)[..., None, None] * mT(Inverse.apply(_C.where(where, identity_like(a), a)))
        # A = U S V^T has the cofactors det(U V^T) U diag(product of the other s) V^T.
        spread = identity_like(a) * _C.arange(1, n + 1, dtype=a.dtype)
        u, s, vh = Svd.apply(_C.where(where, a, spread), False)
        others = _C.stack([s[..., [j for j in range(n) if j != i]].prod(-1) for i in range(n)], -1)
        sign = (Determinant.apply(u) * Determinant.apply(vh)).detach()
        singular = (g * sign)[..., None, None] * ((u * others[..., None, :]) @ vh)
        return _C.where(where, singular, regular)


class LogDeterminant(Function):
    """(sign, log |det A|): dA = G A^-T, G belonging to the logarithm."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> tuple[Tensor, Tensor]:
        sign, log = run("linalg.slogdet", NOT_FINITE, lambda x: tuple(np.linalg.slogdet(x)), a)
        ctx.save_for_backward(a)
        ctx.mark_non_differentiable(sign)
        return sign, log

    @staticmethod
    def backward(ctx: Any, _: Tensor, g: Tensor) -> Tensor:
        (a,) = ctx.saved_tensors
        return g[..., None, None] * mT(Inverse.apply(a))


class Cholesky(Function):
    """A = L L^T: dA = sym(L^-T P(L^T G) L^-1), P being the lower triangle with half of the diagonal."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        (low,) = run("linalg.cholesky", "the matrix is not positive definite", np.linalg.cholesky, a)
        ctx.save_for_backward(low)
        return low

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (low,) = ctx.saved_tensors
        inner = _half_diagonal(mT(low) @ g)
        left = SolveTriangular.apply(mT(low), inner, True, False)  # L^-T P
        s = mT(SolveTriangular.apply(mT(low), mT(left), True, False))  # (L^-T P) L^-1
        return (s + mT(s)) * 0.5


def _safe(difference: Tensor) -> Tensor:
    """1 / difference, with the diagonal (0) left out."""
    eye = identity_like(difference)
    return (1 - eye) / (difference + eye)


class SymmetricEigen(Function):
    """A = V diag(l) V^T: dA = sym(V (diag(Gl) + (V^T Gv) / E) V^T), E_ij = l_j - l_i off the
    diagonal."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, lower: bool) -> tuple[Tensor, Tensor]:
        values, vectors = run(
            "linalg.eigh", NOT_FINITE, finite(lambda x: tuple(np.linalg.eigh(x, UPLO="L" if lower else "U"))), a
        )
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(values, vectors)
        return values, vectors

    @staticmethod
    def backward(ctx: Any, gl: Tensor | None, gv: Tensor | None) -> tuple[Tensor | None, None]:
        values, v = ctx.saved_tensors
        if gl is None and gv is None:
            return None, None
        middle = _C.zeros_like(v) if gl is None else identity_like(v) * gl[..., None, :]
        if gv is not None:
            middle = middle + (mT(v) @ gv) * _safe(values[..., None, :] - values[..., :, None])
        ga = v @ middle @ mT(v)
        return (ga + mT(ga)) * 0.5, None


class Svd(Function):
    """A = U diag(s) V^T: dA = U (diag(Gs) + (K(U^T Gu) s_j + s_i K(V^T Gv)) / E) V^T + (I - U U^T) Gu / s V^T
    + U / s Gv^T (I - V V^T), with K(X) = X - X^T and E_ij = s_j^2 - s_i^2 off the diagonal.

    Columns that full_matrices adds have no gradient.
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, full: bool) -> tuple[Tensor, Tensor, Tensor]:
        u, s, vh = run("linalg.svd", NOT_FINITE, finite(lambda x: tuple(np.linalg.svd(x, full_matrices=full))), a)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(u, s, vh)
        return u, s, vh

    @staticmethod
    def backward(ctx: Any, gu: Tensor | None, gs: Tensor | None, gvh: Tensor | None) -> tuple[Tensor | None, None]:
        u, s, vh = ctx.saved_tensors
        m, n, k = u.shape[-2], vh.shape[-1], s.shape[-1]
        u, vh = u[..., :k], vh[..., :k, :]
        gu = None if gu is None else gu[..., :k]
        gvh = None if gvh is None else gvh[..., :k, :]
        if gu is None and gvh is None:
            return (None if gs is None else (u * gs[..., None, :]) @ vh), None
        row, column = s[..., None, :], s[..., :, None]
        over = _safe((row - column) * (row + column))
        inner = _C.zeros_like(row * column) if gs is None else identity_like(row * column) * gs[..., None, :]
        outside = None
        if gu is not None:
            x = mT(u) @ gu
            inner = inner + (x - mT(x)) * over * row
            if m > k:
                outside = ((gu - u @ x) / row) @ vh
        if gvh is not None:
            y = vh @ mT(gvh)
            inner = inner + column * ((y - mT(y)) * over)
            if n > k:
                more = u @ ((gvh - mT(y) @ vh) / column)
                outside = more if outside is None else outside + more
        ga = u @ inner @ vh
        return ga if outside is None else ga + outside, None


class Qr(Function):
    """A = Q R, M >= N: dA = (Gq + Q sym(R Gr^T - Gq^T Q)) R^-T, sym(X) being its lower triangle mirrored.

    For M < N, A = Q [U | V]: V = Q^T Y hands its gradient on to Q and Y, and U is treated as above.
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, mode: Literal["reduced", "complete"]) -> tuple[Tensor, Tensor]:
        q, r = run("linalg.qr", NOT_FINITE, lambda x: tuple(np.linalg.qr(x, mode)), a)
        ctx.complete = mode == "complete"
        ctx.save_for_backward(a, q, r)
        return q, r

    @staticmethod
    def backward(ctx: Any, gq: Tensor, gr: Tensor) -> tuple[Tensor, None]:
        a, q, r = ctx.saved_tensors
        m, n = a.shape[-2:]
        if ctx.complete and m > n:
            raise _C.GradError("linalg.qr: mode='complete' has no gradient for M > N; use mode='reduced'")
        if m >= n:
            return _square_qr(gq, gr, q, r), None
        gy = gr[..., m:]
        gx = _square_qr(gq + a[..., m:] @ mT(gy), gr[..., :m], q, r[..., :m])
        return _C.cat([gx, q @ gy], -1), None


def _square_qr(gq: Tensor, gr: Tensor, q: Tensor, r: Tensor) -> Tensor:
    low = (r @ mT(gr) - mT(gq) @ q).tril()
    mirrored = low + mT(low.tril(-1))
    right = gq + q @ mirrored
    return mT(SolveTriangular.apply(r, mT(right), True, False))


class PseudoInverse(Function):
    """P = A^+: dA = -P^T G P^T + (I - A P) G^T P P^T + P^T P G^T (I - P A)."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, atol: Tensor, rtol: Tensor, hermitian: bool) -> Tensor:
        def call(x: Any, absolute: Any, relative: Any) -> Any:
            if hermitian:
                values, right = np.linalg.eigh(x)
                left, size = right, np.abs(values)
                right = np.swapaxes(right, -2, -1)
            else:
                left, values, right = np.linalg.svd(x, full_matrices=False)
                size = values
            if size.shape[-1] == 0:
                return np.zeros((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)
            limit = np.maximum(absolute, relative * size.max(-1))[..., None]
            inverse = np.where(size > limit, 1 / np.where(size > limit, values, 1), 0).astype(x.dtype)
            return np.swapaxes(right, -2, -1) @ (inverse[..., :, None] * np.swapaxes(left, -2, -1))

        (p,) = run("linalg.pinv", NOT_FINITE, finite(call), a, atol, rtol)
        ctx.save_for_backward(a, p)
        return p

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None, None, None]:
        a, p = ctx.saved_tensors
        return pinv_gradient(a, p, g), None, None, None


def pinv_gradient(a: Tensor, p: Tensor, g: Tensor) -> Tensor:
    pt, gt = mT(p), mT(g)
    ptgt = pt @ p @ gt
    gpp = gt @ p @ pt
    return -(pt @ g @ pt) + (gpp - a @ (p @ gpp)) + (ptgt - (ptgt @ p) @ a)


class LeastSquares(Function):
    """X = A^+ B: dB = A^+T G, dA by the gradient of the pseudo-inverse for G B^T."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, rcond: float) -> tuple[Tensor, Tensor, Tensor]:
        def call(x: Any, y: Any) -> Any:
            batch, m, n, k = x.shape[:-2], x.shape[-2], x.shape[-1], y.shape[-1]
            out = np.zeros((*batch, n, k), x.dtype)
            rank, values = np.zeros(batch, np.int64), np.zeros((*batch, min(m, n)), x.dtype)
            if min(m, n):
                for at in np.ndindex(*batch):
                    out[at], _, rank[at], values[at] = np.linalg.lstsq(x[at], y[at], rcond=rcond)
            return out, rank, values

        x, rank, values = run("linalg.lstsq", NOT_FINITE, finite(call), a, b)
        ctx.mark_non_differentiable(rank, values)
        ctx.save_for_backward(a, b)
        return x, rank, values

    @staticmethod
    def backward(ctx: Any, g: Tensor, *_: Any) -> tuple[Tensor | None, Tensor, None]:
        a, b = ctx.saved_tensors
        zero = _C.zeros(a.shape[:-2], dtype=a.dtype)
        eps = float(np.finfo(a.detach().numpy().dtype).eps) * max(a.shape[-2:])
        p = PseudoInverse.apply(a, zero, zero + eps, False)
        ga = pinv_gradient(a, p, g @ mT(b)) if ctx.needs_input_grad[0] else None
        return ga, mT(p) @ g, None
