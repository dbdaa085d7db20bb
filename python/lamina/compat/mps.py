"""torch.mps: there are no such devices."""

from __future__ import annotations

from .xpu import device_count as device_count
from .xpu import empty_cache as empty_cache
from .xpu import is_available as is_available
from .xpu import manual_seed as manual_seed
