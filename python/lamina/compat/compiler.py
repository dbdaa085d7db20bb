"""torch.compiler: lamina compiles nothing, so that its markers give back what they get."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._legacy import compile as compile


def is_compiling() -> bool:
    """False."""
    return False


is_dynamo_compiling = is_exporting = is_compiling


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """The function itself; works as a decorator with and without arguments."""
    if fn is None:
        decorator: Callable[[Any], Any] = lambda function: function
        return decorator
    return fn


def allow_in_graph(fn: Any) -> Any:
    """The function itself."""
    return fn


assume_constant_result = allow_in_graph


def reset() -> None:
    """Nothing is cached."""


def cudagraph_mark_step_begin() -> None:
    """Nothing is recorded."""


def list_backends(exclude_tags: Any = ()) -> list[str]:
    """Empty: there is no compiler."""
    return []
