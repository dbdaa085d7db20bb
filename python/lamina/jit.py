"""torch.jit's names: lamina compiles nothing. Functions and modules run as they are written, so scripting is the identity."""

from __future__ import annotations

from typing import Any, Final, NoReturn

from .nn.module import Module

__all__ = [
    "Final", "ScriptFunction", "ScriptModule", "TracerWarning", "annotate", "export", "fork", "freeze", "ignore",
    "interface", "is_scripting", "is_tracing", "isinstance", "load", "optimized_execution", "save", "script",
    "script_if_tracing", "script_method", "trace", "unused", "wait",
]  # fmt: skip
_HINT = (
    "lamina runs models as they are written and has no compiler; hint: leave the call out in Python, and for C++ save "
    "the weights with lamina.save(model.state_dict(), path) and build the same model with lamina::nn"
)


def script(obj: Any = None, *args: Any, **kwargs: Any) -> Any:
    """The function, class or module itself, which runs as it is written.

    >>> import lamina
    >>> lamina.jit.script(lamina.relu) is lamina.relu
    True
    """
    return obj


def script_if_tracing(fn: Any) -> Any:
    """The function itself."""
    return fn


export = interface = script_method = unused = script_if_tracing


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """The function itself; works as a decorator with and without arguments."""
    return drop if callable(drop) else lambda fn: fn


def freeze(mod: Any, preserved_attrs: Any = None, optimize_numerics: bool = True) -> Any:
    """The module itself."""
    return mod


def optimize_for_inference(mod: Any, other_methods: Any = None) -> Any:
    """The module itself."""
    return mod


def annotate(the_type: Any, the_value: Any) -> Any:
    """The value."""
    return the_value


def isinstance(obj: Any, target_type: Any) -> bool:
    """Python's own, where the type is a class or a tuple of classes."""
    import builtins

    return builtins.isinstance(obj, target_type)


def fork(func: Any, *args: Any, **kwargs: Any) -> Any:
    """A Future of func(*args), which runs at once."""
    from .compat.futures import Future

    future: Future[Any] = Future()
    future.set_result(func(*args, **kwargs))
    return future


def wait(future: Any) -> Any:
    """The Future's value."""
    return future.wait()


def trace(func: Any = None, *args: Any, **kwargs: Any) -> NoReturn:
    raise NotImplementedError(f"jit.trace: {_HINT}")


def save(m: Any, f: Any, **kwargs: Any) -> NoReturn:
    raise NotImplementedError(f"jit.save: {_HINT}")


def load(f: Any, map_location: Any = None, **kwargs: Any) -> NoReturn:
    raise NotImplementedError(f"jit.load: {_HINT}")


def is_scripting() -> bool:
    return False


def is_tracing() -> bool:
    return False


class ScriptModule(Module):
    """A base class for modules whose methods were compiled; they run as they are written."""


class ScriptFunction:
    """No object is one: scripting gives the function back."""


class TracerWarning(Warning):
    """Is never given."""


class optimized_execution:
    """A block that changes nothing."""

    def __init__(self, should_optimize: bool = True) -> None: ...

    def __enter__(self) -> None: ...

    def __exit__(self, *exc: object) -> None: ...
