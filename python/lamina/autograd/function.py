"""Custom differentiable functions."""

from __future__ import annotations

import functools
from typing import Any

from .. import _C
from .._grad_mode import no_grad

FunctionCtx = _C._FunctionContext


class Function:
    """A function with a gradient written by hand.

    Subclass it with static methods and call ``apply``::

        class Cube(lamina.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x * x

            @staticmethod
            def backward(ctx, grad):
                (x,) = ctx.saved_tensors
                return grad * 3 * x * x

        y = Cube.apply(x)

    backward returns one gradient per argument of forward (None for arguments without one). With create_graph=True it is
    recorded itself, so it can be differentiated again. Where ``setup_context(ctx, inputs, output)`` is defined, forward
    takes no ctx.
    """

    _separate_setup = False

    def __init__(self) -> None:
        raise TypeError(f"{type(self).__name__}: call {type(self).__name__}.apply(...); Functions have no instances")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._separate_setup = cls.setup_context is not Function.setup_context

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The result for the arguments of apply; the first argument is ctx unless setup_context is defined."""
        raise NotImplementedError("Function: define the static method forward(ctx, ...)")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Saves what backward needs, for a forward without ctx."""
        raise NotImplementedError("Function: define the static method setup_context(ctx, inputs, output)")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Gradients of the arguments of forward, given those of its outputs."""
        raise NotImplementedError("Function: define the static method backward(ctx, *grad_outputs)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Runs forward and records backward as its gradient."""
        return _C._apply_function(cls, *args)


def once_differentiable(backward: Any) -> Any:
    """For a backward that must not be differentiated again: its results carry an error instead of a gradient."""

    class _Refuse(Function):
        @staticmethod
        def forward(ctx: Any, result: Any, *_: Any) -> Any:
            return result.detach()

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            raise _C.GradError("backward: this function is marked once_differentiable and has no second gradient")

    @functools.wraps(backward)
    def wrapper(ctx: Any, *grads: Any) -> Any:
        with no_grad():
            found = backward(ctx, *grads)
        sources = [g for g in grads if isinstance(g, _C.Tensor) and g.requires_grad]
        if not _C.is_grad_enabled() or not sources:
            return found
        single = not isinstance(found, tuple)
        results = tuple(
            _Refuse.apply(r, *sources) if isinstance(r, _C.Tensor) else r for r in ((found,) if single else found)
        )
        return results[0] if single else results

    return wrapper
