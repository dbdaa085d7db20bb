"""Private names of torch.nn.modules.module that programs import."""

from __future__ import annotations

from ..nn._everywhere import register_module_backward_hook as register_module_backward_hook
from ..nn._everywhere import register_module_buffer_registration_hook as register_module_buffer_registration_hook
from ..nn._everywhere import register_module_forward_hook as register_module_forward_hook
from ..nn._everywhere import register_module_forward_pre_hook as register_module_forward_pre_hook
from ..nn._everywhere import register_module_full_backward_hook as register_module_full_backward_hook
from ..nn._everywhere import register_module_full_backward_pre_hook as register_module_full_backward_pre_hook
from ..nn._everywhere import register_module_module_registration_hook as register_module_module_registration_hook
from ..nn._everywhere import register_module_parameter_registration_hook as register_module_parameter_registration_hook
from ..nn._state import IncompatibleKeys as _IncompatibleKeys

__all__ = [
    "_IncompatibleKeys",
    "_addindent",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]


def _addindent(s_: str, numSpaces: int) -> str:
    """The text with all lines but the first moved to the right."""
    return ("\n" + " " * numSpaces).join(s_.split("\n"))
