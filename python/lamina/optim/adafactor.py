"""Adafactor: adaptive steps whose memory is one row and one column of a matrix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import lamina

from .. import _C
from .._C import Tensor
from .optimizer import Group, PerTensor, settings


class Adafactor(PerTensor):
    """Adafactor (Shazeer and Stern 2018): the second moments of a matrix are the product of their row and column means.

    At step t the running means take the share t^beta2_decay of the new squares; the step has the size
    max(eps[1], rms(p)) min(lr, 1 / sqrt(t)) and is cut where its root mean square exceeds d. eps[0] is the rounding
    unit of the dtype when None. Parameters of one dim keep all their second moments.

    >>> import lamina
    >>> w = lamina.nn.Parameter(lamina.ones(2, 2))
    >>> opt = lamina.optim.Adafactor([w], lr=0.5)
    >>> (w * 2).sum().backward(); opt.step(); round(w[0, 0].item(), 4)
    0.5
    >>> {name: tuple(value.shape) for name, value in opt.state[w].items() if name != "step"}
    {'row_var': (2, 1), 'col_var': (1, 2)}
    """

    _like_param = frozenset(("variance",))

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check_group(self, group: Group) -> None:
        self._require(group, "lr", "weight_decay")
        if group["beta2_decay"] > 0:
            raise ValueError(f"Invalid beta2_decay: {group['beta2_decay']} (Adafactor needs beta2_decay <= 0)")
        first, second = group["eps"]
        if (first is not None and first < 0) or second < 0:
            raise ValueError(f"Invalid eps values: {group['eps']} (Adafactor needs eps >= 0)")
        if group["d"] < 1.0:
            raise ValueError(f"Invalid clipping threshold d: {group['d']} (Adafactor needs d >= 1)")

    def _start(self, param: Tensor, group: Group) -> dict[str, Any]:
        if param.ndim < 2:
            return {"variance": _C.zeros_like(param)}
        return {"row_var": _C.zeros_like(param[..., :1]), "col_var": _C.zeros_like(param[..., :1, :])}

    def _gradient(self, param: Tensor, group: Group) -> Tensor:
        grad: Tensor = -param.grad if group["maximize"] else param.grad
        return grad

    def _step_one(self, param: Tensor, grad: Tensor, own: dict[str, Any], group: Group) -> None:
        step, (least, smallest) = own["step"], group["eps"]
        least = float(lamina.finfo(param.dtype).eps) if least is None else least
        share = step ** group["beta2_decay"]
        rate = min(group["lr"], step**-0.5)
        size = max(smallest, _rms(param)) * rate
        if group["weight_decay"] != 0:
            param.mul_(1 - group["lr"] * group["weight_decay"])
        square = grad.square()
        if param.ndim > 1:
            row = own["row_var"].lerp_(square.mean(-1, keepdim=True), share)
            column = own["col_var"].lerp_(square.mean(-2, keepdim=True), share)
            variance = (row @ column).div_(row.mean(-2, keepdim=True).clamp_(min=least))
        else:
            variance = own["variance"].lerp_(square, share).clone()
        update = variance.clamp_(min=least * least).rsqrt_().mul_(grad)
        param.add_(update, alpha=-size / max(1.0, _rms(update) / group["d"]))


def _rms(x: Tensor) -> float:
    return float(x.norm().item() / max(x.numel(), 1) ** 0.5)
