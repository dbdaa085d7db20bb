"""torch.amp's decorators for the two sides of an autograd.Function."""

from __future__ import annotations

import functools
from typing import Any

from .. import _C
from .._C import Tensor
from ..amp.autocast import autocast


def _cast(value: Any, dtype: Any) -> Any:
    """Floating tensors of a nest of tuples, lists and dicts in another dtype; float64 stays."""
    if isinstance(value, Tensor):
        return value.to(dtype) if value.is_floating_point() and value.dtype != _C.float64 else value
    if isinstance(value, dict):
        return {_cast(key, dtype): _cast(item, dtype) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_cast(item, dtype) for item in value)
    return value


def custom_fwd(fwd: Any = None, *, device_type: str = "cuda", cast_inputs: Any = None) -> Any:
    """For `forward(ctx, ...)`: with cast_inputs it takes floats of that dtype, and runs without autocast."""
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def run(*args: Any, **kwargs: Any) -> Any:
        args[0]._dtype = _C.get_autocast_dtype()
        active = _C.is_autocast_enabled()
        args[0]._fwd_used_autocast = active and cast_inputs is None
        if cast_inputs is None or not active:
            return fwd(*args, **kwargs)
        with autocast(device_type, enabled=False):
            return fwd(*_cast(args, cast_inputs), **_cast(kwargs, cast_inputs))

    return run


def custom_bwd(bwd: Any = None, *, device_type: str = "cuda") -> Any:
    """For `backward(ctx, ...)`: runs under the autocast of its forward."""
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def run(*args: Any, **kwargs: Any) -> Any:
        with autocast(device_type, dtype=args[0]._dtype, enabled=args[0]._fwd_used_autocast):
            return bwd(*args, **kwargs)

    return run


def is_autocast_available(device_type: str) -> bool:
    """Whether autocast knows the kind of device."""
    return device_type in ("cpu", "cuda")
