"""Names of torch.cuda beyond lamina.cuda's: one device, one stream, and what only makes sense where there is a device."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from .. import _C, cuda
from ..random import get_rng_state as _get_state
from ..random import initial_seed as initial_seed
from ..random import seed as _seed
from ..random import set_rng_state as _set_state


def _index(device: Any) -> int:
    if device is None:
        return 0
    if isinstance(device, int):
        return device
    return _C.device(device).index or 0


def _need(what: str, device: Any = None) -> int:
    """The device's number; DeviceError where there is none such."""
    number = _index(device)
    if not 0 <= number < cuda.device_count():
        reason = cuda.status() if not cuda.is_available() else f"there are {cuda.device_count()} devices"
        raise _C.DeviceError(f"cuda.{what}: no device {number}: {reason}")
    return number


def init() -> None:
    """DeviceError where there is no device."""
    _need("init")


_lazy_init = init
_initialized = cuda.is_initialized()


def _is_in_bad_fork() -> bool:
    return False


def _lazy_call(callable: Callable[[], Any], **kwargs: Any) -> None:
    callable()


def current_device() -> int:
    """0, the one device in use; DeviceError where there is none."""
    return _need("current_device")


def set_device(device: Any) -> None:
    """DeviceError but for the device in use, number 0."""
    if _need("set_device", device):
        raise _C.DeviceError(f"cuda.set_device: lamina uses device 0, got {device}")


class device:
    """`with cuda.device(0):` changes nothing; DeviceError for a device that is not there. None and -1 are no device."""

    def __init__(self, device: Any) -> None:
        self.idx = -1 if device is None else _index(device)
        if self.idx >= 0:
            set_device(device)

    def __enter__(self) -> None: ...

    def __exit__(self, *exc: object) -> None: ...


class device_of(device):
    """The device of a tensor, none for the CPU's."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj.device if obj.device.type == "cuda" else None)


def get_device_name(device: Any = None) -> str:
    """What the plug-in says of the device."""
    _need("get_device_name", device)
    return cuda.status()


def _unknown(name: str) -> Callable[..., NoReturn]:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        _need(name)
        raise NotImplementedError(f"cuda.{name}: the plug-in does not tell; cuda.status() says what it knows")

    refuse.__name__ = refuse.__qualname__ = name
    return refuse


get_device_capability, get_device_properties, mem_get_info, utilization = map(
    _unknown, ("get_device_capability", "get_device_properties", "mem_get_info", "utilization")
)


def get_arch_list() -> list[str]:
    """Empty: lamina itself holds no CUDA code."""
    return []


def can_device_access_peer(device: Any, peer_device: Any) -> bool:
    """False: one device is in use."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether there is a device: bfloat16 is computed as float32."""
    return cuda.is_available()


def is_current_stream_capturing() -> bool:
    """False."""
    return False


class Stream:
    """The one stream of the device; work is in order."""

    def __init__(self, device: Any = None, priority: int = 0) -> None:
        _need("Stream", device)

    def synchronize(self) -> None:
        cuda.synchronize()

    def wait_stream(self, stream: Any) -> None: ...

    def wait_event(self, event: Any) -> None: ...

    def query(self) -> bool:
        return True

    def record_event(self, event: Any = None) -> Any:
        event = event or Event()
        event.record()
        return event


def current_stream(device: Any = None) -> Stream:
    """The one stream; DeviceError where there is no device."""
    return Stream(device)


default_stream = current_stream


def set_stream(stream: Any) -> None:
    """Changes nothing: there is one stream."""


@contextmanager
def stream(stream: Any) -> Iterator[None]:
    """Changes nothing: there is one stream; None is allowed."""
    yield


class Event:
    """A moment after all work so far; times are taken by waiting for the device."""

    def __init__(self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False) -> None:
        self._time: float | None = None

    def record(self, stream: Any = None) -> None:
        _need("Event.record")
        cuda.synchronize()
        self._time = time.perf_counter()

    def synchronize(self) -> None: ...

    def wait(self, stream: Any = None) -> None: ...

    def query(self) -> bool:
        return True

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds between two recorded events."""
        if self._time is None or end_event._time is None:
            raise ValueError("cuda.Event.elapsed_time: both events must be recorded")
        return 1e3 * (end_event._time - self._time)


class CUDAGraph:
    """No object is one: work is not captured."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("cuda.CUDAGraph: lamina captures no work")


graph = CUDAGraph


def get_rng_state(device: Any = None) -> Any:
    """The state of the one generator that serves all devices."""
    return _get_state()


def set_rng_state(new_state: Any, device: Any = None) -> None:
    """Sets the one generator that serves all devices."""
    _set_state(new_state)


def get_rng_state_all() -> list[Any]:
    """One state a device."""
    return [_get_state() for _ in range(cuda.device_count())]


def set_rng_state_all(new_states: Iterable[Any]) -> None:
    """Sets the one generator, once a device."""
    for state in new_states:
        _set_state(state)


def seed() -> None:
    """A random seed for the one generator."""
    _seed()


seed_all = seed
