"""torch.futures: a value that comes later, from a thread or a callback."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Future(Generic[T]):
    """A place for a value: set once by `set_result` or `set_exception`, read by `wait` or `value`."""

    def __init__(self, *, devices: Any = None) -> None:
        self._future: concurrent.futures.Future[T] = concurrent.futures.Future()

    def done(self) -> bool:
        return self._future.done()

    def wait(self) -> T:
        """Waits for the value, and raises what was set instead of one."""
        return self._future.result()

    def value(self) -> T:
        """The value; RuntimeError before there is one."""
        if not self.done():
            raise RuntimeError("Future.value: there is no value yet; wait() waits for it")
        return self._future.result()

    def set_result(self, result: T) -> None:
        """RuntimeError where there is a value already."""
        if self.done():
            raise RuntimeError("Future.set_result: there is a value already, and it stays")
        self._future.set_result(result)

    def set_exception(self, result: BaseException) -> None:
        """`wait` and `value` raise it."""
        self._future.set_exception(result)

    def add_done_callback(self, callback: Callable[[Future[T]], None]) -> None:
        """callback(self) runs once the value is there."""
        self._future.add_done_callback(lambda _: callback(self))

    def then(self, callback: Callable[[Future[T]], Any]) -> Future[Any]:
        """A Future of what callback(self) returns."""
        later: Future[Any] = Future()

        def run(_: Any) -> None:
            try:
                later.set_result(callback(self))
            except Exception as error:
                later.set_exception(error)

        self._future.add_done_callback(run)
        return later


def collect_all(futures: Sequence[Future[Any]]) -> Future[list[Future[Any]]]:
    """A Future of the given ones, done when all of them are."""
    import threading

    every: Future[list[Future[Any]]] = Future()
    left, lock = [len(futures)], threading.Lock()

    def one_less(_: Any) -> None:
        with lock:
            left[0] -= 1
            last = left[0] == 0
        if last:
            every.set_result(list(futures))

    for future in futures:
        future.add_done_callback(one_less)
    if not futures:
        every.set_result([])
    return every


def wait_all(futures: Sequence[Future[Any]]) -> list[Any]:
    """The values of all, in order."""
    return [future.wait() for future in futures]
