"""copy, deepcopy and pickle of tensors and operations."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable
from typing import Any

from . import _C
from ._C import Tensor


def shallow(x: Tensor) -> Tensor:
    """Another tensor on the same memory."""
    return _dressed(x, x.detach())


def deep(x: Tensor, memo: dict[int, Any]) -> Tensor:
    """A copy with its own memory, with .grad and attributes."""
    if id(x) in memo:
        seen: Tensor = memo[id(x)]
        return seen
    if not x.is_leaf:
        raise _C.GradError(
            "deepcopy: only leaf tensors can be copied; this one was made by "
            f"{x.grad_fn.name()}: use detach() or clone()"
        )
    made = _dressed(x, x.detach().clone())
    memo[id(x)] = made
    if x.grad is not None:
        made.grad = copy.deepcopy(x.grad, memo)
    for key, value in vars(x).items():
        setattr(made, key, copy.deepcopy(value, memo))
    return made


def _dressed(x: Tensor, data: Tensor) -> Tensor:
    """data as the class of x, with the same requires_grad."""
    made = data if type(x) is Tensor else Tensor.__new__(type(x), data)
    if x.requires_grad:
        made.requires_grad_()
    return made


def rebuild(
    kind: type, data: bytes, shape: tuple[int, ...], dtype: str, requires_grad: bool, state: dict[str, Any]
) -> Tensor:
    """The tensor that reduce() took apart."""
    x = _C._from_bytes(data, shape, getattr(_C, dtype))
    made = x if kind is Tensor else Tensor.__new__(kind, x)
    if requires_grad:
        made.requires_grad_()
    for key, value in state.items():
        setattr(made, key, value)
    return made


def reduce(x: Tensor) -> tuple[Any, ...]:
    """For pickle: class, bytes, shape, dtype. The history does not travel."""
    if not x.is_leaf:
        raise _C.GradError("pickle: only leaf tensors can be pickled; use detach()")
    state = dict(vars(x))
    return rebuild, (type(x), _C._to_bytes(x), tuple(x.shape), x.dtype.name, x.requires_grad, state)


def operation(home: str, name: str) -> Any:
    """The operation that reduce_operation() named."""
    return getattr(importlib.import_module(home), name)


def reduce_operation(op: Any) -> tuple[Callable[..., Any], tuple[str, str]]:
    """For copy and pickle: an operation is one object, known by its place and name."""
    name = op.__name__
    for home in ("lamina", "lamina.nn.functional", "lamina.linalg", "lamina.special"):
        if getattr(importlib.import_module(home), name, None) is op:
            return operation, (home, name)
    raise TypeError(f"pickle: operation {name!r} has no public name")
