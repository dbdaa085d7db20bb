"""Checkpointing: memory for time. A segment keeps its arguments alone and runs again when backward needs the rest."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from .. import _C
from .._C import Tensor, is_grad_enabled
from .._grad_mode import enable_grad
from ..autograd.function import Function
from ..autograd.graph import saved_tensors_hooks
from ..random import get_rng_state, set_rng_state
from ._pytree import flatten

__all__ = ["CheckpointError", "checkpoint", "checkpoint_sequential"]

Contexts = Callable[[], tuple[AbstractContextManager[Any], AbstractContextManager[Any]]]


class CheckpointError(RuntimeError):
    """The second run of a segment did not do what the first one did."""


class _Done(BaseException):
    """Ends a second run as soon as everything is there."""


class _RngState:
    """Gives the default generator the state of the first run for the time of the second one."""

    def __init__(self, preserve: bool) -> None:
        self.first = get_rng_state() if preserve else None

    def __enter__(self) -> None:
        if self.first is not None:
            self.now = get_rng_state()
            set_rng_state(self.first)

    def __exit__(self, *exc: object) -> None:
        if self.first is not None:
            set_rng_state(self.now)


class _Holder:
    """Stands in the graph for one saved tensor."""

    __slots__ = ("__weakref__", "meta", "segment", "value")

    def __init__(self, segment: _Segment, tensor: Tensor) -> None:
        self.segment = segment
        self.meta = (tuple(tensor.shape), tensor.dtype, tensor.device)
        self.value: Tensor | None = None


class _Segment:
    """One checkpointed call: how to run it again, and the holders of what its graph saved, in order."""

    def __init__(self, function: Callable[..., Any], args: Any, kwargs: Any, rng: _RngState, context: Any) -> None:
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.rng = rng
        self.context = context
        self.check = True
        self.early_stop = True
        self.holders: list[weakref.ref[_Holder]] = []
        tensors = [t for t in flatten([args, kwargs])[0] if isinstance(t, Tensor)]
        self.versions = [(t, t._version) for t in tensors]

    def pack(self, tensor: Tensor) -> _Holder:
        holder = _Holder(self, tensor)
        self.holders.append(weakref.ref(holder))
        return holder

    def unpack(self, holder: _Holder) -> Tensor:
        if holder.value is None:
            self.run_again()
        if holder.value is None:
            raise CheckpointError("checkpoint: the second run saved fewer tensors for backward than the first one")
        return holder.value

    def run_again(self) -> None:
        for t, version in self.versions:
            if t._version != version:
                raise CheckpointError(
                    f"checkpoint: an argument of shape {tuple(t.shape)} was changed in place after the first run; "
                    "pass a clone, or change it out of place"
                )
        at = 0

        def take(tensor: Tensor) -> None:
            nonlocal at
            if at >= len(self.holders):
                raise CheckpointError("checkpoint: the second run saved more tensors for backward than the first one")
            holder = self.holders[at]()
            at += 1
            if holder is not None:
                meta = (tuple(tensor.shape), tensor.dtype, tensor.device)
                if self.check and holder.meta != meta:
                    raise CheckpointError(
                        f"checkpoint: the second run saved a tensor {meta[0]} {meta[1]} where the first saved "
                        f"{holder.meta[0]} {holder.meta[1]}; does the function depend on anything that changed?"
                    )
                holder.value = tensor
            if self.early_stop and at == len(self.holders):
                raise _Done

        def never(_: Any) -> Tensor:
            raise CheckpointError("checkpoint: the graph of a second run has no backward")

        try:
            with self.rng, self.context, enable_grad(), saved_tensors_hooks(take, never):
                self.function(*self.args, **self.kwargs)
        except _Done:
            pass


class _Reentrant(Function):
    """The older form: the first run records nothing, backward records a second run and goes through it."""

    @staticmethod
    def forward(ctx: Any, function: Callable[..., Any], preserve: bool, *args: Any) -> Any:
        ctx.function = function
        ctx.rng = _RngState(preserve)
        ctx.args = [None if isinstance(a, Tensor) else a for a in args]
        ctx.places = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
        ctx.save_for_backward(*(args[i] for i in ctx.places))
        return function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        args = list(ctx.args)
        for i, saved in zip(ctx.places, ctx.saved_tensors, strict=True):
            args[i] = saved.detach().requires_grad_(saved.requires_grad and saved.is_floating_point())
        with ctx.rng, enable_grad():
            out = ctx.function(*args)
        outputs = out if isinstance(out, (tuple, list)) else (out,)
        pairs = [
            (o, g)
            for o, g in zip(outputs, grads, strict=False)
            if isinstance(o, Tensor) and o.requires_grad and g is not None
        ]
        if not pairs:
            raise RuntimeError("checkpoint: none of the outputs requires grad, so there is nothing to go back through")
        _C._autograd.backward([o for o, _ in pairs], [g for _, g in pairs])
        return None, None, *(a.grad if isinstance(a, Tensor) else None for a in args)


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Contexts | None = None,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """function(*args, **kwargs), keeping the arguments instead of what its graph saves; backward runs it once more.

    use_reentrant=False (the default here) works with every way to ask for gradients, keyword arguments and nested
    values. use_reentrant=True is PyTorch's older form: gradients by backward() only, through tensors among the positional
    arguments, one of which must require grad. With preserve_rng_state (default True) dropout draws the same mask again.
    context_fn returns two context managers, for the first and the second run. debug is accepted.

    >>> import lamina
    >>> x = lamina.ones(3, requires_grad=True)
    >>> lamina.utils.checkpoint.checkpoint(lambda v: v.sin().exp(), x, use_reentrant=False).sum().backward()
    """
    preserve = bool(kwargs.pop("preserve_rng_state", True))
    if determinism_check not in ("default", "none"):
        raise ValueError(f"checkpoint: determinism_check must be 'default' or 'none', got {determinism_check!r}")
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
        if context_fn is not None or debug:
            raise ValueError("checkpoint: context_fn and debug need use_reentrant=False")
        return _Reentrant.apply(function, preserve, *args)
    first, second = context_fn() if context_fn is not None else (nullcontext(), nullcontext())
    if not is_grad_enabled():
        with first:
            return function(*args, **kwargs)
    segment = _Segment(function, args, kwargs, _RngState(preserve), second)
    segment.check = determinism_check == "default"
    segment.early_stop = early_stop
    with first, saved_tensors_hooks(segment.pack, lambda holder: holder.segment.unpack(holder)):
        return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Runs a Sequential (or a list of functions) in `segments` parts, all but the last one checkpointed."""
    preserve = bool(kwargs.pop("preserve_rng_state", True))
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    listed: Sequence[Callable[..., Any]] = list(functions.children() if hasattr(functions, "children") else functions)
    if segments < 1 or segments > len(listed):
        raise ValueError(f"checkpoint_sequential: {segments} segments of {len(listed)} functions")

    def run(part: Sequence[Callable[..., Any]]) -> Callable[[Any], Any]:
        def forward(value: Any) -> Any:
            for f in part:
                value = f(value)
            return value

        return forward

    size = len(listed) // segments
    for i in range(segments - 1):
        part = listed[i * size : (i + 1) * size]
        input = checkpoint(run(part), input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return run(listed[(segments - 1) * size :])(input)


def __getattr__(name: str) -> object:
    from .._missing import later

    return later(__name__, name)
