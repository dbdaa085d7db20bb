"""The parametrisation of `parametrizations.orthogonal`."""

from __future__ import annotations

import lamina

from ..._C import ShapeError, Tensor
from ..module import Module

MAPS = ("matrix_exp", "cayley", "householder")


class Orthogonal(Module):
    """X -> a matrix with orthonormal columns (rows, where it is wide): (*, n, k) -> (*, n, k).

    matrix_exp and cayley make a rotation of the skew part of X, householder a product of reflections at its columns.
    `base`, when it is there, is a fixed orthogonal matrix by which the result is multiplied (dynamic trivialisation,
    Lezcano-Casado 2019): the weight as it was is where training starts.
    """

    base: Tensor | None

    def __init__(self, weight: Tensor, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        self.shape, self.orthogonal_map, self.trivial = tuple(weight.shape), orthogonal_map, use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Tensor) -> Tensor:
        wide = X.shape[-2] < X.shape[-1]
        X = X.mT if wide else X
        Q = _reflected(X) if self.orthogonal_map == "householder" else _rotated(X, self.orthogonal_map)
        if self.trivial and self.base is not None:
            Q = self.base @ Q
        return Q.mT if wide else Q

    def right_inverse(self, Q: Tensor) -> Tensor:
        """The X that gives Q, which is made orthogonal when it is not; with `base` it is minus the identity."""
        if tuple(Q.shape) != self.shape:
            raise ShapeError(f"orthogonal: expected a matrix or batch of shape {self.shape}, got {tuple(Q.shape)}")
        with lamina.no_grad():
            tall = Q.mT if Q.shape[-2] < Q.shape[-1] else Q
            if not self.trivial:
                X = self._reflections(tall)
                return X.mT if tall is not Q else X
            n, k = tall.shape[-2:]
            if n != k:
                rest = lamina.randn(*tall.shape[:-2], n, n - k, dtype=Q.dtype)
                self.base = _orthogonal(lamina.cat([tall, rest], -1))
            else:
                self.base = tall.clone() if _is_orthogonal(tall) else _orthogonal(tall)
            start = lamina.zeros_like(Q)
            start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
            return start

    def _reflections(self, Q: Tensor) -> Tensor:
        if self.orthogonal_map != "householder":
            raise NotImplementedError(
                f"orthogonal: a weight cannot be assigned to the map {self.orthogonal_map!r} with "
                "use_trivialization=False; use the map 'householder' or use_trivialization=True"
            )
        import numpy

        raw, tau = numpy.linalg.qr(Q.detach().double().numpy(), mode="raw")  # LAPACK's reflections, transposed
        A = lamina.from_numpy(numpy.ascontiguousarray(numpy.swapaxes(raw, -1, -2))).to(Q.dtype)
        signs = A.diagonal(dim1=-2, dim2=-1).sign()
        signs = lamina.where(lamina.from_numpy(numpy.ascontiguousarray(tau)) == 0, -signs, signs)
        A.diagonal(dim1=-2, dim2=-1).copy_(signs)
        return A


def _rotated(X: Tensor, kind: str) -> Tensor:
    n, k = X.shape[-2:]
    lower = X.tril()
    if n != k:
        lower = lamina.cat([lower, X.new_zeros((*X.shape[:-2], n, n - k))], -1)
    skew = lower - lower.mT
    if kind == "matrix_exp":
        whole: Tensor = lamina.linalg.matrix_exp(skew)
    else:
        unit = lamina.eye(n, dtype=X.dtype, device=X.device)
        whole = lamina.linalg.solve(unit - 0.5 * skew, unit + 0.5 * skew)
    return whole[..., :k]


def _reflected(X: Tensor) -> Tensor:
    """The first columns of the product of reflections I - tau v v^T, v below the diagonal of X and 1 on it; the signs
    of the diagonal of X belong to the columns and get no gradient."""
    n, k = X.shape[-2:]
    below = X.tril(-1)
    vectors = below + lamina.eye(n, k, dtype=X.dtype, device=X.device)
    tau = 2.0 / (1.0 + (below * below).sum(-2))
    Q = lamina.eye(n, k, dtype=X.dtype, device=X.device)
    for i in reversed(range(k)):
        v = vectors[..., :, i : i + 1]
        Q = Q - tau[..., i : i + 1].unsqueeze(-1) * (v @ (v.mT @ Q))
    return Q * X.detach().diagonal(dim1=-2, dim2=-1).trunc().unsqueeze(-2)


def _is_orthogonal(Q: Tensor) -> bool:
    unit = lamina.eye(Q.shape[-1], dtype=Q.dtype)
    return bool(((Q.mT @ Q - unit).abs() <= 10.0 * Q.shape[-2] * lamina.finfo(Q.dtype).eps).all())


def _orthogonal(A: Tensor) -> Tensor:
    """The Q of QR with a positive diagonal of R."""
    Q, R = lamina.linalg.qr(A)
    return Q * R.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)
