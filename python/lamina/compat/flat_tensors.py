"""torch._utils: tensors laid one behind the other, and sums along a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import lamina

from .._C import Tensor


def _flatten_dense_tensors(tensors: Sequence[Tensor]) -> Tensor:
    """All elements as one vector."""
    return lamina.cat([t.reshape(-1) for t in tensors]) if tensors else lamina.empty(0)


def _unflatten_dense_tensors(flat: Tensor, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Pieces of `flat` in the shapes of `tensors`, as views."""
    pieces, start = [], 0
    for t in tensors:
        pieces.append(flat[start : start + t.numel()].view(t.shape))
        start += t.numel()
    return tuple(pieces)


def _accumulate(iterable: Iterable[Any], fn: Any = lambda x, y: x + y) -> Iterator[Any]:
    import itertools

    return itertools.accumulate(iterable, fn)


def _get_device_index(device: Any, optional: bool = False, allow_cpu: bool = False) -> int:
    """The number of a device; -1 for the CPU where it is allowed."""
    if isinstance(device, int):
        return device
    if device is None and optional:
        return 0
    place = lamina.device(device)
    if place.type == "cpu":
        if allow_cpu:
            return -1
        raise ValueError(f"expected a CUDA device, got {device}")
    return place.index or 0
