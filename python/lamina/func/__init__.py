"""Transforms of functions with torch.func's names: grad, vjp, jvp, Jacobians, vmap, models as functions.

Derivatives nest: grad(grad(f)) and jacrev(grad(f)) work, and results stay differentiable where outer code records.
"""

from __future__ import annotations

from .batching import vmap
from .derivatives import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, vjp
from .modules import functional_call, stack_module_state

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "stack_module_state",
    "vjp",
    "vmap",
]
