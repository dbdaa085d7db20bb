"""Helpers around training: `lamina.utils.data`, `lamina.utils.checkpoint`, `lamina.utils.tensorboard`."""

from __future__ import annotations

from . import data as data

TYPE_CHECKING = False
if TYPE_CHECKING:  # what __getattr__ loads
    from . import checkpoint as checkpoint
    from . import tensorboard as tensorboard


def __getattr__(name: str) -> object:
    if name in ("checkpoint", "tensorboard"):
        import importlib

        return importlib.import_module("." + name, __name__)
    raise AttributeError(f"module 'lamina.utils' has no attribute {name!r}")
