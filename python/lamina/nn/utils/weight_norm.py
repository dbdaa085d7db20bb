"""weight_norm by a hook: weight_g and weight_v, with the older state keys."""

from __future__ import annotations

from typing import Any

import lamina

from ..._C import Tensor
from ..parameter import Parameter
from ._computed import Computed, OtherNames, install, remove, taken


def norm_except_dim(v: Tensor, dim: int | None) -> Tensor:
    """The norm over all dims but `dim`, which keeps its place; over all with -1 or None."""
    if dim is None or dim == -1:
        return lamina.norm(v)
    others = [d for d in range(len(v.shape)) if d != dim % len(v.shape)]
    return lamina.norm(v, 2.0, others, True) if others else v.abs()


class WeightNorm(Computed):
    """The forward pre-hook of weight_norm."""

    def __init__(self, name: str, dim: int | None) -> None:
        super().__init__(name)
        self.dim = dim

    def compute_weight(self, module: Any) -> Tensor:
        direction = getattr(module, self.name + "_v")
        out: Tensor = direction * (getattr(module, self.name + "_g") / norm_except_dim(direction, self.dim))
        return out

    def remove(self, module: Any) -> None:
        remove_weight_norm(module, self.name)


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """The weight as a length `weight_g` times a direction `weight_v` (Salimans and Kingma 2016).

    State dicts of `parametrizations.weight_norm` are read, too.

    >>> from lamina import nn
    >>> sorted(nn.utils.weight_norm(nn.Linear(3, 2)).state_dict())
    ['bias', 'weight_g', 'weight_v']
    """
    weight = taken(module, name, "weight_norm").detach()
    module.register_parameter(name + "_g", Parameter(norm_except_dim(weight, dim)))
    module.register_parameter(name + "_v", Parameter(weight))
    install(module, WeightNorm(name, dim))
    other = f"parametrizations.{name}.original"
    module._register_load_state_dict_pre_hook(OtherNames({f"{other}0": f"{name}_g", f"{other}1": f"{name}_v"}))
    return module


def remove_weight_norm(module: Any, name: str = "weight") -> Any:
    """A plain parameter again, with the present value."""
    return remove(module, WeightNorm, name, ("_g", "_v"), "remove_weight_norm")
