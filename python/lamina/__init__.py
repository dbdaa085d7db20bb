"""lamina: a small, exact, fast tensor and autograd engine with PyTorch's names."""

from __future__ import annotations

from . import _C
from ._C import *  # noqa: F403
from ._grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled

__version__: str = _C.__version__

strided = "strided"
contiguous_format = "contiguous_format"
channels_last = "channels_last"
preserve_format = "preserve_format"

_SUBMODULES = frozenset(
    ("nn", "optim", "utils", "models", "datasets", "autograd", "cuda", "random", "amp", "io", "cli")
)
_LAZY = {"save": "serialization", "load": "serialization", "set_printoptions": "_printing", "get_printoptions": "_printing", "printoptions": "_printing"}


def __getattr__(name: str) -> object:
    """Submodules load on first use, so that importing lamina stays cheap."""
    import importlib

    if name in _SUBMODULES:
        return importlib.import_module("." + name, __name__)
    if name in _LAZY:
        return getattr(importlib.import_module("." + _LAZY[name], __name__), name)
    raise AttributeError(f"module 'lamina' has no attribute {name!r}")
