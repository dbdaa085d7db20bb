"""torch.overrides: functions here do not ask their arguments for `__torch_function__`."""

from __future__ import annotations

from typing import Any, NoReturn

from .._C import Tensor


def has_torch_function(relevant_args: Any) -> bool:
    """False: no argument takes a call over."""
    return False


has_torch_function_unary = has_torch_function_variadic = lambda *args: False


def handle_torch_function(public_api: Any, relevant_args: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Refused: has_torch_function is False."""
    raise TypeError(f"{public_api}: lamina's functions do not ask for __torch_function__")


def is_tensor_like(inp: object) -> bool:
    """Whether it is a tensor."""
    return isinstance(inp, Tensor)


def resolve_name(f: Any) -> str | None:
    """The function's name."""
    return getattr(f, "__qualname__", getattr(f, "__name__", None))


class TorchFunctionMode:
    """A base class for programs to derive from; entering one is refused."""

    def __enter__(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: lamina's functions cannot be intercepted")

    def __exit__(self, *exc: object) -> None: ...
