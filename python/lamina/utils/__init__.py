"""Helpers around training: `lamina.utils.data`, `lamina.utils.checkpoint`, `lamina.utils.tensorboard`."""

from __future__ import annotations

from . import data as data

TYPE_CHECKING = False
if TYPE_CHECKING:  # what __getattr__ loads
    from . import checkpoint as checkpoint
    from . import tensorboard as tensorboard


def __getattr__(name: str) -> object:
    if name in ("_pytree", "checkpoint", "dlpack", "tensorboard"):
        import importlib

        return importlib.import_module("." + name, __name__)
    from .._missing import later

    return later(__name__, name)
