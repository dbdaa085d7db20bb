"""Sizes of layers: whole numbers, one number or one per dim, shapes; refused with the argument's name."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

Sizes = int | tuple[int, ...]


def whole(layer: str, name: str, value: Any) -> int:
    """The argument as an int: ints, NumPy's and tensors of one; TypeError for the rest."""
    try:
        if not isinstance(value, bool):
            return operator.index(value)
    except (TypeError, ValueError):
        pass
    hint = f"; hint: {name}={int(value)}" if isinstance(value, float) and value.is_integer() else ""
    raise TypeError(f"{layer}: {name} must be an int, got {value!r}{hint}")


def shape_of(layer: str, name: str, value: Any) -> tuple[int, ...]:
    """An int or a sequence of ints as a shape."""
    if _is_sequence(value):
        return tuple(whole(layer, name, n) for n in value)
    return (whole(layer, name, value),)


def each(value: Any, rank: int, layer: str, name: str) -> tuple[int, ...]:
    """3 in rank 2 -> (3, 3), and so is [3] where sizes of a kernel's steps are meant; (3, 5) stays."""
    sizes = shape_of(layer, name, value)
    if not _is_sequence(value) or (len(sizes) == 1 and name != "kernel_size"):
        return sizes * rank
    if len(sizes) != rank:
        raise ValueError(f"{layer}: {name} must be one number or {rank}, got {value!r}")
    return sizes


def _is_sequence(value: Any) -> bool:
    """Numbers may be arrays and tensors without a dim."""
    return isinstance(value, Iterable) and not isinstance(value, str) and getattr(value, "shape", None) != ()
