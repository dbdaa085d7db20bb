"""Helpers around training: `lamina.utils.data`, `lamina.utils.checkpoint`."""

from __future__ import annotations

from . import data as data

TYPE_CHECKING = False
if TYPE_CHECKING:  # what __getattr__ loads
    from . import checkpoint as checkpoint


def __getattr__(name: str) -> object:
    if name == "checkpoint":
        import importlib

        return importlib.import_module(".checkpoint", __name__)
    raise AttributeError(f"module 'lamina.utils' has no attribute {name!r}")
