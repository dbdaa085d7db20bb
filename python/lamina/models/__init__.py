"""Complete models: each is one file, its config dataclass first, loaded on first use."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # what __getattr__ loads
    from .cnn import CNN as CNN
    from .cnn import CNNConfig as CNNConfig
    from .mlp import MLP as MLP
    from .mlp import MLPConfig as MLPConfig

_FILES = {
    "cnn": "CNN CNNConfig",
    "mlp": "MLP MLPConfig",
}
_LAZY = {name: file for file, names in _FILES.items() for name in names.split()}

__all__ = sorted(_LAZY)


def __getattr__(name: str) -> object:
    import importlib
    import sys

    if name in _LAZY:
        return getattr(importlib.import_module("." + _LAZY[name], __name__), name)
    from .._missing import missing

    raise missing(sys.modules[__name__], name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
