"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import _C
from .optimizer import Group, Optimizer, settings


class Adam(Optimizer):
    """Adam (Kingma and Ba 2014): m and v are running means of g and g^2; p -= lr m^ / (sqrt(v^) + eps).

    m^ and v^ are corrected for their start at zero. weight_decay adds to the gradient, or with
    decoupled_weight_decay shrinks p itself. `foreach` and `fused` are accepted: it is always fused.

    >>> import lamina
    >>> w = lamina.nn.Parameter(lamina.ones(1))
    >>> opt = lamina.optim.Adam([w], lr=0.5)
    >>> (w * 2).sum().backward(); opt.step(); round(w.item(), 4)
    0.5
    """

    _like_param = frozenset(("exp_avg", "exp_avg_sq", "max_exp_avg_sq"))
    _counts = frozenset(("step",))

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check_group(self, group: Group) -> None:
        self._require(group, "lr", "eps", "weight_decay")
        self._require_betas(group)

    def _update(self, group: Group) -> None:
        state, amsgrad = self.state, group["amsgrad"]
        params: list[Any] = []
        grads: list[Any] = []
        means: list[Any] = []
        squares: list[Any] = []
        largest: list[Any] = []
        steps: list[int] = []
        taken: list[tuple[Any, Any]] = []  # joins the state after the step, so that a failed one leaves nothing behind
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            own = state.get(p)
            if not own:
                zeros = _C.zeros_like(p.detach())
                own = {"step": 0, "exp_avg": zeros, "exp_avg_sq": zeros.clone()}
            taken.append((p, own))
            params.append(p)
            grads.append(grad)
            means.append(own["exp_avg"])
            squares.append(own["exp_avg_sq"])
            steps.append(own["step"] + 1)
            if amsgrad:
                if "max_exp_avg_sq" not in own:
                    own["max_exp_avg_sq"] = _C.zeros_like(own["exp_avg"])
                largest.append(own["max_exp_avg_sq"])
        if params:
            beta1, beta2 = group["betas"]
            _C.adam_step(
                params,
                grads,
                means,
                squares,
                largest,
                steps,
                group["lr"],
                beta1,
                beta2,
                group["eps"],
                group["weight_decay"],
                group["decoupled_weight_decay"],
                group["maximize"],
            )
        for p, own in taken:
            own["step"] += 1
            state[p] = own


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2017): p shrinks by lr weight_decay p at each step.

    >>> import lamina
    >>> w = lamina.nn.Parameter(lamina.ones(1))
    >>> opt = lamina.optim.AdamW([w], lr=0.5)
    >>> (w * 0).sum().backward(); opt.step(); round(w.item(), 4)
    0.995
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        **options: Any,  # Adam's keywords
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, decoupled_weight_decay=True, **options)
