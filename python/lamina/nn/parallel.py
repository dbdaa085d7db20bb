"""DataParallel: what programs wrap a model in before they know how many devices there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .module import Module

__path__: list[str] = []  # lamina.nn.parallel.distributed is this module


class DataParallel(Module):
    """Runs `module` on the one device where it is; keys of its state_dict begin with "module.", as PyTorch's do.

    >>> import lamina
    >>> model = lamina.nn.DataParallel(lamina.nn.Linear(2, 3))
    >>> model(lamina.ones(4, 2)).shape, list(model.state_dict())
    ((4, 3), ['module.weight', 'module.bias'])
    """

    def __init__(
        self, module: Module, device_ids: Sequence[Any] | None = None, output_device: Any = None, dim: int = 0
    ) -> None:
        super().__init__()
        if not isinstance(module, Module):
            raise TypeError(f"DataParallel: module must be a Module, got {type(module).__name__}")
        if device_ids is not None and len(device_ids) > 1:
            raise ValueError(f"DataParallel: one device at a time, got device_ids of {len(device_ids)}")
        self.dim = dim
        self.module = module

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)


class DistributedDataParallel(Module):
    """Not there: it joins gradients over processes, and lamina runs in one. The model itself is what one process trains."""

    def __init__(self, module: Module, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "DistributedDataParallel: joins gradients over processes, which lamina does not have; use the model itself, "
            "or DataParallel where its state_dict's 'module.' prefix is wanted"
        )


def __getattr__(name: str) -> object:
    from .._missing import later

    return later(__name__, name)
