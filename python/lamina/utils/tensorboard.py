"""SummaryWriter: tensorboardX's, which here takes lamina's tensors (the extra `tensorboard`)."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from .._C import Tensor


def _plain(value: Any) -> Any:
    """Tensors as numbers and arrays, also in dicts, lists and tuples."""
    if isinstance(value, Tensor):
        x = value.detach().cpu()
        return x.item() if x.dim() == 0 else (x.float() if x.is_floating_point() else x).numpy()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_plain, value))
    return value


def _of_tensors(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return method(self, *map(_plain, args), **{name: _plain(value) for name, value in kwargs.items()})

    return call


def _writer() -> type:
    try:
        base = importlib.import_module("tensorboardX").SummaryWriter
    except ImportError:
        raise ImportError('utils.tensorboard needs tensorboardX: pip install "lamina[tensorboard]"') from None
    taking = [name for name in dir(base) if name.startswith("add_") and name not in ("add_graph", "add_onnx_graph")]
    return type("SummaryWriter", (base,), {name: _of_tensors(getattr(base, name)) for name in taking})


def __getattr__(name: str) -> object:
    if name != "SummaryWriter":
        raise AttributeError(f"module 'lamina.utils.tensorboard' has no attribute {name!r}")
    return globals().setdefault(name, _writer())
