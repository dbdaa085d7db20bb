"""torch.distributed.nn and torch.distributed.optim: what they hold works on process groups, which lamina lacks."""

from __future__ import annotations

from typing import Any

from ..optim.optimizer import Optimizer
from . import distributed

__path__: list[str] = []


class ZeroRedundancyOptimizer(Optimizer):
    """No object is one: it splits the state over processes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise distributed.refusal("optim.ZeroRedundancyOptimizer")


def __getattr__(name: str) -> Any:
    return getattr(distributed, name)
