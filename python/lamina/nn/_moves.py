"""A module's moves to another dtype, device or memory format, all by way of its `_apply`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .. import _C
from .._C import Tensor

M = TypeVar("M", bound="Movable")


class Movable:
    """Converts parameters, gradients and buffers; Parameter objects stay the same, so that optimizers keep them."""

    def _apply(self: M, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> M:
        raise NotImplementedError

    def to(
        self: M,
        *args: Any,
        device: Any = None,
        dtype: Any = None,
        non_blocking: bool = False,
        memory_format: Any = None,
    ) -> M:
        """`to(device)`, `to(dtype)`, `to(device, dtype)` or `to(tensor)`; dtype changes floating tensors only, and
        memory_format tensors of 4 and 5 dims."""
        for arg in args:
            if isinstance(arg, Tensor):
                device, dtype = arg.device, arg.dtype
            elif isinstance(arg, _C.dtype):
                dtype = arg
            elif arg is not None and not isinstance(arg, bool):
                device = arg
        if dtype is not None and not dtype.is_floating_point:
            raise TypeError(f"nn.Module.to only accepts floating point dtypes, but got desired dtype={dtype}")

        def convert(t: Tensor) -> Tensor:
            if device is not None:
                t = t.to(device)
            if dtype is not None and t.is_floating_point():
                t = t.to(dtype)
            return t.contiguous(memory_format=memory_format) if memory_format is not None and t.dim() in (4, 5) else t

        return self._apply(convert)

    def type(self: M, dst_type: Any) -> M:
        """All parameters and buffers in dst_type, integers too."""
        return self._apply(lambda t: t.to(dst_type))

    def to_empty(self: M, *, device: Any) -> M:
        """On the device, with memory that is not filled."""
        return self._apply(lambda t: _C.empty_like(t, device=device))

    def share_memory(self: M) -> M:
        """The module as it is: threads share its memory anyway, and other processes never do."""
        return self

    def float(self: M) -> M:
        return self.to(_C.float32)

    def double(self: M) -> M:
        return self.to(_C.float64)

    def half(self: M) -> M:
        return self.to(_C.float16)

    def bfloat16(self: M) -> M:
        return self.to(_C.bfloat16)

    def cpu(self: M) -> M:
        return self.to("cpu")

    def cuda(self: M, device: int | str | None = None) -> M:
        return self.to("cuda" if device is None else f"cuda:{device}" if isinstance(device, int) else device)
