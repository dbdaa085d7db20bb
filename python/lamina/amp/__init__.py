"""Mixed precision: GradScaler. Automatic casts are absent: `autocast` refuses to be enabled."""

from .autocast import autocast
from .grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast"]
