"""Seeds and the state of the default generator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ._C import Generator, default_generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state

__all__ = [
    "Generator",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]


@contextmanager
def fork_rng(enabled: bool = True) -> Iterator[None]:
    """Gives the default generator its state back at the end.

    >>> import lamina
    >>> with lamina.random.fork_rng():
    ...     a = lamina.rand(3)
    >>> bool((lamina.rand(3) == a).sum() == 3)
    True
    """
    state = get_rng_state()
    try:
        yield
    finally:
        if enabled:
            set_rng_state(state)
