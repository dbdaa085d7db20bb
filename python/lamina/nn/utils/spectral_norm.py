"""spectral_norm by a hook: weight_orig, weight_u and weight_v, with the older state keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lamina

from ..._C import Tensor
from ...nn import functional
from ..parameter import Parameter
from ._computed import Computed, OtherNames, install, remove, taken


def power_iteration(matrix: Tensor, u: Tensor, v: Tensor, steps: int, eps: float, u_first: bool = False) -> None:
    """Moves u and v, in place, towards the singular vectors of the largest singular value.

    PyTorch's older form moves v first, its parametrization u.
    """
    with lamina.no_grad():
        for half in range(2 * steps):
            if (half % 2 == 0) == u_first:
                u.copy_(functional.normalize(lamina.mv(matrix, v), dim=0, eps=eps))
            else:
                v.copy_(functional.normalize(lamina.mv(matrix.t(), u), dim=0, eps=eps))


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """`dim` as rows, all others as columns."""
    order = [dim, *(d for d in range(len(weight.shape)) if d != dim)]
    return weight.permute(order).reshape(weight.shape[dim], -1)


class SpectralNorm(Computed):
    """The forward pre-hook of spectral_norm."""

    def __init__(self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        if n_power_iterations < 1:
            raise ValueError(f"spectral_norm: n_power_iterations must be positive, got {n_power_iterations}")
        super().__init__(name)
        self.n_power_iterations, self.dim, self.eps = n_power_iterations, dim, eps

    def compute_weight(self, module: Any, do_power_iteration: bool | None = None) -> Tensor:
        now = getattr(module, self.name + "_orig")
        u, v = getattr(module, self.name + "_u"), getattr(module, self.name + "_v")
        matrix = as_matrix(now, self.dim)
        if module.training if do_power_iteration is None else do_power_iteration:
            power_iteration(matrix.detach(), u, v, self.n_power_iterations, self.eps)
            u, v = u.clone(), v.clone()
        out: Tensor = now / lamina.dot(u, lamina.mv(matrix, v))
        return out

    def restore(self, module: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=False))

    def remove(self, module: Any) -> None:
        remove_spectral_norm(module, self.name)


class _WithoutRight:
    """A hook on load_state_dict: files from before `weight_v` was kept have the normed weight, from which v follows."""

    def __init__(self, hook: SpectralNorm) -> None:
        self.hook = hook

    def __call__(self, state_dict: dict[str, Any], prefix: str, noted: Mapping[str, Any], *rest: Any) -> None:
        key = prefix + self.hook.name
        if key not in state_dict or key + "_v" in state_dict or not {key + "_orig", key + "_u"} <= state_dict.keys():
            return
        with lamina.no_grad():
            orig, u = state_dict[key + "_orig"], state_dict[key + "_u"]
            sigma = (orig / state_dict.pop(key)).mean()
            matrix = as_matrix(orig, self.hook.dim)
            v = lamina.mv(lamina.linalg.pinv(matrix.t() @ matrix), lamina.mv(matrix.t(), u))
            state_dict[key + "_v"] = v * (sigma / lamina.dot(u, lamina.mv(matrix, v)))


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Any:
    """The weight divided by its largest singular value, which power iteration follows in training (Miyato 2018).

    State dicts of `parametrizations.spectral_norm` are read, too.

    >>> from lamina import nn
    >>> sorted(nn.utils.spectral_norm(nn.Linear(3, 2)).state_dict())
    ['bias', 'weight_orig', 'weight_u', 'weight_v']
    """
    axis = dim if dim is not None else int(type(module).__name__.startswith("ConvTranspose"))
    hook = SpectralNorm(name, n_power_iterations, axis, eps)
    weight = taken(module, name, "spectral_norm").detach()
    module.register_parameter(name + "_orig", Parameter(weight))
    matrix = as_matrix(weight, axis)
    for part, size in (("_u", matrix.shape[0]), ("_v", matrix.shape[1])):
        start = lamina.randn(size).to(weight.dtype)
        module.register_buffer(name + part, functional.normalize(start, dim=0, eps=eps))
    install(module, hook)
    module._register_load_state_dict_pre_hook(_WithoutRight(hook))
    module._register_load_state_dict_pre_hook(OtherNames(other_names(name, newer=True)))
    return module


def other_names(name: str, newer: bool) -> dict[str, str]:
    """Names of the newer form -> those of this one; the other way round when not `newer`."""
    base = f"parametrizations.{name}."
    pairs = {f"{base}original": f"{name}_orig", f"{base}0._u": f"{name}_u", f"{base}0._v": f"{name}_v"}
    return pairs if newer else {here: there for there, here in pairs.items()}


def remove_spectral_norm(module: Any, name: str = "weight") -> Any:
    """A plain parameter again, with the present value."""
    return remove(module, SpectralNorm, name, ("_orig", "_u", "_v"), "remove_spectral_norm")
