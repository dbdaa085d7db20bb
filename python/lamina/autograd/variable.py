"""Variable: the name that tensors with a gradient had before they were tensors."""

from __future__ import annotations

from typing import Any

from .._C import Tensor


class _IsTensor(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_IsTensor):
    """Variable(data, requires_grad=False) is a tensor on the memory of `data`; every tensor is an instance.

    >>> import lamina
    >>> x = lamina.autograd.Variable(lamina.ones(2), requires_grad=True)
    >>> type(x).__name__, x.requires_grad, isinstance(x, lamina.autograd.Variable)
    ('Tensor', True, True)
    """

    def __new__(cls, data: Tensor, requires_grad: bool = False, volatile: Any = None) -> Tensor:  # type: ignore[misc]
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable: data must be a Tensor, got {type(data).__name__}; use lamina.tensor(data)")
        tensor = Tensor(data)
        tensor.requires_grad_(requires_grad)
        return tensor
