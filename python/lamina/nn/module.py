"""Module: the base of every layer and model, with PyTorch's behaviour.

Parameters, buffers and children live in the instance's own `__dict__` (reading `self.weight` is a plain lookup); three
ordered name tables say which attributes they are. Every walk over children is iterative: depth is limited by memory.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from .. import _C
from .._C import Tensor
from . import _state
from ._moves import Movable
from ._show import repr_of, say_where
from ._state import IncompatibleKeys as _IncompatibleKeys
from ._tables import NAMES as _TABLES
from ._tables import NotPersistent, Table, register, replace
from .parameter import Parameter

if TYPE_CHECKING:
    from ._hooks import Hooks, RemovableHandle, StateHooks

M = TypeVar("M", bound="Module")
T_destination = TypeVar("T_destination", bound=dict[str, Any])
# (kind) -> hooks(module, name, value) that see every new member of any module: register_module_*_registration_hook
_registration_hooks: dict[str, dict[int, Callable[..., Any]]] = {kind: {} for kind in _TABLES}


def _hook_table(owner: str, name: str) -> Any:
    """A table of hooks under PyTorch's name: the dict itself, made when somebody asks for it."""

    def get(self: Module) -> Any:
        return getattr(getattr(self, owner)(), name)

    def put(self: Module, table: Any) -> None:
        setattr(getattr(self, owner)(), name, OrderedDict(table) if isinstance(table, Mapping) else table)

    return property(get, put)


def _no_forward(self: Module, *args: Any) -> Any:
    raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')


