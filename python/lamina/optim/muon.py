"""Muon: momentum whose matrix is made orthogonal."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from .. import _C
from .._C import Tensor
from .optimizer import Group, PerTensor, settings


def orthogonalize(matrix: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    """About U V^T of the matrix's U S V^T, by `steps` of X = a X + (b G + c G^2) X, G = X X^T.

    The odd polynomial of the singular values rises steeply at 0, so that few steps bring all of them near 1 (within
    about 0.3 of it): that is all the optimizer needs. In float32 at least, so that the bits are the same everywhere.
    """
    a, b, c = coefficients
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.t() if tall else matrix
    x = x if x.dtype in (_C.float32, _C.float64) else x.float()
    x = x / _C.norm(x).clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.t()
        x = _C.addmm(x, _C.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.t() if tall else x


class Muon(PerTensor):
    """Muon (Jordan 2024; arXiv 2502.16982): the momentum of each weight matrix, made orthogonal, is the step.

    m = momentum m + (1 - momentum) g; u = g + momentum (m - g) with nesterov, else m; then p -= lr weight_decay p and
    p -= lr' orthogonal(u). lr' is lr sqrt(max(1, rows / columns)), or with adjust_lr_fn="match_rms_adamw"
    0.2 lr sqrt(max(rows, columns)), which keeps AdamW's settings. For matrices of hidden layers only: biases and
    embeddings take AdamW. PyTorch orthogonalizes in bfloat16, so its steps differ in the third digit.

    >>> import lamina
    >>> w = lamina.nn.Parameter(lamina.eye(2))
    >>> opt = lamina.optim.Muon([w], lr=0.5, weight_decay=0.0)
    >>> (w * w).sum().backward(); opt.step(); bool((w < lamina.eye(2)).diagonal().all())
    True
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check_group(self, group: Group) -> None:
        self._require(group, "lr", "momentum", "weight_decay")
        if group["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
            raise ValueError(
                f"Muon: adjust_lr_fn must be None, 'original' or 'match_rms_adamw', got {group['adjust_lr_fn']!r}"
            )
        if group["ns_steps"] >= 100:
            raise ValueError(f"Muon: ns_steps must be below 100, got {group['ns_steps']}")
        if len(group["ns_coefficients"]) != 3:
            raise ValueError(f"Muon: expected 3 ns_coefficients, got {len(group['ns_coefficients'])}")
        for param in group["params"]:
            if param.ndim != 2:
                raise ValueError(
                    f"Muon: a parameter has shape {tuple(param.shape)}, expected 2 dims; hint: give biases, embeddings "
                    "and convolutions to AdamW"
                )

    def _gradient(self, param: Tensor, group: Group) -> Tensor:
        grad: Tensor = param.grad
        return grad

    def _step_one(self, param: Tensor, grad: Tensor, own: dict[str, Any], group: Group) -> None:
        lr, momentum = group["lr"], group["momentum"]
        buffer = own["momentum_buffer"].lerp_(grad, 1 - momentum)
        update = grad.lerp(buffer, momentum) if group["nesterov"] else buffer
        update = orthogonalize(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rows, columns = param.shape
        if group["adjust_lr_fn"] == "match_rms_adamw":
            scale = 0.2 * math.sqrt(max(rows, columns))
        else:
            scale = math.sqrt(max(1, rows / columns))
        param.mul_(1 - lr * group["weight_decay"]).add_(update.to(param.dtype), alpha=-lr * scale)

    def _start(self, param: Tensor, group: Group) -> dict[str, Any]:
        return {"momentum_buffer": _C.zeros_like(param)}
