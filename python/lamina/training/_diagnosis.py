"""Where a number was lost: a forward pass is run again, and the first module whose output is not finite is named."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import lamina

from .._C import Tensor
from ..nn import Module


class _Found(Exception):
    """Ends the rerun."""


def tensors_in(value: Any) -> list[Tensor]:
    """The tensors of an argument or output: itself, or those in its tuples, lists and dicts."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        return [t for item in value.values() for t in tensors_in(item)]
    if isinstance(value, (list, tuple)):
        return [t for item in value for t in tensors_in(item)]
    return []


def finite(value: Any) -> bool:
    """Whether all floating values in it are."""
    return all(bool(t.detach().isfinite().all()) for t in tensors_in(value) if t.is_floating_point())


def label(model: Module, module: Module) -> str:
    """'body.0' (Linear)"""
    for name, candidate in model.named_modules():
        if candidate is module:
            return f"'{name}' ({type(module).__name__})" if name else f"the model itself ({type(module).__name__})"
    return type(module).__name__


def explain(model: Module, forward: Callable[[], Any], state: Tensor | None = None) -> str:
    """Runs `forward` again and says in one clause where the first value that is not finite appears.

    `state` is that of the default generator before the first run, so that dropout is the same.
    """
    handles, found, largest = [], [], [0.0]

    def hook(module: Module, args: Any, kwargs: Any, output: Any) -> None:
        largest.extend(_largest(t) for t in tensors_in(output))
        if not finite(output):
            found.append(_clause(model, module, (args, kwargs)))
            raise _Found

    for module in model.modules():
        if not any(True for _ in module.children()) or module is model:
            handles.append(module.register_forward_hook(hook, with_kwargs=True))
    try:
        with lamina.no_grad(), lamina.random.fork_rng():
            if state is not None:
                lamina.set_rng_state(state)
            forward()
    except _Found:
        return str(found[0])
    finally:
        for handle in handles:
            handle.remove()
    bad = [name for name, p in model.named_parameters() if not finite(p)]
    if bad:
        return f"parameter '{bad[0]}' is not finite"
    text = f"every module's output is finite (up to {max(largest):.3g}), so it is the loss function that makes it"
    return f"{text}; hint: a smaller lr, or clip_norm=1.0" if max(largest) > 1e15 else text


def _largest(tensor: Tensor) -> float:
    return float(tensor.detach().abs().max().item()) if tensor.is_floating_point() and tensor.numel() else 0.0


def _clause(model: Module, module: Module, arguments: Any) -> str:
    text = f"the first output that is not finite is that of {label(model, module)}"
    bad = [name for name, p in module.named_parameters() if not finite(p)]
    if bad:
        return f"{text}, whose {bad[0]} is not finite since an earlier step; hint: a smaller lr, or clip_norm=1.0"
    if not finite(arguments):
        return f"{text}, and so is what enters it; hint: look for NaN or infinity in the data"
    return f"{text}; what enters it is finite"


class _Idle:
    """Stands in for an optimizer when a training_step is run again: it does nothing."""

    def __init__(self) -> None:
        self.param_groups: list[Any] = []
        self.state: dict[Any, Any] = {}

    def zero_grad(self, set_to_none: bool = True) -> None:
        pass

    def step(self, closure: Any = None) -> None:
        pass


def explain_own_step(model: Any, batch: tuple[Any, ...], names: list[str], state: Tensor | None) -> str:
    """As `explain` for a model that makes its steps itself: on a copy, whose optimizers stand still."""
    idle = {name: _Idle() for name in names}
    try:
        twin = copy.deepcopy(model)

        def again() -> None:
            with lamina.enable_grad():
                twin.training_step(batch, idle)

        return explain(twin, again, state)
    except Exception as error:
        return f"running the step again ended in {type(error).__name__}: {error}"
