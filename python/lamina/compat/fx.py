"""torch.fx: nothing is traced here. Its classes are named in signatures and isinstance checks; no object is one."""

from __future__ import annotations

from typing import Any, NoReturn

from ..nn.module import Module

_HINT = "lamina traces no graphs of modules; hint: change the model itself, or use forward hooks"


def wrap(fn_or_name: Any) -> Any:
    """Gives back what it gets: there is no tracer that would have to stop there."""
    return fn_or_name


def symbolic_trace(root: Any, concrete_args: Any = None) -> NoReturn:
    raise NotImplementedError(f"fx.symbolic_trace: {_HINT}")


class _Marker:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(f"fx.{type(self).__name__}: {_HINT}")


class Graph(_Marker):
    """No object is one."""


class Node(_Marker):
    """No object is one."""


class Proxy(_Marker):
    """No object is one."""


class Tracer(_Marker):
    """No object is one."""


class Interpreter(_Marker):
    """No object is one."""


class Transformer(Interpreter):
    """No object is one."""


class GraphModule(Module):
    """No object is one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(f"fx.GraphModule: {_HINT}")
