"""Module: the base of every layer and model, with PyTorch's behaviour.

Parameters, buffers and children live in the instance's own `__dict__` (reading `self.weight` is a plain lookup); three
ordered name tables say which attributes they are. Every walk over children is iterative: depth is limited by memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from .. import _C
from .._C import Tensor
from ._show import repr_of, say_where
from ._state import IncompatibleKeys, load
from .parameter import Parameter

if TYPE_CHECKING:
    from ._hooks import Hooks, RemovableHandle

M = TypeVar("M", bound="Module")
_TABLES = {"parameter": "_parameter_names", "buffer": "_buffer_names", "module": "_module_names"}


def _no_forward(self: Module, *args: Any) -> Any:
    raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')


class Module:
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
    _collapse_repr = False  # ModuleList prints equal neighbours once

    def __init__(self) -> None:
        self.__dict__.update(training=True, _parameter_names={}, _buffer_names={}, _module_names={})

    # -- calling ------------------------------------------------------------------------------------------------------
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if self._hooks is None:
                return self.forward(*args, **kwargs)
            return self._hooks.call(self, args, kwargs)
        except _C.Error as error:
            say_where(error, self)
            raise

    def _add_hook(
        self, table: str, hook: Callable[..., Any], with_kwargs: bool = False, prepend: bool = False
    ) -> RemovableHandle:
        from ._hooks import Hooks, RemovableHandle

        if self._hooks is None:
            self.__dict__["_hooks"] = Hooks()
        return RemovableHandle(getattr(self._hooks, table), hook, with_kwargs, prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """`hook(module, args, output)` runs after forward; what it returns (unless None) replaces the output.
        always_call: also after an exception, with the output None."""
        handle = self._add_hook("forward", hook, with_kwargs, prepend)
        if always_call and self._hooks is not None:
            self._hooks.always.add(handle.id)
        return handle

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """`hook(module, args)` runs before forward; what it returns (unless None) replaces the arguments."""
        return self._add_hook("forward_pre", hook, with_kwargs, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """`hook(module, grad_input, grad_output)`; what it returns (unless None) replaces grad_input."""
        return self._add_hook("backward", hook, False, prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """`hook(module, grad_output)`; what it returns (unless None) replaces grad_output."""
        return self._add_hook("backward_pre", hook, False, prepend)

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
                if name in tables.get("_buffer_names", ()) and not isinstance(value, Tensor):
                    raise TypeError(f"cannot assign {_kind(value)} as buffer '{name}' (Tensor or None expected)")
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        for table in _TABLES.values():
            self.__dict__[table].pop(name, None)

    def _register(self, kind: str, name: str, value: Any, note: Any = None) -> None:
        own = self.__dict__
        if "_parameter_names" not in own:
            raise AttributeError(f"cannot assign {kind}s before Module.__init__() call")
        for other, table in _TABLES.items():
            if other != kind:
                own[table].pop(name, None)
        own[_TABLES[kind]][name] = note
        own[name] = value

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
    def _parameters(self) -> Mapping[str, Parameter | None]:
        return MappingProxyType({n: self.__dict__[n] for n in self._parameter_names})

    @property
    def _buffers(self) -> Mapping[str, Tensor | None]:
        return MappingProxyType({n: self.__dict__[n] for n in self._buffer_names})

    @property
    def _modules(self) -> Mapping[str, Module | None]:
        return MappingProxyType({n: self.__dict__[n] for n in self._module_names})

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
        seen: set[int] = set()
        stack = [self]
        while stack:
            module = stack.pop()
            if id(module) not in seen:
                seen.add(id(module))
                yield module
                stack.extend(reversed([child for _, child in module.named_children()]))

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(dotted name, module) for this module and all below it, parents first."""
        seen = {id(m) for m in memo} if memo else set()
        stack: list[tuple[str, Module] | int] = [(prefix, self)]
        while stack:
            top = stack.pop()
            if isinstance(top, int):  # all below that module is done
                seen.discard(top)
                continue
            name, module = top
            if id(module) in seen:  # a duplicate, or its own ancestor
                continue
            seen.add(id(module))
            if not remove_duplicate:
                stack.append(id(module))
            yield name, module
            base = name + "." if name else ""
            own = module.__dict__
            stack.extend([(base + n, own[n]) for n in reversed(module._module_names) if own[n] is not None])

    def _named_members(
        self, table: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        owners = self.named_modules(None, prefix, remove_duplicate) if recurse else iter([(prefix, self)])
        for path, module in owners:
            for name in getattr(module, table):
                value = module.__dict__[name]
                if value is not None and id(value) not in seen:
                    if remove_duplicate:
                        seen.add(id(value))
                    yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        return self._named_members("_parameter_names", prefix, recurse, remove_duplicate)

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        return self._named_members("_buffer_names", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        seen: set[int] = set()
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
    def _state(self, prefix: str = "") -> Iterator[tuple[str, Module, str, Tensor]]:
        for path, module in self.named_modules(remove_duplicate=False):
            base = f"{prefix}{path}." if path else prefix
            persistent = [n for n, keep in module._buffer_names.items() if keep]
            for name in (*module._parameter_names, *persistent):
                value = module.__dict__[name]
                if value is not None:
                    yield base + name, module, name, value

    def state_dict(
        self, *, destination: dict[str, Tensor] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Tensor]:
        """{dotted name: tensor} of parameters and persistent buffers; the tensors share the module's memory."""
        out = {} if destination is None else destination
        for key, _, _, value in self._state(prefix):
            out[key] = value if keep_vars else value.detach()
        return out

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copies values in by name. All is checked first: when this raises, the module is unchanged."""
        return load(self, state_dict, strict, assign)

    # -- changes ------------------------------------------------------------------------------------------------------
    def _obeying(self, method: str) -> Iterator[tuple[Module, bool]]:
        """Modules below and with this one; (module, True) marks a child with its own `method`, which then handles
        its own children: such overrides (a frozen norm, say) are called as in a recursion."""
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
                stack.extend(reversed(list(module.children())))

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
        order: dict[int, Module] = {}
        stack: list[Module] = [self]
        while stack:  # parents first, children from the right: reversed, children come first, from the left
            module = stack.pop()
            if id(module) not in order:
                order[id(module)] = module
                stack.extend(module.children())
        for module in reversed(order.values()):
            fn(module)
        return self

    def _apply(self: M, fn: Callable[[Tensor], Tensor]) -> M:
        for module, own in self._obeying("_apply"):
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

    def to(
        self: M,
        *args: Any,
        device: Any = None,
        dtype: Any = None,
        non_blocking: bool = False,
        memory_format: Any = None,
    ) -> M:
        """`to(device)`, `to(dtype)`, `to(device, dtype)` or `to(tensor)`; dtype changes floating tensors only, and
        memory_format tensors of 4 and 5 dims."""
        for arg in args:
            if isinstance(arg, Tensor):
                device, dtype = arg.device, arg.dtype
            elif isinstance(arg, _C.dtype):
                dtype = arg
            elif arg is not None and not isinstance(arg, bool):
                device = arg
        if dtype is not None and not dtype.is_floating_point:
            raise TypeError(f"nn.Module.to only accepts floating point dtypes, but got desired dtype={dtype}")

        def convert(t: Tensor) -> Tensor:
            if device is not None:
                t = t.to(device)
            if dtype is not None and t.is_floating_point():
                t = t.to(dtype)
            return t.contiguous(memory_format=memory_format) if memory_format is not None and t.dim() in (4, 5) else t

        return self._apply(convert)

    def type(self: M, dst_type: Any) -> M:
        """All parameters and buffers in dst_type, integers too."""
        return self._apply(lambda t: t.to(dst_type))

    def to_empty(self: M, *, device: Any) -> M:
        """On the device, with memory that is not filled."""
        return self._apply(lambda t: _C.empty_like(t, device=device))

    def share_memory(self: M) -> M:
        """The module as it is: threads share its memory anyway, and other processes never do."""
        return self

    def float(self: M) -> M:
        return self.to(_C.float32)

    def double(self: M) -> M:
        return self.to(_C.float64)

    def half(self: M) -> M:
        return self.to(_C.float16)

    def bfloat16(self: M) -> M:
        return self.to(_C.bfloat16)

    def cpu(self: M) -> M:
        return self.to("cpu")

    def cuda(self: M, device: int | str | None = None) -> M:
        return self.to("cuda" if device is None else f"cuda:{device}" if isinstance(device, int) else device)

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
    def extra_repr(self) -> str:
        return ""

    def __repr__(self) -> str:
        return repr_of(self)

    def __dir__(self) -> list[str]:
        return sorted(set(object.__dir__(self)) - set(_TABLES.values()))


def _kind(value: object) -> str:
    return f"'{type(value).__name__}'"
