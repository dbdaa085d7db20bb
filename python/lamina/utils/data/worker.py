"""The threads of a DataLoader, and what code that runs in one may ask about it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

_here = threading.local()


@dataclass(frozen=True)
class WorkerInfo:
    """Number of this worker, how many there are, its seed (the loader's plus the number) and the dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


def get_worker_info() -> WorkerInfo | None:
    """About the worker thread that runs this code; None in the main thread.

    >>> from lamina.utils.data import get_worker_info
    >>> get_worker_info() is None
    True
    """
    found: WorkerInfo | None = getattr(_here, "info", None)
    return found


class Workers:
    """A pool of threads; each runs worker_init_fn(its number) once, and what that raises comes out as from fetch."""

    def __init__(self, threads: int, init: Callable[[int], None] | None, dataset: Any, seed: int) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self._pool = ThreadPoolExecutor(threads, "lamina-data")
        self._run = _runner(threads, init, dataset, seed)

    def submit(self, fetch: Callable[[Any], Any], item: Any) -> Any:
        return self._pool.submit(self._run, fetch, item)

    def stop(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def _runner(threads: int, init: Callable[[int], None] | None, dataset: Any, seed: int) -> Callable[..., Any]:
    """Not a method: a waiting thread must not keep the pool alive."""
    numbers = count()

    def run(fetch: Callable[[Any], Any], item: Any) -> Any:
        if getattr(_here, "owner", None) is not numbers:
            number = next(numbers)
            _here.info = WorkerInfo(number, threads, (seed + number) % 2**63, dataset)
            if init is not None:
                init(number)
            _here.owner = numbers
        return fetch(item)

    return run
