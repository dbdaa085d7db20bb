"""torch.xpu: there are no such devices."""

from __future__ import annotations


def is_available() -> bool:
    """False."""
    return False


is_initialized = is_bf16_supported = is_available


def device_count() -> int:
    """0."""
    return 0


def empty_cache() -> None:
    """Nothing is cached."""


def manual_seed(seed: int) -> None:
    """`lamina.manual_seed` seeds the one generator."""


manual_seed_all = manual_seed
