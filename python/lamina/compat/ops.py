"""torch.ops: custom operations come from libraries that are compiled against PyTorch, so there are none."""

from __future__ import annotations

from typing import Any, NoReturn

_REASON = (
    "custom operations are compiled against PyTorch's C++ library; hint: write an autograd.Function, or an operation of "
    "lamina's own in C++"
)
loaded_libraries: set[str] = set()


def load_library(path: Any) -> NoReturn:
    """OSError, as for a file that cannot be loaded."""
    raise OSError(f"ops.load_library: {path}: {_REASON}")


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'lamina.ops' has no attribute {name!r}: {_REASON}", name=name)
