"""A check that Python functions make before they ask an operand for its shape."""

from __future__ import annotations

from ._C import Tensor


def need_tensors(op: str, **operands: object) -> None:
    for name, operand in operands.items():
        if not isinstance(operand, Tensor):
            raise TypeError(f"{op}: {name} must be a Tensor, got {type(operand).__name__}")
