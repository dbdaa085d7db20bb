"""torch._assert, torch._check and their kin: conditions with a message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _assert(condition: Any, message: str) -> None:
    """AssertionError unless the condition is true."""
    assert condition, message


def _assert_async(condition: Any, message: str = "") -> None:
    """RuntimeError unless the one-element tensor is true, at once."""
    _fail(RuntimeError, bool(condition), message or "expected a value that is not zero")


def _fail(error: type[Exception], condition: bool, message: str | Callable[[], Any] | None) -> None:
    if not condition:
        raise error(str(message() if callable(message) else message or "expected cond to be True, but got False"))


def _check(cond: bool, message: Callable[[], Any] | None = None) -> None:
    """RuntimeError unless cond."""
    _fail(RuntimeError, cond, message)


def _check_index(cond: bool, message: Callable[[], Any] | None = None) -> None:
    """IndexError unless cond."""
    _fail(IndexError, cond, message)


def _check_value(cond: bool, message: Callable[[], Any] | None = None) -> None:
    """ValueError unless cond."""
    _fail(ValueError, cond, message)


def _check_type(cond: bool, message: Callable[[], Any] | None = None) -> None:
    """TypeError unless cond."""
    _fail(TypeError, cond, message)


def _check_is_size(i: int, message: Callable[[], Any] | None = None, *, max: int | None = None) -> None:
    """RuntimeError unless 0 <= i, and i <= max where it is given."""
    _fail(RuntimeError, i >= 0 and (max is None or i <= max), message)


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """False: results are always the same bits, nothing warns."""
    return False
