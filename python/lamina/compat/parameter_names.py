"""torch.nn.parameter's words for parameters without a shape."""

from __future__ import annotations

from typing import Any

from ..nn.lazy import UninitializedParameter as UninitializedParameter


def is_lazy(param: Any) -> bool:
    """Whether the parameter has no shape yet."""
    return isinstance(param, UninitializedParameter)
