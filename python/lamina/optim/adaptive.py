"""Optimizers that scale each element by its own gradients: RMSprop, Adagrad, Adadelta and Rprop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import _C
from .._C import Tensor
from .optimizer import Group, PerTensor, settings

State = dict[str, Any]


class RMSprop(PerTensor):
    """RMSprop (Hinton 2012): v = alpha v + (1 - alpha) g^2; p -= lr g / (sqrt(v) + eps).

    `centered` subtracts the square of the mean gradient from v; with `momentum` the quotient is gathered in a buffer.

    >>> import lamina
    >>> w = lamina.nn.Parameter(lamina.ones(1))
    >>> opt = lamina.optim.RMSprop([w], lr=0.05)
    >>> (w * 2).sum().backward(); opt.step(); round(w.item(), 4)
    0.5
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check_group(self, group: Group) -> None:
        self._require(group, "lr", "eps", "momentum", "weight_decay", "alpha")

    def _start(self, param: Tensor, group: Group) -> State:
        names = ["square_avg"]
        names += ["momentum_buffer"] * (group["momentum"] > 0) + ["grad_avg"] * bool(group["centered"])
        return {name: _C.zeros_like(param) for name in names}

    def _step_one(self, param: Tensor, grad: Tensor, own: State, group: Group) -> None:
        rest = 1 - group["alpha"]
        spread = own["square_avg"].mul_(group["alpha"]).add_(grad * grad, alpha=rest)
        if group["centered"]:
            mean = own["grad_avg"].lerp_(grad, rest)
            spread = spread - mean * mean
        quotient = grad / spread.sqrt().add_(group["eps"])
        if group["momentum"] > 0:
            quotient = own["momentum_buffer"].mul_(group["momentum"]).add_(quotient)
        param.add_(quotient, alpha=-group["lr"])


class Adagrad(PerTensor):
    """Adagrad (Duchi, Hazan and Singer 2011): v += g^2; p -= lr / (1 + (step - 1) lr_decay) g / (sqrt(v) + eps).

    >>> import lamina
    >>> w = lamina.nn.Parameter(lamina.ones(1))
    >>> opt = lamina.optim.Adagrad([w], lr=0.5)
    >>> (w * 2).sum().backward(); opt.step(); round(w.item(), 4)
    0.5
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(params, settings(locals()))
        for group in self.param_groups:
            for param in group["params"]:
                self.state[param] = {"step": 0, **self._start(param.detach(), group)}

    def _check_group(self, group: Group) -> None:
        self._require(group, "lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")

    def _start(self, param: Tensor, group: Group) -> State:
        return {"sum": _C.full_like(param, group["initial_accumulator_value"])}

    def _step_one(self, param: Tensor, grad: Tensor, own: State, group: Group) -> None:
        rate = group["lr"] / (1 + (own["step"] - 1) * group["lr_decay"])
        own["sum"].add_(grad * grad)
        param.add_(grad / own["sum"].sqrt().add_(group["eps"]), alpha=-rate)


class Adadelta(PerTensor):
    """Adadelta (Zeiler 2012): p -= lr d, d = g sqrt(u + eps) / sqrt(v + eps); u, v are running means of d^2 and g^2.

    >>> import lamina
    >>> w = lamina.nn.Parameter(lamina.ones(1))
    >>> opt = lamina.optim.Adadelta([w], eps=0.1)
    >>> (w * 2).sum().backward(); opt.step(); round(w.item(), 4)
    0.1056
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check_group(self, group: Group) -> None:
        self._require(group, "lr", "eps", "weight_decay")
        if not 0.0 <= group["rho"] <= 1.0:
            raise ValueError(f"Invalid rho value: {group['rho']} (Adadelta needs 0 <= rho <= 1)")

    def _start(self, param: Tensor, group: Group) -> State:
        return {"square_avg": _C.zeros_like(param), "acc_delta": _C.zeros_like(param)}

    def _step_one(self, param: Tensor, grad: Tensor, own: State, group: Group) -> None:
        rho, eps = group["rho"], group["eps"]
        square = own["square_avg"].mul_(rho).add_(grad * grad, alpha=1 - rho)
        delta = own["acc_delta"].add(eps).sqrt_().div_(square.add(eps).sqrt_()).mul_(grad)
        own["acc_delta"].mul_(rho).add_(delta * delta, alpha=1 - rho)
        param.add_(delta, alpha=-group["lr"])


class Rprop(PerTensor):
    """Resilient backpropagation (Riedmiller and Braun 1993): only the signs of the gradients count.

    Each element has its own step size: times etas[1] while the sign stays, times etas[0] where it turned (and there
    the element rests once), kept within step_sizes.

    >>> import lamina
    >>> w = lamina.nn.Parameter(lamina.ones(1))
    >>> opt = lamina.optim.Rprop([w], lr=0.5)
    >>> (w * 7).sum().backward(); opt.step(); w.item()
    0.5
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check_group(self, group: Group) -> None:
        self._require(group, "lr")
        if not 0.0 < group["etas"][0] < 1.0 < group["etas"][1]:
            raise ValueError(f"Invalid eta values: {group['etas']} (Rprop needs 0 < etas[0] < 1 < etas[1])")

    def _start(self, param: Tensor, group: Group) -> State:
        return {"prev": _C.zeros_like(param), "step_size": _C.full_like(param, group["lr"])}

    def _step_one(self, param: Tensor, grad: Tensor, own: State, group: Group) -> None:
        (shrink, grow), (least, most) = group["etas"], group["step_sizes"]
        agree = grad * own["prev"]
        turned = agree < 0
        factor = _C.full_like(param, 1.0).masked_fill_(agree > 0, grow).masked_fill_(turned, shrink)
        size = own["step_size"].mul_(factor).clamp_(least, most)
        grad = grad.masked_fill(turned, 0)
        param.sub_(grad.sign() * size)
        own["prev"].copy_(grad)
