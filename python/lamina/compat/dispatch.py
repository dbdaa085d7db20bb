"""torch.utils._python_dispatch: operations here cannot be intercepted, and no tensor is a wrapper."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class TorchDispatchMode:
    """A base class for programs to derive from; entering one is refused."""

    def __enter__(self) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__}: lamina's operations cannot be intercepted; hint: Module hooks see layers, "
            "autograd.graph.saved_tensors_hooks what the gradient keeps"
        )

    def __exit__(self, *exc: object) -> None: ...


def is_traceable_wrapper_subclass(t: object) -> bool:
    """False."""
    return False


@contextmanager
def _disable_current_modes() -> Iterator[list[Any]]:
    yield []
