"""Hooks of a Module: the tables, the handle that removes one, and the gates that see gradients pass."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from ..autograd import Function

if TYPE_CHECKING:
    from .._C import Tensor

Table = OrderedDict[int, Callable[..., Any]]  # id -> hook, in calling order


class RemovableHandle:
    """What `register_*_hook` returns: `remove()` takes the hook away; also a context manager.

    It gives an `id` for a place in `hooks_dict`; `extra_dict` are dicts (or one) that note more about the same id.
    """

    next_id = 0

    def __init__(self, hooks_dict: MutableMapping[int, Any], *, extra_dict: Any = None) -> None:
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        extras = () if extra_dict is None else extra_dict if isinstance(extra_dict, (list, tuple)) else (extra_dict,)
        self._tables: tuple[MutableMapping[int, Any], ...] = (hooks_dict, *extras)

    def remove(self) -> None:
        for table in self._tables:
            table.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def add(
    table: Table, hook: Callable[..., Any], prepend: bool = False, notes: tuple[dict[int, bool], ...] = ()
) -> RemovableHandle:
    """Puts a hook last, or first, into a table and its id into `notes`."""
    handle = RemovableHandle(table, extra_dict=notes)
    table[handle.id] = hook
    if prepend:
        table.move_to_end(handle.id, last=False)
    for note in notes:
        note[handle.id] = True
    return handle


class Hooks:
    """The four tables of one module, made when the first hook is registered, and a call that obeys them."""

    def __init__(self) -> None:
        self.forward_pre: Table = OrderedDict()
        self.forward: Table = OrderedDict()
        self.backward_pre: Table = OrderedDict()
        self.backward: Table = OrderedDict()
        self.pre_with_kwargs: dict[int, bool] = OrderedDict()
        self.with_kwargs: dict[int, bool] = OrderedDict()
        self.always: dict[int, bool] = OrderedDict()  # forward hooks that see a failed call too
        self.full: bool | None = None  # backward hooks are full ones, or older ones; None: there was none yet

    def computed(self) -> list[Any]:
        """Hooks that set an attribute of the module before each call, as weight norms do: it is no state of its own."""
        return [hook for hook in self.forward_pre.values() if hasattr(hook, "computed_name")]

    def idle(self) -> bool:
        """Whether no hook is left, so that calls can be plain again."""
        return not (self.forward_pre or self.forward or self.backward_pre or self.backward)

    def add_backward(self, hook: Callable[..., Any], full: bool, prepend: bool = False) -> RemovableHandle:
        if self.full is not None and self.full is not full:
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. "
                "Please use only one of them."
            )
        self.full = full
        return add(self.backward, hook, prepend)

    def call(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        for key, hook in [*EVERYWHERE.forward_pre.items(), *self.forward_pre.items()]:
            if key in self.pre_with_kwargs:
                changed = hook(module, args, kwargs)
                if changed is not None:
                    if not (isinstance(changed, tuple) and len(changed) == 2):
                        raise RuntimeError(f"forward pre-hook must return None or (args, kwargs), got {changed!r}")
                    args, kwargs = changed
            else:
                changed = hook(module, args)
                if changed is not None:
                    args = changed if isinstance(changed, tuple) else (changed,)
        gates = None
        if self.backward or self.backward_pre or EVERYWHERE.backward or EVERYWHERE.backward_pre:
            gates = self.gates(module)
            args = gates.enter(args)
        try:
            result = module.forward(*args, **kwargs)
        except BaseException:
            for key, hook in self._after():
                if key in self.always or key in EVERYWHERE.always:
                    hook(module, args, kwargs, None) if self._takes_kwargs(key) else hook(module, args, None)
            raise
        for key, hook in self._after():
            changed = hook(module, args, kwargs, result) if self._takes_kwargs(key) else hook(module, args, result)
            if changed is not None:
                result = changed
        return result if gates is None else gates.leave(result)

    def gates(self, module: Any) -> BackwardGates:
        if self.full is not False and EVERYWHERE.full is not False:
            return BackwardGates(module, self)
        from ..compat.backward_hooks import OlderGates

        return OlderGates(module, self)

    def _after(self) -> list[tuple[int, Callable[..., Any]]]:
        return [*EVERYWHERE.forward.items(), *self.forward.items()]

    def _takes_kwargs(self, key: int) -> bool:
        return key in self.with_kwargs or key in EVERYWHERE.with_kwargs


EVERYWHERE = Hooks()  # those of all modules: nn.modules.module.register_module_forward_hook and its kin


class StateHooks:
    """Hooks on a module's part of a state_dict, made when the first is registered."""

    def __init__(self) -> None:
        self.load_pre: Table = OrderedDict()
        self.load_post: Table = OrderedDict()
        self.save_pre: Table = OrderedDict()
        self.save_post: Table = OrderedDict()
        self.only_look: dict[int, bool] = OrderedDict()  # those of save_post that may not give another state_dict


