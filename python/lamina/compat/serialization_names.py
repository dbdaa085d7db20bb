"""Names of torch.serialization for annotations; lists of safe classes, which change nothing: load executes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import IO, Any

DEFAULT_PROTOCOL = 2
FILE_LIKE = str | os.PathLike[str] | IO[bytes]
MAP_LOCATION = Callable[[Any, str], Any] | str | dict[str, str] | None


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Changes nothing: load makes no objects of classes that a file names."""


def get_safe_globals() -> list[Any]:
    """Empty."""
    return []


def clear_safe_globals() -> None:
    """Changes nothing."""


class safe_globals:
    """A block that changes nothing: load makes no objects of classes that a file names."""

    def __init__(self, safe_globals: list[Any]) -> None: ...

    def __enter__(self) -> None: ...

    def __exit__(self, *exc: object) -> None: ...
