"""Names of torch.optim.optimizer that optimizers of others import."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from typing import Any

from .._C import Tensor
from .._grad_mode import no_grad

ParamsT = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]
_params_t = params_t = ParamsT


class _Required:
    """Stands where a setting has no default."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


def _use_grad_for_differentiable(func: Callable[..., Any]) -> Callable[..., Any]:
    """A step that records nothing."""

    @functools.wraps(func)
    def run(*args: Any, **kwargs: Any) -> Any:
        with no_grad():
            return func(*args, **kwargs)

    return run


def _get_value(x: Any) -> Any:
    return x.item() if isinstance(x, Tensor) else x


def _stack_if_compiling(x: Any) -> Any:
    return x


def _dispatch_sqrt(x: Any) -> Any:
    return x.sqrt() if isinstance(x, Tensor) else math.sqrt(x)


def _view_as_real(params: list[Tensor], *state_and_grads: list[Tensor]) -> None:
    """Changes nothing: there are no complex parameters."""
