"""SDPBackend and sdpa_kernel: which kernel scaled_dot_product_attention takes. There is one, so they change nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum


class SDPBackend(Enum):
    """PyTorch's kernels of scaled_dot_product_attention."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextmanager
def sdpa_kernel(backends: SDPBackend | Sequence[SDPBackend], set_priority: bool = False) -> Iterator[None]:
    """A context, or a decorator, that changes nothing: one exact kernel with O(T) memory serves all calls.

    >>> import lamina
    >>> from lamina.nn.attention import SDPBackend, sdpa_kernel
    >>> x = lamina.ones(1, 2, 3)
    >>> with sdpa_kernel([SDPBackend.FLASH_ATTENTION, SDPBackend.MATH]):
    ...     lamina.nn.functional.scaled_dot_product_attention(x, x, x).shape
    (1, 2, 3)
    """
    listed = [backends] if isinstance(backends, SDPBackend) else backends
    if not isinstance(listed, (list, tuple)) or not all(isinstance(b, SDPBackend) for b in listed):
        raise TypeError(f"sdpa_kernel: expected a SDPBackend or a list of them, got {backends!r}")
    yield
