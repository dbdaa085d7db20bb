"""Anomaly mode: NaN in a backward names the forward operation and where it ran."""

from __future__ import annotations

from .. import _C
from .._grad_mode import _Mode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._grad_mode import F


class set_detect_anomaly(_Mode):
    """Turns anomaly mode on or off, at once and as a context manager."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = _C.is_anomaly_enabled()
        self.mode = bool(mode)
        _C._set_anomaly_enabled(self.mode)

    def __enter__(self) -> None:
        _C._set_anomaly_enabled(self.mode)

    def __exit__(self, *exc: object) -> None:
        _C._set_anomaly_enabled(self.before)

    def _again(self) -> set_detect_anomaly:
        return set_detect_anomaly(self.mode)

    def __call__(self, function: F) -> F:
        _C._set_anomaly_enabled(self.before)  # as a decorator it must not change the mode here
        return super().__call__(function)


class detect_anomaly(_Mode):
    """Anomaly mode for a block: every operation remembers its traceback, and NaN gradients raise with it. Slow."""

    def __init__(self, check_nan: bool = True) -> None:
        self.before = False

    def __enter__(self) -> None:
        self.before = _C.is_anomaly_enabled()
        _C._set_anomaly_enabled(True)

    def __exit__(self, *exc: object) -> None:
        _C._set_anomaly_enabled(self.before)