class _Unfound:
    """What `super().__getattr__(name)` of a subclass ends in."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self)


class Module(Movable):
    """Base class: assign Parameters and Modules as attributes, write `forward`, call the module.

    >>> import lamina
    >>> class Scale(lamina.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.by = lamina.nn.Parameter(lamina.ones(1))
    ...     def forward(self, x):
    ...         return x * self.by
    >>> [name for name, _ in Scale().named_parameters()]
    ['by']
    """

    training: bool
    _parameter_names: dict[str, None]
    _buffer_names: dict[str, bool]  # persistent?
    _module_names: dict[str, None]
    forward: Callable[..., Any] = _no_forward
    _hooks: Hooks | None = None
    _state_hooks: StateHooks | None = None
    _collapse_repr = False  # ModuleList prints equal neighbours once
    _version = 1  # of the module's part of a state_dict
    dump_patches = False
    call_super_init = False  # True: __init__ goes on to the class that stands behind Module

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.__dict__.update(training=True, _parameter_names={}, _buffer_names={}, _module_names={})
        if self.call_super_init:
            super().__init__(*args, **kwargs)
        elif args or kwargs:
            given = f"'{next(iter(kwargs))}'" if kwargs else f"{len(args)} by place"
            raise TypeError(f"{type(self).__name__}.__init__() got an unexpected argument: {given}")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if hasattr(cls, "__getattr__") and not issubclass(cls, _Unfound):
            cls.__bases__ += (_Unfound,)  # behind Module for those alone: on Module it would slow every attribute

    # -- calling ------------------------------------------------------------------------------------------------------
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if self._hooks is None:
                return self.forward(*args, **kwargs)
            return self._hooks.call(self, args, kwargs)
        except _C.Error as error:
            say_where(error, self)
            raise

    def _own_hooks(self) -> Hooks:
        hooks = self.__dict__.get("_hooks")
        if hooks is None:
            from ._hooks import Hooks

            hooks = self.__dict__["_hooks"] = Hooks()
        return hooks

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """`hook(module, args, output)` runs after forward; what it returns (unless None) replaces the output.
        always_call: also after an exception, with the output None."""
        from ._hooks import add

        own = self._own_hooks()
        notes = (own.with_kwargs,) * with_kwargs + (own.always,) * always_call
        return add(own.forward, hook, prepend, notes)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """`hook(module, args)` runs before forward; what it returns (unless None) replaces the arguments."""
        from ._hooks import add

        own = self._own_hooks()
        return add(own.forward_pre, hook, prepend, (own.pre_with_kwargs,) * with_kwargs)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """`hook(module, grad_input, grad_output)`; what it returns (unless None) replaces grad_input."""
        return self._own_hooks().add_backward(hook, True, prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """The older name of register_full_backward_hook; a module has hooks of one of the two names."""
        return self._own_hooks().add_backward(hook, False)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """`hook(module, grad_output)`; what it returns (unless None) replaces grad_output."""
        from ._hooks import add

        return add(self._own_hooks().backward_pre, hook, prepend)

    # -- attributes ---------------------------------------------------------------------------------------------------
    def __setattr__(self, name: str, value: Any) -> None:
        tables = self.__dict__
        if isinstance(value, Parameter):
            self._register("parameter", name, value)
        elif isinstance(value, Module):
            self._register("module", name, value)
        else:
            if value is not None:
                if name in tables.get("_parameter_names", ()):
                    raise TypeError(f"cannot assign {_kind(value)} as parameter '{name}' (Parameter or None expected)")
                if name in tables.get("_module_names", ()):
                    raise TypeError(f"cannot assign {_kind(value)} as child module '{name}' (Module or None expected)")
                is_buffer = name in tables.get("_buffer_names", ())
                if not isinstance(value, Tensor):
                    if is_buffer:
                        raise TypeError(f"cannot assign {_kind(value)} as buffer '{name}' (Tensor or None expected)")
                elif is_buffer or getattr(value, "_is_buffer", False):  # made by nn.Buffer
                    keep = getattr(value, "persistent", None) if getattr(value, "_is_buffer", False) else None
                    return self._register("buffer", name, value, keep)
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        for table in _TABLES.values():
            self.__dict__[table].pop(name, None)

    def _register(self, kind: str, name: str, value: Any, persistent: bool | None = None) -> None:
        own = self.__dict__
        if "_parameter_names" not in own:
            raise AttributeError(f"cannot assign {kind}s before Module.__init__() call")
        if _registration_hooks[kind]:
            for hook in list(_registration_hooks[kind].values()):
                changed = hook(self, name, value)
                value = value if changed is None else changed
        register(own, kind, name, value, persistent)

    def _check_new_name(self, kind: str, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {_kind(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if hasattr(self, name) and name not in self.__dict__.get(_TABLES[kind], ()):
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        self._check_new_name("parameter", name)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"cannot assign {_kind(param)} object to parameter '{name}' (Parameter or None required)")
        self._register("parameter", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """A tensor that belongs to the module but is not trained; in the state_dict when persistent."""
        self._check_new_name("buffer", name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"cannot assign {_kind(tensor)} object to buffer '{name}' (Tensor or None required)")
        self._register("buffer", name, tensor, persistent)

    def add_module(self, name: str, module: Module | None) -> None:
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{_kind(module)} is not a Module subclass")
        self._check_new_name("module", name)
        self._register("module", name, module)

    register_module = add_module

    @property
    def _parameters(self) -> Table:
        return Table(self.__dict__, "parameter")

    @_parameters.setter
    def _parameters(self, members: Mapping[str, Any]) -> None:
        replace(self.__dict__, "parameter", members)

    @property
    def _buffers(self) -> Table:
        return Table(self.__dict__, "buffer")

    @_buffers.setter
    def _buffers(self, members: Mapping[str, Any]) -> None:
        replace(self.__dict__, "buffer", members)

    @property
    def _modules(self) -> Table:
        return Table(self.__dict__, "module")

    @_modules.setter
    def _modules(self, members: Mapping[str, Any]) -> None:
        replace(self.__dict__, "module", members)

    @property
    def _non_persistent_buffers_set(self) -> NotPersistent:
        return NotPersistent(self._buffer_names)

    @_non_persistent_buffers_set.setter
    def _non_persistent_buffers_set(self, names: Iterable[str]) -> None:
        kept = set(names)
        self.__dict__["_buffer_names"] = {name: name not in kept for name in self._buffer_names}

    _forward_hooks = _hook_table("_own_hooks", "forward")
    _forward_hooks_with_kwargs = _hook_table("_own_hooks", "with_kwargs")
    _forward_hooks_always_called = _hook_table("_own_hooks", "always")
    _forward_pre_hooks = _hook_table("_own_hooks", "forward_pre")
    _forward_pre_hooks_with_kwargs = _hook_table("_own_hooks", "pre_with_kwargs")
    _backward_hooks = _hook_table("_own_hooks", "backward")
    _backward_pre_hooks = _hook_table("_own_hooks", "backward_pre")
    _is_full_backward_hook = _hook_table("_own_hooks", "full")
    _state_dict_hooks = _hook_table("_own_state_hooks", "save_post")
    _state_dict_pre_hooks = _hook_table("_own_state_hooks", "save_pre")
    _load_state_dict_pre_hooks = _hook_table("_own_state_hooks", "load_pre")
    _load_state_dict_post_hooks = _hook_table("_own_state_hooks", "load_post")

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        for hook in state["_hooks"].computed() if "_hooks" in state else ():
            state.pop(hook.computed_name, None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """For copy and pickle; takes the fields of PyTorch's modules, too."""
        own = self.__dict__
        own.update(state)
        for table in _TABLES.values():
            own[table] = dict(own.get(table, ()))  # a shallow copy gets lists of names of its own
        fields = [name for name in own if isinstance(getattr(Module, name, None), property)]
        for name, value in [(name, own.pop(name)) for name in fields]:
            setattr(self, name, value)
        for hook in own["_hooks"].computed() if "_hooks" in own else ():
            hook.restore(self)

    # -- walks --------------------------------------------------------------------------------------------------------
    def named_children(self) -> Iterator[tuple[str, Module]]:
        seen: set[int] = set()
        for name in self._module_names:
            child = self.__dict__[name]
            if child is not None and id(child) not in seen:
                seen.add(id(child))
                yield name, child

    def children(self) -> Iterator[Module]:
        return (child for _, child in self.named_children())

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once, parents first."""
        return (module for _, module in self.named_modules())

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(dotted name, module) for this module and all below it, parents first."""
        seen = {id(m) for m in memo} if memo else set()
        base_walk = Module.named_modules
        stack: list[tuple[str, Module] | int] = [(prefix, self)]
        while stack:
            top = stack.pop()
            if isinstance(top, int):  # all below that module is done
                seen.discard(top)
                continue
            name, module = top
            if id(module) in seen:  # a duplicate, or its own ancestor
                continue
            if module is not self and type(module).named_modules is not base_walk:  # it walks its own way
                for below, found in module.named_modules(None, name, remove_duplicate):
                    if not remove_duplicate or id(found) not in seen:
                        seen.update((id(found),) * remove_duplicate)
                        yield below, found
                continue
            seen.add(id(module))
            if not remove_duplicate:
                stack.append(id(module))
            yield name, module
            base = name + "." if name else ""
            own = module.__dict__
            stack.extend([(base + n, own[n]) for n in reversed(module._module_names) if own[n] is not None])

    def _named_members(
        self,
        get_members_fn: Callable[[Module], Iterable[tuple[str, Any]]],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        owners = self.named_modules(None, prefix, remove_duplicate) if recurse else iter([(prefix, self)])
        for path, module in owners:
            for name, value in get_members_fn(module):
                if value is not None and id(value) not in seen:
                    if remove_duplicate:
                        seen.add(id(value))
                    yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        return self._named_members(lambda m: m._parameters.items(), prefix, recurse, remove_duplicate)

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        return self._named_members(lambda m: m._buffers.items(), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        if type(self).named_parameters is not Module.named_parameters:
            yield from (value for _, value in self.named_parameters("", recurse))
            return
        seen: set[int] = set()  # the same without names
        for module in self.modules() if recurse else (self,):
            for name in module._parameter_names:
                value = module.__dict__[name]
                if value is not None and id(value) not in seen:
                    seen.add(id(value))
                    yield value

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        return (value for _, value in self.named_buffers("", recurse))

    def get_submodule(self, target: str) -> Module:
        module: Any = self
        for part in target.split(".") if target else ():
            if part not in module._module_names or module.__dict__[part] is None:
                raise AttributeError(f"{type(module).__name__} has no attribute `{part}`, looking for `{target}`")
            module = module.__dict__[part]
        found: Module = module
        return found

    def _get_member(self, target: str, table: str, kind: str) -> Any:
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        if name not in getattr(owner, table):
            raise AttributeError(f"{type(owner).__name__} has no {kind} `{name}`, looking for `{target}`")
        return owner.__dict__[name]

    def set_submodule(self, target: str, module: Module) -> None:
        """Puts `module` in the place that a dotted name says."""
        parent, _, name = target.rpartition(".")
        if not name:
            raise ValueError("set_submodule: needs the name of a submodule, got ''")
        if not isinstance(module, Module):
            raise TypeError(f"set_submodule: module must be a Module, got {_kind(module)}")
        setattr(self.get_submodule(parent), name, module)

    def get_parameter(self, target: str) -> Parameter:
        found: Parameter = self._get_member(target, "_parameter_names", "parameter")
        return found

    def get_buffer(self, target: str) -> Tensor:
        found: Tensor = self._get_member(target, "_buffer_names", "buffer")
        return found

    # -- state --------------------------------------------------------------------------------------------------------
    get_extra_state = _state.get_extra_state
    set_extra_state = _state.set_extra_state
    state_dict = _state.state_dict
    _save_to_state_dict = _state.save_to_state_dict
    _load_from_state_dict = _state.load_from_state_dict

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copies values in by name. All is checked first: when this raises, the module is unchanged.

        A module whose class overrides `_load_from_state_dict` takes its own values in its turn, and before a hook of
        `register_load_state_dict_post_hook` runs, what was checked so far is taken: when the load fails after that,
        these modules have changed, the others not. What `set_extra_state` or a hook did is not undone either.
        """
        return _state.load(self, state_dict, strict, assign)

    def _renew_state(self, state: dict[str, Any], prefix: str, version: int | None) -> None:
        """Gives the module's keys of older files today's form, in place; the layers of lamina.nn override it."""

    def _own_state_hooks(self) -> StateHooks:
        hooks = self.__dict__.get("_state_hooks")
        if hooks is None:
            from ._hooks import StateHooks

            hooks = self.__dict__["_state_hooks"] = StateHooks()
        return hooks

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """`hook(module, prefix, keep_vars)` runs before the module's part of a state_dict is written."""
        from ._hooks import add

        return add(self._own_state_hooks().save_pre, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """`hook(module, state_dict, prefix, local_metadata)` may change the state_dict in place; it returns None."""
        from ._hooks import add

        own = self._own_state_hooks()
        return add(own.save_post, hook, notes=(own.only_look,))

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """As register_state_dict_post_hook, but what the hook returns (unless None) replaces the state_dict."""
        from ._hooks import add

        return add(self._own_state_hooks().save_post, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """`hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)` runs
        before the module's values are read; it may change the dict, which is a copy, and add to the lists."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], with_module: bool = False
    ) -> RemovableHandle:
        """As register_load_state_dict_pre_hook; the hook gets the module only when asked for."""
        from ._hooks import WithModule, add

        return add(self._own_state_hooks().load_pre, WithModule(hook, self) if with_module else hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """`hook(module, incompatible_keys)` runs after the module and all below it are read; what it takes out of the
        lists of missing and unexpected keys is forgiven."""
        from ._hooks import add

        return add(self._own_state_hooks().load_post, hook)

    # -- changes ------------------------------------------------------------------------------------------------------
    def _obeying(self, method: str, from_right: bool = False) -> Iterator[tuple[Module, bool]]:
        """Modules below and with this one; (module, True) marks a child with its own `method`, which then handles
        its own children: such overrides (a frozen norm, say) are called as in a recursion. from_right: the last child
        first, so that the reverse order has children before parents, from the left."""
        base = getattr(Module, method)
        seen: set[int] = set()
        stack = [self]
        while stack:
            module = stack.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            own = module is not self and getattr(type(module), method) is not base
            yield module, own
            if not own:
                children = list(module.children())
                stack.extend(children if from_right else reversed(children))

    def train(self: M, mode: bool = True) -> M:
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        for module, own in self._obeying("train"):
            if own:
                module.train(mode)
            else:
                module.training = mode
        return self

    def eval(self: M) -> M:
        return self.train(False)

    def apply(self: M, fn: Callable[[Module], None]) -> M:
        """Calls `fn` on every module below and then on this one."""
        for module, own in reversed(list(self._obeying("apply", from_right=True))):
            if own:
                module.apply(fn)
            else:
                fn(module)
        return self

    def _apply(self: M, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> M:
        for module, own in self._obeying("_apply") if recurse else ((self, False),):
            if own:
                module._apply(fn)
                continue
            for name in module._parameter_names:
                param = module.__dict__[name]
                if param is not None:
                    grad = param.grad
                    param.grad = None
                    param.data = fn(param.data)  # the Parameter object stays: optimizers hold it
                    if grad is not None:
                        param.grad = fn(grad.detach())
            for name in module._buffer_names:
                if module.__dict__[name] is not None:
                    module.__dict__[name] = fn(module.__dict__[name])
        return self

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        for param in self.parameters():
            if param.grad is not None:
                if set_to_none:
                    param.grad = None
                else:
                    param.grad.detach_().zero_()

    # -- printing -----------------------------------------------------------------------------------------------------
    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        return ""

    def __repr__(self) -> str:
        return repr_of(self)

    def __dir__(self) -> list[str]:
        return sorted(set(object.__dir__(self)) - set(_TABLES.values()))


def _kind(value: object) -> str:
    return f"'{type(value).__name__}'"


def __getattr__(name: str) -> Any:
    """Hooks of all modules live beside, and load when somebody asks for them."""
    if name.startswith("register_module_"):
        from . import _everywhere

        return getattr(_everywhere, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
