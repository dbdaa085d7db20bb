"""Parameter: a Tensor that a Module registers as trainable."""

from __future__ import annotations

from typing import Any

from .. import _C
from .._C import Tensor


class Parameter(Tensor):
    """A tensor that becomes part of `Module.parameters()` when it is set as an attribute.

    It shares the memory of `data` and requires a gradient unless told otherwise.

    >>> import lamina
    >>> lamina.nn.Parameter(lamina.zeros(2)).requires_grad
    True
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        self = super().__new__(cls, _C.empty(0) if data is None else data)
        self.requires_grad_(requires_grad)
        return self

    def __repr__(self) -> str:
        text: str = super().__repr__()
        return "Parameter containing:\n" + text


class _BufferType(type(Tensor)):  # type: ignore[misc]
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and bool(getattr(instance, "_is_buffer", False))


class Buffer(Tensor, metaclass=_BufferType):
    """A tensor that becomes a buffer when it is set as an attribute of a Module; in its state_dict when persistent.

    What it gives is a Tensor on the memory of `data`, with a mark; `isinstance(x, nn.Buffer)` looks at the mark.

    >>> import lamina
    >>> net = lamina.nn.Module()
    >>> net.mean = lamina.nn.Buffer(lamina.zeros(2))
    >>> list(net.state_dict())
    ['mean']
    """

    _is_buffer: bool
    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Buffer:
        made: Any = _C.empty(0) if data is None else data.detach()
        if data is not None and data.requires_grad:
            made.requires_grad_()
        made.persistent, made._is_buffer = persistent, True
        return made  # type: ignore[no-any-return]


def __getattr__(name: str) -> object:
    from .._missing import later

    return later(__name__, name)
