"""Hooks of an optimizer: around each step, around state_dict and load_state_dict; of one optimizer or of all."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..nn._hooks import RemovableHandle, Table

_LIVING: weakref.WeakSet[OptimizerHooks] = weakref.WeakSet()  # whom a hook for all optimizers reaches
_EVERY: dict[str, Table] = {"step_pre": OrderedDict(), "step_post": OrderedDict()}


def keep_count(optimizer: OptimizerHooks) -> None:
    _LIVING.add(optimizer)
    if any(_EVERY.values()):
        optimizer._watch_steps()


class OptimizerHooks:
    """The part of Optimizer that keeps and calls hooks. Without hooks a step costs nothing more.

    With hooks around steps the instance gets a `step` of its own, which calls that of the class between them: so they
    see each step of a subclass that overrides `step`, once.
    """

    _hook_tables: dict[str, Table] | None = None

    def _add(self, table: str, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        from ..nn._hooks import add

        if self._hook_tables is None:
            self._hook_tables = {}
        return add(self._hook_tables.setdefault(table, OrderedDict()), hook, prepend)

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """`hook(optimizer, args, kwargs)` runs before each step; what it returns (unless None) replaces (args, kwargs)."""
        self._watch_steps()
        return self._add("step_pre", hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """`hook(optimizer, args, kwargs)` runs after each step."""
        self._watch_steps()
        return self._add("step_post", hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """`hook(optimizer)` runs before state_dict()."""
        return self._add("state_dict_pre", hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """`hook(optimizer, state_dict)` runs after state_dict(); what it returns (unless None) replaces the result."""
        return self._add("state_dict_post", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """`hook(optimizer, state_dict)` runs before load_state_dict(); what it returns (unless None) is loaded."""
        return self._add("load_state_dict_pre", hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """`hook(optimizer)` runs after load_state_dict()."""
        return self._add("load_state_dict_post", hook, prepend)

    def _hooks_of(self, table: str) -> list[Callable[..., Any]]:
        return list(self._hook_tables[table].values()) if self._hook_tables and table in self._hook_tables else []

    def _run(self, table: str) -> None:
        for hook in self._hooks_of(table):
            hook(self)

    def _changed(self, table: str, state_dict: dict[str, Any]) -> dict[str, Any]:
        for hook in self._hooks_of(table):
            found = hook(self, state_dict)
            state_dict = state_dict if found is None else found
        return state_dict

    def _watch_steps(self) -> None:
        if "step" not in self.__dict__:
            mine = weakref.ref(self)  # no reference cycle: an optimizer goes when its last user goes
            self.__dict__["step"] = lambda *args, **kwargs: _step_between(mine(), args, kwargs)

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickle: hooks stay behind, as PyTorch's do."""
        return {name: value for name, value in self.__dict__.items() if name not in ("step", "_hook_tables")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        keep_count(self)


def _step_between(optimizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    for hook in [*_EVERY["step_pre"].values(), *optimizer._hooks_of("step_pre")]:
        found = hook(optimizer, args, kwargs)
        if found is not None:
            if not (isinstance(found, tuple) and len(found) == 2):
                raise RuntimeError(f"step pre-hook must return None or a tuple (args, kwargs), got {found!r}")
            args, kwargs = found
    result = type(optimizer).step(optimizer, *args, **kwargs)
    for hook in [*optimizer._hooks_of("step_post"), *_EVERY["step_post"].values()]:
        hook(optimizer, args, kwargs)
    return result


def _for_all(table: str, hook: Callable[..., Any]) -> RemovableHandle:
    from ..nn._hooks import add

    for optimizer in list(_LIVING):
        optimizer._watch_steps()
    return add(_EVERY[table], hook)


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """register_step_pre_hook of every optimizer, also of those made later."""
    return _for_all("step_pre", hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """register_step_post_hook of every optimizer, also of those made later."""
    return _for_all("step_post", hook)
