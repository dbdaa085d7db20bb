"""out= of functions that are written in Python, by the engine's rule."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from . import _C
from ._C import Tensor

P = ParamSpec("P")
R = TypeVar("R")


def _needs_gradient(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return any(map(_needs_gradient, value))
    return isinstance(value, Tensor) and value.requires_grad


def takes_out(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Adds out=: the result is written into that tensor (or those), which have its shape or are empty."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: Any, out: Any = None, **kwargs: Any) -> Any:
            if out is None:
                return function(*args, **kwargs)
            if _C.is_grad_enabled() and any(map(_needs_gradient, (out, *args, *kwargs.values()))):
                raise _C.GradError(
                    f"{name}: out= has no gradient, but an argument requires one; leave it out, or use no_grad() or "
                    "detach()"
                )
            from ._grad_mode import no_grad

            with no_grad():
                return _C._write_out(name, out, function(*args, **kwargs))

        return cast(Callable[P, R], call)

    return decorate
