"""Gradient clipping, flat vectors of parameters, fused layers, reparametrised weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import lamina

from ..._C import Tensor
from . import parametrizations as parametrizations
from . import parametrize as parametrize
from . import prune as prune
from . import rnn as rnn
from .fusion import fuse_conv_bn_eval as fuse_conv_bn_eval
from .fusion import fuse_conv_bn_weights as fuse_conv_bn_weights
from .fusion import fuse_linear_bn_eval as fuse_linear_bn_eval
from .fusion import fuse_linear_bn_weights as fuse_linear_bn_weights
from .spectral_norm import remove_spectral_norm as remove_spectral_norm
from .spectral_norm import spectral_norm as spectral_norm
from .weight_norm import remove_weight_norm as remove_weight_norm
from .weight_norm import weight_norm as weight_norm


def _grads(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    each: Iterable[Tensor] = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p.grad.detach() for p in each if p.grad is not None]


def get_total_norm(tensors: Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False) -> Tensor:
    """The norm of all tensors as one vector: a scalar tensor."""
    with lamina.no_grad():
        norms = [lamina.norm(t, norm_type) for t in tensors]
        wide = lamina.float64 if any(n.dtype == lamina.float64 for n in norms) else lamina.float32
        total = lamina.norm(lamina.stack([n.to(wide) for n in norms]), norm_type) if norms else lamina.tensor(0.0)
    if error_if_nonfinite and not bool(lamina.isfinite(total)):
        raise RuntimeError(
            f"clip_grad_norm_: the total norm of order {norm_type} of the gradients is {float(total.item())}, so they "
            "cannot be clipped; error_if_nonfinite=False scales them by it anyway"
        )
    return total


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scales all gradients in place so that their total norm is at most `max_norm`; returns the norm before.

    >>> import lamina
    >>> p = lamina.nn.Parameter(lamina.zeros(2)); p.grad = lamina.tensor([3.0, 4.0])
    >>> lamina.nn.utils.clip_grad_norm_([p], 1.0).item()
    5.0
    """
    grads = _grads(parameters)
    total = get_total_norm(grads, norm_type, error_if_nonfinite)
    with lamina.no_grad():
        scale = lamina.clamp(max_norm / (total + 1e-6), max=1.0)
        for grad in grads:
            grad.mul_(scale)
    return total


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Clamps every gradient value to [-clip_value, clip_value] in place."""
    with lamina.no_grad():
        for grad in _grads(parameters):
            grad.clamp_(-clip_value, clip_value)


def skip_init(module_cls: Any, *args: Any, **kwargs: Any) -> Any:
    """module_cls(*args, **kwargs), whose values nobody may rely on; the default generator stays as it was.

    >>> import lamina
    >>> lamina.nn.utils.skip_init(lamina.nn.Linear, 5, 1)
    Linear(in_features=5, out_features=1, bias=True)
    """
    import inspect

    from ..module import Module

    if not (isinstance(module_cls, type) and issubclass(module_cls, Module)):
        raise RuntimeError(f"skip_init: expects a Module class, got {module_cls!r}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError(f"skip_init: {module_cls.__name__} must take the argument 'device'")
    state = lamina.get_rng_state()
    try:
        return module_cls(*args, **kwargs)
    finally:
        lamina.set_rng_state(state)


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters as one vector: (sum of sizes)."""
    return lamina.cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Copies the pieces of one vector into the parameters; the sizes must add up."""
    parameters = list(parameters)
    total = sum(p.numel() for p in parameters)
    if vec.numel() != total:
        raise ValueError(f"vector_to_parameters: vec has {vec.numel()} values, the parameters have {total}")
    start = 0
    with lamina.no_grad():
        for p in parameters:
            p.copy_(vec[start : start + p.numel()].reshape(p.shape))
            start += p.numel()
