"""torch.utils._foreach_utils: lists of tensors taken apart by device and dtype."""

from __future__ import annotations

from typing import Any

from .._C import Tensor


def _group_tensors_by_device_and_dtype(
    tensorlistlist: list[list[Tensor | None]], with_indices: bool = False
) -> dict[tuple[Any, Any], tuple[list[list[Tensor | None]], list[int]]]:
    """{(device, dtype of the first list): (the lists cut down to it, places)}; places are empty unless asked for."""
    groups: dict[tuple[Any, Any], tuple[list[list[Tensor | None]], list[int]]] = {}
    for place, row in enumerate(zip(*tensorlistlist, strict=True)):
        first = row[0]
        if first is None:
            raise ValueError("_group_tensors_by_device_and_dtype: the first list holds tensors alone")
        lists, places = groups.setdefault((first.device, first.dtype), ([[] for _ in tensorlistlist], []))
        for target, tensor in zip(lists, row, strict=True):
            target.append(tensor)
        if with_indices:
            places.append(place)
    return groups


def _get_foreach_kernels_supported_devices() -> list[str]:
    return ["cpu", "cuda"]


_get_fused_kernels_supported_devices = _get_foreach_kernels_supported_devices


def _has_foreach_support(tensors: list[Tensor | None], device: Any) -> bool:
    return all(t is None or isinstance(t, Tensor) for t in tensors)
