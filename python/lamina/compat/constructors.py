"""Constructors of torch that are older or seldom met."""

from __future__ import annotations

from typing import Any

import lamina

from .._C import Tensor


def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor without dims; of the default dtype unless told otherwise, for ints and bools, too."""
    dtype = lamina.get_default_dtype() if dtype is None else dtype
    return lamina.tensor(s, dtype=dtype, device=device, requires_grad=requires_grad)


def _shape_as_tensor(self: Tensor) -> Tensor:
    """The sizes as int64: (dim(),)."""
    return lamina.tensor(list(self.shape), dtype=lamina.int64)
