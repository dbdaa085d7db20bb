"""Private names of torch.nn.modules.module that programs import."""

from __future__ import annotations

from ..nn._state import IncompatibleKeys as _IncompatibleKeys

__all__ = ["_IncompatibleKeys", "_addindent"]


def _addindent(s_: str, numSpaces: int) -> str:
    """The text with all lines but the first moved to the right."""
    return ("\n" + " " * numSpaces).join(s_.split("\n"))