class WithModule:
    """A hook that is given its module first, and does not keep it alive."""

    def __init__(self, hook: Callable[..., Any], module: Any) -> None:
        self.hook, self._module = hook, weakref.ref(module)

    def __call__(self, *args: Any) -> Any:
        module = self._module()
        if module is None:
            raise RuntimeError("a hook of a module was called after the module was gone")
        return self.hook(module, *args)

    def __reduce__(self) -> tuple[Any, ...]:  # a copied module gets hooks of its own
        return WithModule, (self.hook, self._module())


class _Gate(Function):
    """Identity on several tensors; the backward pass hands all their gradients to `callback` at once."""

    @staticmethod
    def forward(ctx: Any, callback: Callable[..., Any], *tensors: Tensor) -> Any:
        ctx.callback = callback
        ctx.set_materialize_grads(False)
        return tuple(t.view_as(t) for t in tensors)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        return (None, *ctx.callback(grads))


class BackwardGates:
    """One call of a module that has backward hooks: a gate on the inputs and a gate on the outputs."""

    def __init__(self, module: Any, hooks: Hooks):
        self.module, self.hooks = module, hooks
        self.grad_output: tuple[Tensor | None, ...] = ()
        self.input_gate = False
        self.arity = 0

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.arity = len(args)
        values, self.input_gate = _through(self._at_input, args)
        return values

    def leave(self, result: Any) -> Any:
        single = not isinstance(result, (tuple, list))
        items = (result,) if single else tuple(result)
        values, _ = _through(self._at_output, items)
        if single:
            return values[0]
        return type(result)._make(values) if hasattr(result, "_make") else type(result)(values)  # a named tuple

    def _at_output(self, grads: tuple[Tensor | None, ...], places: list[int], count: int) -> tuple[Tensor | None, ...]:
        full = _spread(grads, places, count)
        for hook in [*EVERYWHERE.backward_pre.values(), *self.hooks.backward_pre.values()]:
            replaced = hook(self.module, full)
            if replaced is not None:
                full = replaced if isinstance(replaced, tuple) else (replaced,)
        self.grad_output = full
        if not self.input_gate:  # no input needs a gradient: the hooks fire here
            self._fire((None,) * self.arity)
        return tuple(full[i] for i in places)

    def _at_input(self, grads: tuple[Tensor | None, ...], places: list[int], count: int) -> tuple[Tensor | None, ...]:
        full = self._fire(_spread(grads, places, count))
        return tuple(full[i] for i in places)

    def _fire(self, grad_input: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
        for hook in [*EVERYWHERE.backward.values(), *self.hooks.backward.values()]:
            replaced = hook(self.module, grad_input, self.grad_output)
            if replaced is not None:
                replaced = replaced if isinstance(replaced, tuple) else (replaced,)
                if len(replaced) != len(grad_input):
                    raise RuntimeError(
                        f"Backward hook returned an invalid number of grad_input, got {len(replaced)}, "
                        f"but expected {len(grad_input)}"
                    )
                grad_input = replaced
        self.grad_output = ()  # the gradients are not kept alive by the graph
        return grad_input


def _through(callback: Callable[..., Any], items: tuple[Any, ...]) -> tuple[tuple[Any, ...], bool]:
    """Passes the tensors that need a gradient through one gate; tells whether there were any."""
    places = [i for i, v in enumerate(items) if getattr(v, "requires_grad", False)]
    if not places:
        return items, False
    count = len(items)
    passed = _Gate.apply(lambda grads: callback(grads, places, count), *(items[i] for i in places))
    out = list(items)
    for i, value in zip(places, passed if isinstance(passed, tuple) else (passed,), strict=True):
        out[i] = value
    return tuple(out), True


def _spread(grads: tuple[Any, ...], places: list[int], count: int) -> tuple[Any, ...]:
    full: list[Any] = [None] * count
    for i, g in zip(places, grads, strict=True):
        full[i] = g
    return tuple(full)
