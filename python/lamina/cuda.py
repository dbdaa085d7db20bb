"""What CUDA consists of here. The plug-in library is looked for when one of these is first called."""

from __future__ import annotations

from . import _C

__path__: list[str] = []  # lamina.cuda.amp is lamina.amp


def is_available() -> bool:
    """True where the plug-in, a driver and a device are there.

    >>> import lamina
    >>> isinstance(lamina.cuda.is_available(), bool)
    True
    """
    return _C._cuda_device_count() > 0


def device_count() -> int:
    """Number of CUDA devices, 0 where there are none."""
    return _C._cuda_device_count()


def status() -> str:
    """One line: the devices and the plug-in, or why there is no CUDA."""
    return _C._cuda_status()


def synchronize(device: int = 0) -> None:
    """Waits for the device's work and raises what failed in it."""
    _C._cuda_synchronize(device)


def manual_seed(seed: int) -> None:
    """Changes nothing: one generator serves all devices, and `lamina.manual_seed` seeds it."""


def manual_seed_all(seed: int) -> None:
    """Changes nothing: one generator serves all devices, and `lamina.manual_seed` seeds it."""


def empty_cache() -> None:
    """Changes nothing: the memory of dead tensors serves the next ones."""


def is_initialized() -> bool:
    """Whether CUDA is in use, which it is where there is a device."""
    return is_available()


def ipc_collect() -> None:
    """Changes nothing: no memory is shared with other processes."""


def memory_allocated(device: object = None) -> int:
    """0: the plug-in does not count memory; the functions below say the same.

    >>> import lamina
    >>> lamina.cuda.memory_allocated(), lamina.cuda.max_memory_allocated(), lamina.cuda.memory_stats()
    (0, 0, {})
    """
    return 0


def max_memory_allocated(device: object = None) -> int:
    """0: see memory_allocated."""
    return 0


def memory_reserved(device: object = None) -> int:
    """0: see memory_allocated."""
    return 0


def max_memory_reserved(device: object = None) -> int:
    """0: see memory_allocated."""
    return 0


memory_cached, max_memory_cached = memory_reserved, max_memory_reserved  # the older names


def reset_peak_memory_stats(device: object = None) -> None:
    """Changes nothing: see memory_allocated."""


reset_max_memory_allocated = reset_max_memory_cached = reset_peak_memory_stats  # the older names


def memory_stats(device: object = None) -> dict[str, int]:
    """Empty: see memory_allocated."""
    return {}


def memory_summary(device: object = None, abbreviated: bool = False) -> str:
    """One line that says so: see memory_allocated."""
    return f"{status()}; memory is not counted"


def __getattr__(name: str) -> object:
    if name == "amp":  # torch.cuda.amp, the older place of autocast and GradScaler
        from . import amp

        return amp
    from ._missing import later

    return later(__name__, name)
