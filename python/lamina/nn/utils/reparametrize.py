"""weight_norm and spectral_norm by hooks: weight_g and weight_v, weight_orig and weight_u, with the older state keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lamina

from ..._C import Tensor
from ...nn import functional
from ..parameter import Parameter


def norm_except_dim(v: Tensor, dim: int | None) -> Tensor:
    """The norm over all dims but `dim`, which keeps its place; over all with -1 or None."""
    if dim is None or dim == -1:
        return lamina.norm(v)
    others = [d for d in range(len(v.shape)) if d != dim % len(v.shape)]
    return lamina.norm(v, 2.0, others, True) if others else v.abs()


def _install(module: Any, table: str, name: str, compute: Callable[[Any], Tensor], parts: tuple[str, ...]) -> None:
    """`compute` sets module.<name> before every call."""

    def hook(owner: Any, args: Any) -> None:
        setattr(owner, name, compute(owner))

    hooks = module.__dict__.setdefault(table, {})
    hooks[name] = (module.register_forward_pre_hook(hook), compute, parts)
    setattr(module, name, compute(module))


def _taken(module: Any, name: str, what: str) -> Tensor:
    for table in ("_weight_norms", "_spectral_norms"):
        if name in module.__dict__.get(table, {}):
            raise RuntimeError(f"{what}: {type(module).__name__}.{name} is already reparametrised")
    if name not in module._parameter_names or module.__dict__[name] is None:
        raise ValueError(f"{what}: {type(module).__name__} has no parameter {name!r}")
    weight: Tensor = module.__dict__[name]
    delattr(module, name)
    return weight


def _remove(module: Any, table: str, name: str, what: str) -> Any:
    hooks = module.__dict__.get(table, {})
    if name not in hooks:
        raise ValueError(f"{what}: {type(module).__name__} has none for {name!r}")
    handle, compute, parts = hooks.pop(name)
    handle.remove()
    with lamina.no_grad():
        weight = compute(module)
    delattr(module, name)
    for part in parts:
        delattr(module, part)
    module.register_parameter(name, Parameter(weight.detach()))
    return module


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """The weight as a length `weight_g` times a direction `weight_v` (Salimans and Kingma 2016).

    >>> from lamina import nn
    >>> sorted(nn.utils.weight_norm(nn.Linear(3, 2)).state_dict())
    ['bias', 'weight_g', 'weight_v']
    """
    weight = _taken(module, name, "weight_norm")
    g, v = name + "_g", name + "_v"
    module.register_parameter(g, Parameter(norm_except_dim(weight.detach(), dim)))
    module.register_parameter(v, Parameter(weight.detach()))

    def compute(owner: Any) -> Tensor:
        direction = getattr(owner, v)
        out: Tensor = direction * (getattr(owner, g) / norm_except_dim(direction, dim))
        return out

    _install(module, "_weight_norms", name, compute, (g, v))
    return module


def remove_weight_norm(module: Any, name: str = "weight") -> Any:
    """A plain parameter again, with the present value."""
    return _remove(module, "_weight_norms", name, "remove_weight_norm")


def power_iteration(matrix: Tensor, u: Tensor, v: Tensor, steps: int, eps: float) -> None:
    """Moves u and v, in place, towards the singular vectors of the largest singular value."""
    with lamina.no_grad():
        for _ in range(steps):
            v.copy_(functional.normalize(lamina.mv(matrix.t(), u), dim=0, eps=eps))
            u.copy_(functional.normalize(lamina.mv(matrix, v), dim=0, eps=eps))


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """`dim` as rows, all others as columns."""
    order = [dim, *(d for d in range(len(weight.shape)) if d != dim)]
    return weight.permute(order).reshape(weight.shape[dim], -1)


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Any:
    """The weight divided by its largest singular value, which power iteration follows in training (Miyato 2018).

    >>> from lamina import nn
    >>> sorted(nn.utils.spectral_norm(nn.Linear(3, 2)).state_dict())
    ['bias', 'weight_orig', 'weight_u', 'weight_v']
    """
    if n_power_iterations < 1:
        raise ValueError(f"spectral_norm: n_power_iterations must be positive, got {n_power_iterations}")
    axis = dim if dim is not None else int(type(module).__name__.startswith("ConvTranspose"))
    weight = _taken(module, name, "spectral_norm")
    orig, u, v = name + "_orig", name + "_u", name + "_v"
    module.register_parameter(orig, Parameter(weight.detach()))
    matrix = as_matrix(weight.detach(), axis)
    for part, size in ((u, matrix.shape[0]), (v, matrix.shape[1])):
        start = lamina.randn(size).to(weight.dtype)
        module.register_buffer(part, functional.normalize(start, dim=0, eps=eps))

    def compute(owner: Any) -> Tensor:
        now = getattr(owner, orig)
        rows, left, right = as_matrix(now, axis), getattr(owner, u), getattr(owner, v)
        if owner.training:
            power_iteration(rows.detach(), left, right, n_power_iterations, eps)
            left, right = left.clone(), right.clone()
        out: Tensor = now / lamina.dot(left, lamina.mv(rows, right))
        return out

    _install(module, "_spectral_norms", name, compute, (orig, u, v))
    return module


def remove_spectral_norm(module: Any, name: str = "weight") -> Any:
    """A plain parameter again, with the present value."""
    return _remove(module, "_spectral_norms", name, "remove_spectral_norm")
