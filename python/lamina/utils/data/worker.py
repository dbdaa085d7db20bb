"""The threads of a DataLoader, and what code that runs in one may ask about it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .streams import Redirects, drawn, seeded

_here = threading.local()


@dataclass(frozen=True)
class WorkerInfo:
    """Number of this worker, how many there are, its seed in this pass (the pass's own plus the number), the dataset."""

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
    """Threads of which the first takes the batches 0, n, 2n ..., the second 1, n + 1 ...: the same ones in each run.

    Each runs worker_init_fn(its number) once, with its seed for the default generator; what that raises comes out as
    from fetch.
    """

    def __init__(self, threads: int, init: Callable[[int], None] | None, dataset: Any) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self._pools = [ThreadPoolExecutor(1, f"lamina-data-{i}") for i in range(threads)]
        self._runners = [_runner(init) for _ in range(threads)]
        self._dataset = dataset
        self._infos: list[WorkerInfo] = []

    def begin(self, seed: int) -> None:
        """A pass begins, with this seed."""
        count = len(self._pools)
        self._infos = [WorkerInfo(i, count, (seed + i) % 2**63, self._dataset) for i in range(count)]

    def submit(self, number: int, redirects: Redirects, fetch: Callable[[Any], Any], item: Any) -> Any:
        """A future of fetch(item), whose random numbers come from the redirections."""
        which = number % len(self._pools)
        return self._pools[which].submit(self._runners[which], self._infos[which], redirects, fetch, item)

    def stop(self) -> None:
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)


def _runner(init: Callable[[int], None] | None) -> Callable[..., Any]:
    """Not a method: a waiting thread must not keep the pools alive."""
    ready = False

    def run(info: WorkerInfo, redirects: Redirects, fetch: Callable[[Any], Any], item: Any) -> Any:
        nonlocal ready
        _here.info = info
        if not ready and init is not None:
            drawn(seeded(info.seed), init, info.id)
        ready = True
        return drawn(redirects, fetch, item)

    return run
