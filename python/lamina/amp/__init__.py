"""Mixed precision: autocast and GradScaler."""

from .autocast import autocast
from .grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast"]


def __getattr__(name: str) -> object:
    from .._missing import later

    return later(__name__, name)
