"""torch.utils.hooks: handles of hooks."""

from __future__ import annotations

import warnings
from typing import Any

from ..nn._hooks import RemovableHandle as RemovableHandle


def unserializable_hook(f: Any) -> Any:
    """Marks a hook that must not be saved with its tensor."""
    f.__torch_unserializable__ = True
    return f


def warn_if_has_hooks(tensor: Any) -> None:
    """Warns of hooks that a file would not keep."""
    for hook in (getattr(tensor, "_backward_hooks", None) or {}).values():
        if not hasattr(hook, "__torch_unserializable__"):
            warnings.warn(f"backward hook {hook!r} on tensor will not be serialized", stacklevel=2)
