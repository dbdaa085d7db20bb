"""torch.profiler and torch.autograd.profiler: the wall time of named ranges. Operations are not recorded one by one."""

from __future__ import annotations

import enum
import functools
import json
import os
import time
from collections.abc import Callable
from typing import Any

_active: list[profile] = []


class ProfilerActivity(enum.Enum):
    """What a profile records; the CPU's time alone here."""

    CPU = 0
    CUDA = 1
    XPU = 2


class ProfilerAction(enum.Enum):
    """What a step of a schedule does."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


class Range:
    """One line of a table: how often a range ran, and how long, in microseconds."""

    def __init__(self, key: str, times: list[float]) -> None:
        self.key, self.count, self.cpu_time_total = key, len(times), 1e6 * sum(times)

    @property
    def cpu_time(self) -> float:
        return self.cpu_time_total / self.count

    def __repr__(self) -> str:
        return f"{self.key}: {self.count} x {self.cpu_time:.1f} us"


class Averages(list[Range]):
    """The ranges of a profile; str() and table() show them."""

    def table(self, sort_by: str | None = None, row_limit: int = 100, **kwargs: Any) -> str:
        rows = sorted(self, key=lambda row: -row.cpu_time_total) if sort_by else list(self)
        lines = [f"{'range (operations are not recorded)':40} {'calls':>8} {'total us':>12} {'each us':>12}"]
        lines += [f"{r.key:40} {r.count:8} {r.cpu_time_total:12.1f} {r.cpu_time:12.1f}" for r in rows[:row_limit]]
        return "\n".join(lines)

    __str__ = table


class record_function:
    """`with record_function("name"):` or as a decorator: its time goes to the profiles that run."""

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name

    def __enter__(self) -> record_function:
        self._start = time.perf_counter()
        return self

    def __exit__(self, *exc: object) -> None:
        end = time.perf_counter()
        for running in _active:
            running._ranges.append((self.name, self._start, end - self._start))

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name):
                return function(*args, **kwargs)

        return run


class profile:
    """Records the ranges that `record_function` names while it runs, and its steps.

    The arguments of PyTorch's are accepted; `on_trace_ready(self)` is called at the end.
    """

    def __init__(
        self,
        *args: Any,
        activities: Any = None,
        schedule: Any = None,
        on_trace_ready: Callable[[Any], Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self._ranges: list[tuple[str, float, float]] = []
        self._ready = on_trace_ready
        self.step_num = 0

    def start(self) -> None:
        _active.append(self)
        self._started = time.perf_counter()

    def stop(self) -> None:
        if self in _active:
            _active.remove(self)
            if self._ready is not None:
                self._ready(self)

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def step(self) -> None:
        """The end of a step, which is a range of its own."""
        now = time.perf_counter()
        self._ranges.append((f"ProfilerStep#{self.step_num}", self._started, now - self._started))
        self._started, self.step_num = now, self.step_num + 1

    def key_averages(self, *args: Any, **kwargs: Any) -> Averages:
        """One line for each name."""
        times: dict[str, list[float]] = {}
        for name, _, length in self._ranges:
            times.setdefault(name, []).append(length)
        return Averages(Range(name, each) for name, each in times.items())

    def export_chrome_trace(self, path: str) -> None:
        """Writes the ranges as a JSON file that chrome://tracing reads."""
        events = [
            {"name": name, "ph": "X", "ts": 1e6 * start, "dur": 1e6 * length, "pid": os.getpid(), "tid": 0}
            for name, start, length in self._ranges
        ]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"traceEvents": events}, file)


def schedule(*, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0) -> Callable[[int], Any]:
    """A function of the step's number that says what to do in it, as PyTorch's."""
    length = wait + warmup + active

    def action(step: int) -> ProfilerAction:
        step -= skip_first
        if step < 0 or (repeat and step >= repeat * length) or step % length < wait:
            return ProfilerAction.NONE
        place = step % length - wait
        if place < warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD_AND_SAVE if place == warmup + active - 1 else ProfilerAction.RECORD

    return action


def tensorboard_trace_handler(dir_name: str, worker_name: str | None = None, use_gzip: bool = False) -> Any:
    """For on_trace_ready: writes a trace into that folder."""

    def write(finished: profile) -> None:
        os.makedirs(dir_name, exist_ok=True)
        finished.export_chrome_trace(os.path.join(dir_name, f"{worker_name or os.getpid()}.pt.trace.json"))

    return write
