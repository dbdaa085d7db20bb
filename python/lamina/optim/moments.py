"""Relatives of Adam: Adamax, NAdam, RAdam, SparseAdam, Lion; and ASGD."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from typing import Any

from .. import _C
from .._C import Tensor
from .optimizer import Group, PerTensor, settings

State = dict[str, Any]


def _moments(grad: Tensor, own: State, group: Group) -> tuple[Tensor, Tensor]:
    """Both running means, one step on."""
    beta1, beta2 = group["betas"]
    mean = own["exp_avg"].lerp_(grad, 1 - beta1)
    return mean, own["exp_avg_sq"].mul_(beta2).add_(grad * grad, alpha=1 - beta2)


class _Moments(PerTensor):
    def _check_group(self, group: Group) -> None:
        self._require(group, "lr", "eps", "weight_decay")
        self._require_betas(group)

    def _start(self, param: Tensor, group: Group) -> State:
        return {"exp_avg": _C.zeros_like(param), "exp_avg_sq": _C.zeros_like(param)}


class Adamax(_Moments):
    """Adamax (Kingma and Ba 2014): Adam with the largest decayed |g| in place of sqrt(v).

    m = beta1 m + (1 - beta1) g; u = max(beta2 u, |g| + eps); p -= lr / (1 - beta1^step) m / u.

    >>> import lamina
    >>> w = lamina.nn.Parameter(lamina.ones(1))
    >>> opt = lamina.optim.Adamax([w], lr=0.5)
    >>> (w * 2).sum().backward(); opt.step(); round(w.item(), 4)
    0.5
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _start(self, param: Tensor, group: Group) -> State:
        return {"exp_avg": _C.zeros_like(param), "exp_inf": _C.zeros_like(param)}

    def _step_one(self, param: Tensor, grad: Tensor, own: State, group: Group) -> None:
        beta1, beta2 = group["betas"]
        mean = own["exp_avg"].lerp_(grad, 1 - beta1)
        largest = own["exp_inf"]
        largest.copy_(_C.maximum(largest * beta2, grad.abs().add_(group["eps"])))
        param.add_(mean / largest, alpha=-group["lr"] / (1 - beta1 ** own["step"]))


class NAdam(_Moments):
    """NAdam (Dozat 2016): Adam with Nesterov momentum, whose weight mu grows towards beta1.

    mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2); p -= lr (mu_{t+1} m / (1 - mu_1...mu_{t+1})
    + (1 - mu_t) g / (1 - mu_1...mu_t)) / (sqrt(v^) + eps).

    >>> import lamina
    >>> w = lamina.nn.Parameter(lamina.ones(1))
    >>> opt = lamina.optim.NAdam([w], lr=0.5)
    >>> (w * 2).sum().backward(); opt.step(); round(w.item(), 4)
    0.4718
    """

    _numbers = frozenset(("mu_product",))

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check_group(self, group: Group) -> None:
        super()._check_group(group)
        self._require(group, "momentum_decay")

    def _start(self, param: Tensor, group: Group) -> State:
        return {"mu_product": 1.0, **super()._start(param, group)}

    def _step_one(self, param: Tensor, grad: Tensor, own: State, group: Group) -> None:
        step, (beta1, beta2), lr = own["step"], group["betas"], group["lr"]
        mu, following = (beta1 * (1.0 - 0.5 * 0.96 ** (t * group["momentum_decay"])) for t in (step, step + 1))
        own["mu_product"] *= mu
        mean, square = _moments(grad, own, group)
        scale = (square / (1 - beta2**step)).sqrt_().add_(group["eps"])
        param.add_(grad / scale, alpha=-lr * (1.0 - mu) / (1.0 - own["mu_product"]))
        param.add_(mean / scale, alpha=-lr * following / (1.0 - own["mu_product"] * following))


