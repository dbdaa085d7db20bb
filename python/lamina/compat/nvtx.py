"""torch.cuda.nvtx: marks for a profiler of the driver; none listens, and they write nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


def mark(msg: str) -> None:
    """Writes nothing."""


def range_push(msg: str) -> int:
    """Writes nothing; -1, as where no profiler runs."""
    return -1


def range_pop() -> int:
    """Writes nothing; -1."""
    return -1


@contextmanager
def range(msg: str, *args: object, **kwargs: object) -> Iterator[None]:
    """Writes nothing."""
    yield
