"""autocast: the name, for programs that can run without it."""

from __future__ import annotations

from typing import Any

from .._grad_mode import _Mode


class autocast(_Mode):
    """PyTorch's automatic casts to a shorter dtype. lamina has none: enabled=False runs as it is, enabled=True is refused.

    >>> import lamina
    >>> with lamina.amp.autocast("cpu", enabled=False):
    ...     (lamina.ones(1, 2) @ lamina.ones(2, 1)).dtype
    lamina.float32
    """

    def __init__(
        self, device_type: str = "cpu", dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if enabled:
            raise NotImplementedError(
                "autocast: lamina makes no automatic casts; hint: pass enabled=False, or cast the model and its input "
                "with .bfloat16() and keep losses in float32 with .float()"
            )
        self.device_type, self.dtype = device_type, dtype

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        pass

    def _again(self) -> autocast:
        return self
