"""backward and grad with PyTorch's arguments."""

from __future__ import annotations

from collections.abc import Sequence

from .. import _C
from .._C import Tensor

Tensors = Tensor | Sequence[Tensor]


def backward(
    tensors: Tensors,
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensors | None = None,
) -> None:
    """Adds the gradients of the sum of `tensors`, weighted by `grad_tensors`, to .grad of the leaves or `inputs`."""
    _C._autograd.backward(tensors, grad_tensors, retain_graph, create_graph, inputs)


def grad(
    outputs: Tensors,
    inputs: Tensors,
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """Gradients of the sum of `outputs` for each of `inputs`, without touching .grad.

    Inputs that no path reaches raise unless allow_unused=True gives None, or materialize_grads=True gives zeros.
    """
    if not only_inputs:
        raise ValueError(
            "grad: only_inputs=False is PyTorch's old way to fill .grad too; hint: call backward() instead"
        )
    if is_grads_batched:
        raise ValueError(
            "grad: is_grads_batched=True is not supported; hint: lamina.func.vjp or jacrev give many products"
        )
    if materialize_grads and allow_unused is False:
        raise ValueError("grad: materialize_grads=True needs allow_unused=True or left out")
    allow = bool(allow_unused) or materialize_grads
    found: tuple[Tensor | None, ...] = _C._autograd.grad(
        outputs, inputs, grad_outputs, retain_graph, create_graph, allow
    )
    if not materialize_grads:
        return found
    listed = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    return tuple(_C.zeros_like(x) if g is None else g for g, x in zip(found, listed, strict=True))
