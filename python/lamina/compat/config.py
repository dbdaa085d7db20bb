"""torch.__config__: what the build consists of."""

from __future__ import annotations


def show() -> str:
    """Version, SIMD level and devices, one a line."""
    import lamina

    return f"lamina {lamina.__version__}\n  SIMD level {lamina.simd_level()}\n  CUDA: {lamina.cuda.status()}\n"


def parallel_info() -> str:
    """The number of threads."""
    import lamina

    return f"threads: {lamina.get_num_threads()}\n"
