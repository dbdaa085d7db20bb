"""torch._C for programs that look into it: lamina's own extension, and what can be said of PyTorch's internals."""

from __future__ import annotations

from typing import Any

from .. import _C

_TensorMeta = type(_C.Tensor)
_LinAlgError = _C.LinAlgError if hasattr(_C, "LinAlgError") else RuntimeError


def _log_api_usage_once(event: str) -> None:
    """Nothing is logged."""


def _get_tracing_state() -> None:
    """None: nothing is traced."""
    return None


def _are_functorch_transforms_active() -> bool:
    """False: `func`'s transforms work on plain tensors."""
    return False


def _is_torch_function_mode_enabled() -> bool:
    """False: functions cannot be intercepted."""
    return False


def _disabled_torch_function_impl(func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """Calls the function: nothing else takes a call over."""
    return func(*args, **(kwargs or {}))


class DisableTorchFunctionSubclass:
    """A block that changes nothing: functions cannot be intercepted."""

    def __enter__(self) -> None: ...

    def __exit__(self, *exc: object) -> None: ...


DisableTorchFunction = DisableTorchFunctionSubclass


def __getattr__(name: str) -> Any:
    if hasattr(_C, name):
        return getattr(_C, name)
    if name in ("Future", "Size"):
        import lamina

        return getattr(lamina, name)
    raise AttributeError(f"module 'torch._C' has no attribute {name!r}: it is lamina's extension", name=name)
