"""Ctrl-C during a run: not in the middle of a step, so that what is saved then can be gone on with."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interrupts:
    """As a context manager it takes SIGINT over, where that is Python's own and this is the main thread.

    Within `whole()` the first Ctrl-C waits for the end of the block, a second one does not; `safe` tells afterwards
    whether a KeyboardInterrupt came at a point where the run's state is whole.
    """

    def __init__(self) -> None:
        self._inside = self._waiting = False
        self._before: Any = None
        self.safe = True

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
                self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._inside and not self._waiting:
            self._waiting = True
            return
        raise KeyboardInterrupt

    @contextmanager
    def whole(self) -> Iterator[None]:
        """A block that Ctrl-C does not break in two."""
        self._inside, self.safe = True, False  # in this order: a signal in between waits
        try:
            yield
        except BaseException:
            self._inside = False
            raise
        self.safe, self._inside = True, False
        if self._waiting:
            self._waiting = False
            raise KeyboardInterrupt
