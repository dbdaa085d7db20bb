"""autocast: matrix products in a short dtype, losses in float32 (Micikevicius et al. 2017), as PyTorch's for the CPU."""

from __future__ import annotations

from typing import Any

from .. import _C
from .._grad_mode import _Mode


class autocast(_Mode):
    """In this block, in this thread, matrix products and convolutions take and give `dtype`; losses take float32.

    Other operations keep the dtypes they are given; float64 is never cast. Weights stay float32 and get float32
    gradients. As a decorator it holds for each call. dtype is bfloat16 (default) or float16.

    Raises DtypeError for another dtype, DeviceError for a device_type other than 'cpu' and 'cuda'.

    >>> import lamina
    >>> with lamina.autocast("cpu"):
    ...     (lamina.ones(1, 2) @ lamina.ones(2, 1)).dtype
    lamina.bfloat16
    """

    def __init__(
        self, device_type: str = "cpu", dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if device_type not in ("cpu", "cuda"):
            raise _C.DeviceError(f"autocast: device_type must be 'cpu' or 'cuda', got {device_type!r}")
        dtype = _C.bfloat16 if dtype is None else dtype
        if dtype not in (_C.bfloat16, _C.float16):
            raise _C.DtypeError(f"autocast: dtype must be bfloat16 or float16, got {dtype}")
        self.device_type, self.dtype, self.enabled = device_type, dtype, bool(enabled)
        self._before: list[tuple[bool, Any]] = []

    def __enter__(self) -> None:
        self._before.append((_C.is_autocast_enabled(), _C.get_autocast_dtype()))
        _C._set_autocast(self.enabled, self.dtype)

    def __exit__(self, *exc: object) -> None:
        _C._set_autocast(*self._before.pop())

    def _again(self) -> autocast:
        return autocast(self.device_type, self.dtype, self.enabled)
