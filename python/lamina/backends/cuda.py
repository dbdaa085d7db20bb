"""torch.backends.cuda's switches: kept, without an effect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

matmul = SimpleNamespace(allow_tf32=False, allow_fp16_reduced_precision_reduction=False)
_kernels = {"flash": True, "mem_efficient": True, "math": True, "cudnn": True}


def is_built() -> bool:
    """True where CUDA can be used."""
    from .. import cuda

    return cuda.is_available()


def enable_flash_sdp(enabled: bool) -> None:
    """Kept for flash_sdp_enabled: scaled_dot_product_attention has one kernel."""
    _kernels["flash"] = bool(enabled)


def enable_mem_efficient_sdp(enabled: bool) -> None:
    """Kept for mem_efficient_sdp_enabled."""
    _kernels["mem_efficient"] = bool(enabled)


def enable_math_sdp(enabled: bool) -> None:
    """Kept for math_sdp_enabled."""
    _kernels["math"] = bool(enabled)


def enable_cudnn_sdp(enabled: bool) -> None:
    """Kept for cudnn_sdp_enabled."""
    _kernels["cudnn"] = bool(enabled)


def flash_sdp_enabled() -> bool:
    """What enable_flash_sdp was last given."""
    return _kernels["flash"]


def mem_efficient_sdp_enabled() -> bool:
    """What enable_mem_efficient_sdp was last given."""
    return _kernels["mem_efficient"]


def math_sdp_enabled() -> bool:
    """What enable_math_sdp was last given."""
    return _kernels["math"]


def cudnn_sdp_enabled() -> bool:
    """What enable_cudnn_sdp was last given."""
    return _kernels["cudnn"]


@contextmanager
def sdp_kernel(
    enable_flash: bool = True, enable_math: bool = True, enable_mem_efficient: bool = True, enable_cudnn: bool = True
) -> Iterator[None]:
    """The older nn.attention.sdpa_kernel: sets the four switches inside of the context.

    >>> import lamina
    >>> with lamina.backends.cuda.sdp_kernel(enable_flash=False):
    ...     lamina.backends.cuda.flash_sdp_enabled()
    False
    """
    before = dict(_kernels)
    _kernels.update(flash=enable_flash, math=enable_math, mem_efficient=enable_mem_efficient, cudnn=enable_cudnn)
    try:
        yield
    finally:
        _kernels.update(before)
