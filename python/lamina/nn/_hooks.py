"""Hooks of a Module: the tables, the handle that removes one, and the gates that see gradients pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..autograd import Function

if TYPE_CHECKING:
    from .._C import Tensor

Table = dict[int, tuple[Callable[..., Any], bool]]  # id -> (hook, with_kwargs), in calling order


class RemovableHandle:
    """What `register_*_hook` returns: `remove()` takes the hook away; also a context manager."""

    _next = 0

    def __init__(self, table: Table, hook: Callable[..., Any], with_kwargs: bool = False, prepend: bool = False):
        RemovableHandle._next += 1
        self.id = RemovableHandle._next
        self._table = table
        later = dict(table) if prepend else {}
        if prepend:
            table.clear()
        table[self.id] = (hook, with_kwargs)
        table.update(later)

    def remove(self) -> None:
        self._table.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class Hooks:
    """The four tables of one module, made when the first hook is registered, and a call that obeys them."""

    def __init__(self) -> None:
        self.forward_pre: Table = {}
        self.forward: Table = {}
        self.backward_pre: Table = {}
        self.backward: Table = {}
        self.always: set[int] = set()  # forward hooks that see a failed call too

    def call(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        for hook, with_kwargs in list(self.forward_pre.values()):
            if with_kwargs:
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
        if self.backward or self.backward_pre:
            gates = BackwardGates(module, self)
            args = gates.enter(args)
        try:
            result = module.forward(*args, **kwargs)
        except BaseException:
            for key in self.always & self.forward.keys():
                hook, with_kwargs = self.forward[key]
                hook(module, args, kwargs, None) if with_kwargs else hook(module, args, None)
            raise
        for hook, with_kwargs in list(self.forward.values()):
            changed = hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
            if changed is not None:
                result = changed
        return result if gates is None else gates.leave(result)


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
        return values[0] if single else type(result)(values)

    def _at_output(self, grads: tuple[Tensor | None, ...], places: list[int], count: int) -> tuple[Tensor | None, ...]:
        full = _spread(grads, places, count)
        for hook, _ in list(self.hooks.backward_pre.values()):
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
        for hook, _ in list(self.hooks.backward.values()):
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
