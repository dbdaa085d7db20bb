"""torch.accelerator: the device beside the CPU, which is CUDA's where the plug-in finds one."""

from __future__ import annotations

from typing import Any

from .. import _C, cuda
from . import cuda_names

is_available, device_count, synchronize, empty_cache = (
    cuda.is_available,
    cuda.device_count,
    cuda.synchronize,
    cuda.empty_cache,
)
current_device_index = current_device_idx = cuda_names.current_device
set_device_index = set_device_idx = cuda_names.set_device
memory_allocated, max_memory_allocated = cuda.memory_allocated, cuda.max_memory_allocated


def current_accelerator(check_available: bool = False) -> Any:
    """`device("cuda")`, or None without one."""
    return _C.device("cuda") if is_available() else None