class RAdam(_Moments):
    """RAdam (Liu et al. 2019): Adam times a factor for the variance of its early steps, which are plain momentum.

    r = 2 / (1 - beta2) - 1; rho = r - 2 t beta2^t / (1 - beta2^t); where rho > 5 the step of Adam is multiplied by
    sqrt((rho - 4) (rho - 2) r / ((r - 4) (r - 2) rho)), before that p -= lr m^.

    >>> import lamina
    >>> w = lamina.nn.Parameter(lamina.ones(1))
    >>> opt = lamina.optim.RAdam([w], lr=0.25)
    >>> (w * 2).sum().backward(); opt.step(); round(w.item(), 4)
    0.5
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _step_one(self, param: Tensor, grad: Tensor, own: State, group: Group) -> None:
        step, (beta1, beta2) = own["step"], group["betas"]
        mean, square = _moments(grad, own, group)
        move = mean / (1 - beta1**step)
        limit = 2 / (1 - beta2) - 1
        length = limit - 2 * step * beta2**step / (1 - beta2**step)
        rate = group["lr"]
        if length > 5.0:
            rectify = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
            rate *= math.sqrt(rectify * (1 - beta2**step))
            move = move / square.sqrt().add_(group["eps"])
        param.add_(move, alpha=-rate)


class SparseAdam(_Moments):
    """Adam for embeddings: only the rows (the first dim) whose gradient is not all zero are touched.

    The others keep both p and its running means. PyTorch's takes sparse gradients; lamina's are dense, so a row of
    zeros stands for a row that is absent.

    >>> import lamina
    >>> w = lamina.nn.Parameter(lamina.ones(2, 1))
    >>> opt = lamina.optim.SparseAdam([w], lr=0.5)
    >>> (w[1] * 2).sum().backward(); opt.step(); w.round(decimals=4).tolist()
    [[1.0], [0.5]]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check_group(self, group: Group) -> None:
        for name in ("lr", "eps"):
            if not group[name] > 0.0:
                raise ValueError(f"Invalid {name} value: {group[name]} (SparseAdam needs {name} > 0)")
        self._require_betas(group)

    def _step_one(self, param: Tensor, grad: Tensor, own: State, group: Group) -> None:
        step, (beta1, beta2) = own["step"], group["betas"]
        if param.ndim == 0:
            param, grad = param.reshape(1), grad.reshape(1)
        rows = (grad.reshape(len(grad), -1) != 0).any(1).nonzero().reshape(-1)
        if rows.numel() == 0:
            return
        grad = grad.index_select(0, rows)
        mean, square = (own[name].reshape(param.shape) for name in ("exp_avg", "exp_avg_sq"))
        new_mean = mean.index_select(0, rows).lerp_(grad, 1 - beta1)
        new_square = square.index_select(0, rows).lerp_(grad * grad, 1 - beta2)
        mean.index_copy_(0, rows, new_mean)
        square.index_copy_(0, rows, new_square)
        rate = group["lr"] * math.sqrt(1 - beta2**step) / (1 - beta1**step)
        param.index_add_(0, rows, new_mean / new_square.sqrt().add_(group["eps"]), alpha=-rate)


class Lion(PerTensor):
    """Lion (Chen et al. 2023, arXiv 2302.06675): p -= lr (sign(beta1 m + (1 - beta1) g) + weight_decay p).

    Then m = beta2 m + (1 - beta2) g. One buffer, and steps of one size: lr is a third to a tenth of Adam's,
    weight_decay three to ten times AdamW's. PyTorch has no Lion.

    >>> import lamina
    >>> w = lamina.nn.Parameter(lamina.ones(1))
    >>> opt = lamina.optim.Lion([w], lr=0.5)
    >>> (w * 2).sum().backward(); opt.step(); w.item()
    0.5
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {**settings(locals()), "decoupled_weight_decay": True})

    def _check_group(self, group: Group) -> None:
        self._require(group, "lr", "weight_decay")
        self._require_betas(group)

    def _start(self, param: Tensor, group: Group) -> State:
        return {"exp_avg": _C.zeros_like(param)}

    def _step_one(self, param: Tensor, grad: Tensor, own: State, group: Group) -> None:
        beta1, beta2 = group["betas"]
        param.add_(own["exp_avg"].lerp(grad, 1 - beta1).sign_(), alpha=-group["lr"])
        own["exp_avg"].lerp_(grad, 1 - beta2)


class ASGD(PerTensor):
    """Averaged SGD (Polyak and Juditsky 1992): p = (1 - lambd eta) p - eta g, and state "ax", the mean of p since t0.

    eta = lr / (1 + lambd lr t)^alpha; the mean starts after t0 steps, until then it is p itself.

    >>> import lamina
    >>> w = lamina.nn.Parameter(lamina.ones(1))
    >>> opt = lamina.optim.ASGD([w], lr=0.25, lambd=0)
    >>> (w * 2).sum().backward(); opt.step(); w.item(), opt.state[w]["ax"].item()
    (0.5, 0.5)
    """

    _numbers = frozenset(("eta", "mu"))

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check_group(self, group: Group) -> None:
        self._require(group, "lr", "weight_decay")

    def _start(self, param: Tensor, group: Group) -> State:
        return {"eta": _single(float(group["lr"])), "mu": 1.0, "ax": _C.zeros_like(param)}

    def _step_one(self, param: Tensor, grad: Tensor, own: State, group: Group) -> None:
        lr, lambd, eta, mean = group["lr"], group["lambd"], own["eta"], own["ax"]
        param.mul_(1 - lambd * eta).add_(grad, alpha=-eta)
        if own["mu"] == 1:
            mean.copy_(param)
        else:
            mean.add_(param - mean, alpha=own["mu"])
        own["eta"] = _single(float(lr / (1 + lambd * lr * own["step"]) ** group["alpha"]))
        own["mu"] = _single(1 / max(1, own["step"] - group["t0"]))


def _single(number: float) -> float:
    """Rounded to float32, as PyTorch keeps it between steps."""
    return float(struct.unpack("f", struct.pack("f", number))[0])
