"""Names of torch.utils.checkpoint beside checkpoint itself."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from .._C import Tensor


def get_device_states(*args: Any) -> tuple[list[int], list[Any]]:
    """([], []): devices have no generators of their own, `get_rng_state` holds the state of all."""
    return [], []


def set_device_states(devices: Sequence[int], states: Sequence[Any], *, device_type: str | None = None) -> None:
    """Changes nothing: see get_device_states. ValueError for states of elsewhere."""
    if len(devices) or len(states):
        raise ValueError("set_device_states: devices have no generators of their own; set_rng_state sets all")


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The tensors without their history; they require grad as before."""
    found = []
    for value in inputs:
        if isinstance(value, Tensor):
            requires = value.requires_grad
            value = value.detach()
            value.requires_grad = requires
        found.append(value)
    return tuple(found)


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warns where no input requires grad."""
    if not any(isinstance(value, Tensor) and value.requires_grad for value in inputs):
        warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)
