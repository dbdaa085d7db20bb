"""Parameter: a Tensor that a Module registers as trainable."""

from __future__ import annotations

from .._C import Tensor


class Parameter(Tensor):
    """A tensor that becomes part of `Module.parameters()` when it is set as an attribute.

    It shares the memory of `data` and requires a gradient unless told otherwise.

    >>> import lamina
    >>> lamina.nn.Parameter(lamina.zeros(2)).requires_grad
    True
    """

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad=requires_grad)

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()
