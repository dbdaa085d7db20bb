"""DLPack capsules: sharing memory with other libraries."""

from __future__ import annotations

from typing import Any

from .. import _C
from .._C import Tensor, from_dlpack


def to_dlpack(tensor: Tensor) -> Any:
    """A DLPack capsule over the memory of tensor; it can be consumed once."""
    return _C._to_dlpack(tensor)


__all__ = ["from_dlpack", "to_dlpack"]
