"""What the graph keeps for backward: saved_tensors_hooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import _C
from .._C import Node as Node
from .._C import Tensor


class saved_tensors_hooks:
    """Inside, each tensor saved for backward is given to `pack_hook`; backward gets what `unpack_hook` makes of the result.

    The hooks see tensors without history. Intermediate values that a kernel keeps for its own backward stay where they
    are. The innermost pair counts.

    >>> import lamina
    >>> with lamina.autograd.graph.saved_tensors_hooks(lambda t: t.numpy(), lamina.from_numpy):
    ...     y = lamina.ones(2, requires_grad=True).exp().sum()
    >>> y.backward()
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> None:
        _C._autograd.push_save_hook(self.pack_hook, self.unpack_hook)

    def __exit__(self, *exc: object) -> None:
        _C._autograd.pop_save_hook()


class save_on_cpu(saved_tensors_hooks):
    """Keeps saved tensors in host memory until backward; pin_memory is accepted."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda t: (t.device, t.cpu()), lambda packed: packed[1].to(packed[0]))
