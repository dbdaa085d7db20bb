"""torch.nn.parallel.scatter_gather where there is one device: what is scattered is one part, what is gathered was one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lamina

from .._C import Tensor
from ..utils._pytree import flatten, unflatten


def _one(what: str, devices: Sequence[Any]) -> Any:
    if len(devices) != 1:
        raise ValueError(f"{what}: one device at a time, got {len(devices)}")
    return devices[0]


def scatter(inputs: Any, target_gpus: Sequence[Any], dim: int = 0) -> list[Any]:
    """[inputs] with its tensors on the one device given; ValueError for more."""
    place = _one("scatter", target_gpus)
    leaves, spec = flatten(inputs)
    return [unflatten([leaf.to(place) if isinstance(leaf, Tensor) else leaf for leaf in leaves], spec)]


def scatter_kwargs(
    inputs: tuple[Any, ...], kwargs: dict[str, Any] | None, target_gpus: Sequence[Any], dim: int = 0
) -> tuple[tuple[Any, ...], tuple[dict[str, Any], ...]]:
    """((args,), (kwargs,)) with their tensors on the one device given."""
    return tuple(scatter(inputs, target_gpus, dim)), tuple(scatter(kwargs or {}, target_gpus, dim))


def gather(outputs: Sequence[Any], target_device: Any, dim: int = 0) -> Any:
    """Tensors of several parts joined along `dim`, on that device."""
    return lamina.cat([part.to(target_device) for part in outputs], dim)
