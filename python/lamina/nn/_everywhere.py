"""Hooks of all modules: what PyTorch has in torch.nn.modules.module. While there are none, a call costs nothing more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import _hooks
from ._hooks import EVERYWHERE, RemovableHandle, Table, add
from .module import Module, _registration_hooks

_IDLE = _hooks.Hooks()  # stands for the hooks of a module that has none, so that its calls look at EVERYWHERE


class _Handle(RemovableHandle):
    def remove(self) -> None:
        super().remove()
        if EVERYWHERE.idle():
            Module._hooks = None


def _added(handle: RemovableHandle) -> RemovableHandle:
    handle.__class__ = _Handle
    Module._hooks = _IDLE
    return handle


def _put(table: Table, hook: Callable[..., Any], notes: tuple[dict[int, bool], ...] = ()) -> RemovableHandle:
    return _added(add(table, hook, notes=notes))


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """`hook(module, args)` runs before forward of every module, before the module's own hooks."""
    return _put(EVERYWHERE.forward_pre, hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """`hook(module, args, output)` runs after forward of every module; otherwise as Module.register_forward_hook."""
    notes = (EVERYWHERE.with_kwargs,) * with_kwargs + (EVERYWHERE.always,) * always_call
    return _put(EVERYWHERE.forward, hook, notes)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """`hook(module, grad_input, grad_output)` for every module, before the module's own hooks."""
    return _added(EVERYWHERE.add_backward(hook, True))


def register_module_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """The older name: as Module.register_backward_hook, for every module."""
    return _added(EVERYWHERE.add_backward(hook, False))


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """`hook(module, grad_output)` for every module, before the module's own hooks."""
    return _put(EVERYWHERE.backward_pre, hook)


def _registration(kind: str, hook: Callable[..., Any]) -> RemovableHandle:
    handle = RemovableHandle(_registration_hooks[kind])
    _registration_hooks[kind][handle.id] = hook
    return handle


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """`hook(module, name, submodule)` sees every child that a module gets, and may give another in its place."""
    return _registration("module", hook)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """`hook(module, name, param)` sees every parameter that a module gets, and may give another in its place."""
    return _registration("parameter", hook)


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """`hook(module, name, buffer)` sees every buffer that a module gets, and may give another in its place."""
    return _registration("buffer", hook)
