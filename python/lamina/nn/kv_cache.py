"""Keys and values of the steps that a decoder has seen, so that each new step computes its own alone."""

from __future__ import annotations

from typing import Any

from .. import _C
from .._C import Tensor
from .._grad_mode import no_grad


class KVCache:
    """Memory for keys and values of attention, allocated once: append (N, H, T, D) -> all so far, (N, H, length, D).

    batch_size N, num_heads H (those of keys and values), max_length and head_dim D give the memory, which never moves.
    What append returns are views of it, valid until reset or reorder. It is for inference: keys that need a gradient
    are refused.

    >>> import lamina
    >>> cache = lamina.nn.KVCache(2, 4, 16, 8)
    >>> with lamina.no_grad():
    ...     for _ in range(3):
    ...         keys, values = cache.append(lamina.randn(2, 4, 1, 8), lamina.randn(2, 4, 1, 8))
    >>> keys.shape, cache.length
    ((2, 4, 3, 8), 3)
    """

    def __init__(
        self, batch_size: int, num_heads: int, max_length: int, head_dim: int, dtype: Any = None, device: Any = None
    ) -> None:
        shape = (batch_size, num_heads, max_length, head_dim)
        if any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for n in shape):
            raise ValueError(f"KVCache: batch_size, num_heads, max_length, head_dim must be counts, got {shape}")
        self._keys, self._values = (_C.zeros(shape, dtype=dtype, device=device) for _ in range(2))
        self._length = 0

    @property
    def length(self) -> int:
        """How many steps are held."""
        return self._length

    @property
    def max_length(self) -> int:
        """How many steps there is room for."""
        return int(self._keys.shape[2])

    @property
    def keys(self) -> Tensor:
        """All keys so far: (N, H, length, D), a view."""
        return self._keys[:, :, : self._length]

    @property
    def values(self) -> Tensor:
        """All values so far: (N, H, length, D), a view."""
        return self._values[:, :, : self._length]

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Adds T steps, (N, H, T, D) each, and returns all keys and values so far.

        Raises ShapeError for another shape, ValueError when max_length is exceeded, GradError for tensors that need a
        gradient; after an error the cache is as it was.
        """
        n, heads, room, dim = self._keys.shape
        for what, given in (("key", key), ("value", value)):
            if not isinstance(given, Tensor):
                raise TypeError(f"KVCache.append: {what} must be a Tensor, got {type(given).__name__}")
            shape = tuple(given.shape)
            if len(shape) != 4 or (shape[0], shape[1], shape[3]) != (n, heads, dim) or shape[2] != key.shape[2]:
                raise _C.ShapeError(
                    f"KVCache.append: {what} has shape {shape}, expected ({n}, {heads}, T, {dim}) with one T for both"
                )
            if given.dtype != self._keys.dtype:
                raise _C.DtypeError(f"KVCache.append: {what} is {given.dtype}, the cache is {self._keys.dtype}")
            if given.requires_grad and _C.is_grad_enabled():
                raise _C.GradError(f"KVCache.append: {what} needs a gradient; decode under lamina.no_grad()")
        end = self._length + int(key.shape[2])
        if end > room:
            raise ValueError(f"KVCache.append: step {end} is beyond max_length {room}; {self._length} steps are held")
        with no_grad():
            self._keys[:, :, self._length : end].copy_(key)
            self._values[:, :, self._length : end].copy_(value)
        self._length = end
        return self.keys, self.values

    def reset(self, length: int = 0) -> None:
        """Forgets all steps, or all but the first `length`."""
        if not 0 <= length <= self._length:
            raise ValueError(f"KVCache.reset: length must be between 0 and the {self._length} held, got {length}")
        self._length = length

    def reorder(self, index: Tensor) -> None:
        """Row i becomes the former row index[i], int64 (N',): what beam search does with its survivors.

        As many rows as before are copied in place; another number gets new memory.
        """
        if not isinstance(index, Tensor) or index.dim() != 1 or index.dtype != _C.int64:
            raise TypeError("KVCache.reorder: index must be an int64 Tensor (N',) of row numbers")
        with no_grad():
            chosen = [held.index_select(0, index) for held in (self.keys, self.values)]
            if index.numel() != self._keys.shape[0]:
                shape = (index.numel(), *self._keys.shape[1:])
                self._keys, self._values = (self._keys.new_zeros(shape) for _ in range(2))
            self.keys.copy_(chosen[0])
            self.values.copy_(chosen[1])

    def __repr__(self) -> str:
        n, heads, room, dim = self._keys.shape
        return f"KVCache({n}, {heads}, {room}, {dim}, length={self._length}, dtype={self._keys.dtype})"
