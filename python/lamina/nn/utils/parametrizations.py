"""weight_norm and spectral_norm as parametrisations, with the state keys `parametrizations.weight.original...`."""

from __future__ import annotations

from typing import Any

import lamina

from ..._C import Tensor
from .. import functional
from ..module import Module
from ._computed import OtherNames
from .parametrize import register_parametrization
from .spectral_norm import as_matrix, other_names, power_iteration
from .weight_norm import norm_except_dim


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return weight_v * (weight_g / norm_except_dim(weight_v, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except_dim(weight, self.dim), weight.detach()


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """The weight as a length (original0) times a direction (original1) (Salimans and Kingma 2016).

    State dicts of the older `weight_norm`, with weight_g and weight_v, are read, too.

    >>> from lamina import nn
    >>> sorted(nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)).state_dict())
    ['bias', 'parametrizations.weight.original0', 'parametrizations.weight.original1']
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)
    here = f"parametrizations.{name}.original"
    module._register_load_state_dict_pre_hook(OtherNames({f"{name}_g": f"{here}0", f"{name}_v": f"{here}1"}))
    return module


class _SpectralNorm(Module):
    def __init__(self, weight: Tensor, n_power_iterations: int, dim: int, eps: float) -> None:
        super().__init__()
        self.dim, self.eps, self.n_power_iterations = dim % len(weight.shape), eps, n_power_iterations
        self.vector = len(weight.shape) == 1
        if not self.vector:
            matrix = as_matrix(weight.detach(), self.dim)
            for name, size in (("_u", matrix.shape[0]), ("_v", matrix.shape[1])):
                start = lamina.randn(size).to(weight.dtype)
                self.register_buffer(name, functional.normalize(start, dim=0, eps=eps))
            power_iteration(matrix, self.__dict__["_u"], self.__dict__["_v"], 15, eps, u_first=True)

    def forward(self, weight: Tensor) -> Tensor:
        if self.vector:
            unit: Tensor = functional.normalize(weight, dim=0, eps=self.eps)
            return unit
        matrix = as_matrix(weight, self.dim)
        u: Tensor = self.__dict__["_u"]
        v: Tensor = self.__dict__["_v"]
        if self.training:
            power_iteration(matrix.detach(), u, v, self.n_power_iterations, self.eps, u_first=True)
        out: Tensor = weight / lamina.dot(u.clone(), lamina.mv(matrix, v.clone()))
        return out

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Any:
    """The weight divided by its largest singular value, which power iteration follows in training (Miyato 2018).

    State dicts of the older `spectral_norm`, with weight_orig, weight_u and weight_v, are read, too.

    >>> from lamina import nn
    >>> sorted(nn.utils.parametrizations.spectral_norm(nn.Linear(3, 2)).state_dict())[1:3]
    ['parametrizations.weight.0._u', 'parametrizations.weight.0._v']
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"spectral_norm: {type(module).__name__} has no parameter or buffer {name!r}")
    if n_power_iterations < 1:
        raise ValueError(f"spectral_norm: n_power_iterations must be positive, got {n_power_iterations}")
    axis = dim if dim is not None else int(type(module).__name__.startswith("ConvTranspose"))
    register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, axis, eps))
    module._register_load_state_dict_pre_hook(OtherNames(other_names(name, newer=False)))
    return module


def orthogonal(
    module: Any, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Any:
    """The weight as a matrix with orthonormal columns (rows, where it is wide); further dims are a batch.

    `orthogonal_map` is "matrix_exp" (the default of square weights), "cayley" or "householder" (of others).

    >>> import lamina
    >>> from lamina import nn
    >>> weight = nn.utils.parametrizations.orthogonal(nn.Linear(4, 2)).weight
    >>> bool(((weight @ weight.t() - lamina.eye(2)).abs() < 1e-5).all())
    True
    """
    from ._orthogonal import MAPS, Orthogonal

    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"orthogonal: {type(module).__name__} has no parameter or buffer {name!r}")
    if weight.dim() < 2:
        raise ValueError(f"orthogonal: needs a matrix or a batch of them, {name!r} has shape {tuple(weight.shape)}")
    kind = orthogonal_map or ("matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder")
    if kind not in MAPS:
        raise ValueError(f"orthogonal: orthogonal_map must be one of {', '.join(MAPS)}, got {kind!r}")
    return register_parametrization(module, name, Orthogonal(weight, kind, use_trivialization), unsafe=True)
