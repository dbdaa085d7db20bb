"""SGD with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import _C
from .optimizer import Group, Optimizer, settings


class SGD(Optimizer):
    """Stochastic gradient descent: g += weight_decay p; b = momentum b + (1 - dampening) g; p -= lr b.

    The first b is g itself; with nesterov the step is g + momentum b. `foreach` and `fused` are accepted: it is always
    fused.

    >>> import lamina
    >>> w = lamina.nn.Parameter(lamina.ones(1))
    >>> opt = lamina.optim.SGD([w], lr=0.5)
    >>> (w * 2).sum().backward(); opt.step(); w.tolist()
    [0.0]
    """

    _like_param = frozenset(("momentum_buffer",))

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check_group(self, group: Group) -> None:
        self._require(group, "lr", "momentum", "weight_decay")
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")

    def _update(self, group: Group) -> None:
        state, keeps = self.state, group["momentum"] != 0
        params: list[Any] = []
        grads: list[Any] = []
        buffers: list[Any] = []
        fresh: list[int] = []
        made: dict[Any, Any] = {}  # joins the state after the step, so that a failed one leaves nothing behind
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            params.append(p)
            grads.append(grad)
            if keeps:
                own = state.get(p)
                buffer = None if own is None else own.get("momentum_buffer")
                fresh.append(buffer is None)
                if buffer is None:
                    buffer = _C.zeros_like(p.detach())
                    made[p] = {**(own or {}), "momentum_buffer": buffer}
                buffers.append(buffer)
        if params:
            _C.sgd_step(
                params,
                grads,
                buffers,
                fresh,
                group["lr"],
                group["momentum"],
                group["dampening"],
                group["weight_decay"],
                group["nesterov"],
                group["maximize"],
            )
        state.update(made)
