"""torch.multiprocessing: Python's own. Tensors travel by value, no memory is shared between processes."""

from __future__ import annotations

import multiprocessing as _python
from collections.abc import Callable
from multiprocessing import *  # noqa: F403
from typing import Any

__all__ = [name for name in dir(_python) if not name.startswith("_")]
__all__ += ["ProcessRaisedException", "get_all_sharing_strategies", "get_sharing_strategy", "spawn", "start_processes"]


class ProcessRaisedException(Exception):
    """A process that spawn started failed."""

    def __init__(self, msg: str, error_index: int = 0, error_pid: int = 0) -> None:
        super().__init__(msg)
        self.error_index, self.error_pid = error_index, error_pid


def get_all_sharing_strategies() -> set[str]:
    """Empty: tensors are copied."""
    return set()


def get_sharing_strategy() -> str:
    """'copy'."""
    return "copy"


def set_sharing_strategy(new_strategy: str) -> None:
    """Changes nothing: tensors are copied between processes."""


def start_processes(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> list[Any] | None:
    """Runs fn(i, *args) in nprocs processes; waits unless join=False, and raises where one of them failed."""
    context: Any = _python.get_context(start_method)
    processes = [context.Process(target=fn, args=(i, *args), daemon=daemon) for i in range(nprocs)]
    for process in processes:
        process.start()
    if not join:
        return processes
    for i, process in enumerate(processes):
        process.join()
        if process.exitcode:
            raise ProcessRaisedException(f"spawn: process {i} ended with {process.exitcode}", i, process.pid or 0)
    return None


def spawn(
    fn: Callable[..., Any], args: tuple[Any, ...] = (), nprocs: int = 1, join: bool = True, daemon: bool = False
) -> list[Any] | None:
    """start_processes with fresh interpreters."""
    return start_processes(fn, args, nprocs, join, daemon, "spawn")
