"""EnergyMeter: joules from the processor's own counters (RAPL), or an estimate that says it is one."""

from __future__ import annotations

import os
import time

_ROOT = "/sys/class/powercap"
WATTS_PER_CORE = 10.0  # of a busy core of a server or desktop processor; what the estimate is made with


class EnergyMeter:
    """Energy in joules since it was made, of the whole machine's processors where they can be asked.

    `measured` tells whether the values come from RAPL counters under /sys/class/powercap (readable by root on most
    systems). Otherwise they are CPU seconds of this process times WATTS_PER_CORE: good to compare runs on one machine,
    no more. `source` says so in words. 3600 J are 1 Wh.

    >>> from lamina.training import EnergyMeter
    >>> meter = EnergyMeter()
    >>> meter.joules() >= 0.0
    True
    """

    def __init__(self, root: str = _ROOT) -> None:
        self._counters = [c for c in (_Counter.at(path) for path in _domains(root)) if c is not None]
        self._cpu = _cpu_seconds()
        self.measured = bool(self._counters)
        self.source = (
            f"energy: measured by RAPL ({', '.join(c.name for c in self._counters)})"
            if self.measured
            else f"energy: an estimate, CPU seconds x {WATTS_PER_CORE:g} W a core (no readable RAPL counters)"
        )

    def joules(self) -> float:
        """Joules so far."""
        if self.measured:
            return sum(counter.joules() for counter in self._counters)
        return (_cpu_seconds() - self._cpu) * WATTS_PER_CORE


class _Counter:
    """One RAPL domain: micro-joules that wrap around."""

    def __init__(self, path: str, name: str, most: int, now: int) -> None:
        self.path, self.name, self._most, self._last, self._sum = path, name, most, now, 0

    @classmethod
    def at(cls, path: str) -> _Counter | None:
        now, most = _number(path, "energy_uj"), _number(path, "max_energy_range_uj")
        return None if now is None or most is None else cls(path, _text(path, "name") or "package", most, now)

    def joules(self) -> float:
        now = _number(self.path, "energy_uj")
        if now is not None:
            self._sum += now - self._last if now >= self._last else now + self._most - self._last
            self._last = now
        return self._sum * 1e-6


def _domains(root: str) -> list[str]:
    """Whole packages only: intel-rapl:0, not its parts intel-rapl:0:1, which it contains."""
    try:
        names = sorted(os.listdir(root))
    except OSError:
        return []
    return [os.path.join(root, n) for n in names if n.startswith("intel-rapl:") and n.count(":") == 1]


def _text(path: str, name: str) -> str | None:
    try:
        with open(os.path.join(path, name), encoding="ascii") as file:
            return file.read().strip()
    except (OSError, ValueError):
        return None


def _number(path: str, name: str) -> int | None:
    text = _text(path, name)
    return int(text) if text is not None and text.isdigit() else None


def _cpu_seconds() -> float:
    return time.process_time()  # of all threads
