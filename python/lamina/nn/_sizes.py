"""Sizes given as one number or one per dim."""

from __future__ import annotations

from collections.abc import Iterable

Sizes = int | tuple[int, ...]


def each(value: int | Iterable[int], rank: int) -> tuple[int, ...]:
    """each(3, 2) -> (3, 3); each((3, 5), 2) stays."""
    sizes = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(sizes) != rank:
        raise ValueError(f"expected one number or {rank}, got {value!r}")
    return sizes
