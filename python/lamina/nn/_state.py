"""Loading a state_dict into a module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import lamina

from .._C import Tensor
from .parameter import Parameter

if TYPE_CHECKING:
    from .module import Module


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` returns."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


def load(module: Module, state_dict: Mapping[str, Any], strict: bool, assign: bool) -> IncompatibleKeys:
    """Copies values in by name; all is checked before anything is changed."""
    own = list(module._state())
    keys = {key for key, _, _, _ in own}
    missing = [key for key, _, _, _ in own if key not in state_dict]
    unexpected = [key for key in state_dict if key not in keys]
    problems = []
    if strict and missing:
        problems.append("Missing key(s) in state_dict: {}. ".format(", ".join(f'"{k}"' for k in missing)))
    if strict and unexpected:
        problems.append("Unexpected key(s) in state_dict: {}. ".format(", ".join(f'"{k}"' for k in unexpected)))
    for key, _, _, value in own:
        if key in state_dict:
            new = state_dict[key]
            if not isinstance(new, Tensor):
                problems.append(f"value for \"{key}\": expected a Tensor, got '{type(new).__name__}'")
            elif tuple(new.shape) != tuple(value.shape):
                problems.append(
                    f"size mismatch for {key}: copying a param with shape {tuple(new.shape)} from checkpoint, "
                    f"the shape in current model is {tuple(value.shape)}."
                )
    if problems:
        listed = "\n\t".join(problems)
        raise RuntimeError(f"Error(s) in loading state_dict for {type(module).__name__}:\n\t{listed}")
    with lamina.no_grad():
        for key, owner, name, value in own:
            if key not in state_dict:
                continue
            if not assign:
                value.copy_(state_dict[key])
            elif name in owner._parameter_names:
                setattr(owner, name, Parameter(state_dict[key].detach(), requires_grad=value.requires_grad))
            else:
                owner.__dict__[name] = state_dict[key]
    return IncompatibleKeys(missing, unexpected)
