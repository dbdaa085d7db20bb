"""Grad modes: context managers that also work as decorators."""

from __future__ import annotations

from . import _C

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing costs milliseconds at import
    from collections.abc import Callable
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])


class _Mode:
    """Sets a mode for a block or for every call of a function."""

    def __enter__(self) -> None:
        raise NotImplementedError

    def __exit__(self, *exc: object) -> None:
        raise NotImplementedError

    def _again(self) -> _Mode:  # a fresh manager for each call of a decorated function
        return type(self)()

    def __call__(self, function: F) -> F:
        import functools

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]


class set_grad_enabled(_Mode):
    """Turns recording of gradients on or off, at once and as a context manager."""

    def __init__(self, mode: bool) -> None:
        self.mode = bool(mode)
        self.before = _C.is_grad_enabled()
        _C._set_grad_enabled(self.mode)

    def __enter__(self) -> None:
        _C._set_grad_enabled(self.mode)

    def __exit__(self, *exc: object) -> None:
        _C._set_grad_enabled(self.before)

    def _again(self) -> set_grad_enabled:
        return set_grad_enabled(self.mode)

    def __call__(self, function: F) -> F:
        _C._set_grad_enabled(self.before)  # as a decorator it must not change the mode here
        return super().__call__(function)


class no_grad(_Mode):
    """Operations inside are not recorded: with lamina.no_grad(): ..."""

    def __new__(cls, function: F | None = None) -> Any:
        self = super().__new__(cls)
        return self(function) if function is not None else self

    def __enter__(self) -> None:
        self.before = _C.is_grad_enabled()
        _C._set_grad_enabled(False)

    def __exit__(self, *exc: object) -> None:
        _C._set_grad_enabled(self.before)


class enable_grad(no_grad):
    """Operations inside are recorded again within no_grad."""

    def __enter__(self) -> None:
        self.before = _C.is_grad_enabled()
        _C._set_grad_enabled(True)


class inference_mode(_Mode):
    """As no_grad, and the tensors made inside may never enter autograd."""

    mode: bool

    def __new__(cls, mode: Any = True) -> Any:
        self = super().__new__(cls)
        if callable(mode):
            self.mode = True
            return self(mode)
        self.mode = bool(mode)
        return self

    def _again(self) -> inference_mode:
        again: inference_mode = inference_mode(self.mode)
        return again

    def __enter__(self) -> None:
        self.before = (_C.is_inference_mode_enabled(), _C.is_grad_enabled())
        _C._set_inference_enabled(self.mode)
        if self.mode:
            _C._set_grad_enabled(False)

    def __exit__(self, *exc: object) -> None:
        _C._set_inference_enabled(self.before[0])
        _C._set_grad_enabled(self.before[1])
