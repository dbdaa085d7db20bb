"""Parameter: a Tensor that a Module registers as trainable."""

from __future__ import annotations

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
