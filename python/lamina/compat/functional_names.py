"""torch.nn.functional's pools that give the places, too."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..nn import functional


def _with_indices(name: str) -> Callable[..., Any]:
    pool = getattr(functional, name)

    @functools.wraps(pool)
    def run(*args: Any, **kwargs: Any) -> Any:
        return pool(*args, **{**kwargs, "return_indices": True})

    return run


max_pool1d_with_indices, max_pool2d_with_indices, max_pool3d_with_indices = (
    _with_indices(f"max_pool{rank}d") for rank in (1, 2, 3)
)
adaptive_max_pool1d_with_indices, adaptive_max_pool2d_with_indices, adaptive_max_pool3d_with_indices = (
    _with_indices(f"adaptive_max_pool{rank}d") for rank in (1, 2, 3)
)
