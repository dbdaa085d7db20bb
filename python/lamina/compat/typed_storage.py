"""Tensor.storage(), PyTorch's older view of the memory behind a tensor."""

from __future__ import annotations

from .. import _C
from .._C import Tensor


class TypedStorage:
    """The memory that views share, as a row of elements of one dtype; read only.

    >>> import lamina
    >>> memory = lamina.arange(6.0)[2:].storage()
    >>> len(memory), memory.dtype, memory.nbytes()
    (6, lamina.float32, 24)
    """

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = tensor.detach()
        self.dtype, self.device = tensor.dtype, tensor.device

    def nbytes(self) -> int:
        return int(self.untyped().nbytes())

    def size(self) -> int:
        """Elements, not bytes."""
        return self.nbytes() // self.element_size()

    __len__ = size

    def element_size(self) -> int:
        return int(self._tensor.element_size())

    def data_ptr(self) -> int:
        return int(self.untyped().data_ptr())

    def untyped(self) -> _C.UntypedStorage:
        memory: _C.UntypedStorage = self._tensor.untyped_storage()
        return memory

    def tolist(self) -> list[float]:
        values: list[float] = self._tensor.as_strided((self.size(),), (1,), 0).tolist()
        return values
