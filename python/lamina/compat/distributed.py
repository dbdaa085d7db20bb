"""torch.distributed: lamina runs in one process, and every question is answered so."""

from __future__ import annotations

import enum
from typing import Any, NoReturn

__path__: list[str] = []


class NotDistributed(RuntimeError, ValueError):
    """A collective operation was asked for; the error that PyTorch raises without a process group is a ValueError."""


class ReduceOp(enum.Enum):
    """What a collective operation does with the values; programs name them in signatures."""

    SUM = 0
    AVG = 1
    PRODUCT = 2
    MIN = 3
    MAX = 4
    BAND = 5
    BOR = 6
    BXOR = 7


class ProcessGroup:
    """No object is one: programs name it in signatures."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise refusal("ProcessGroup")


class group:
    """The groups there are: none."""

    WORLD: None = None


GroupMember = group
Backend = str


def refusal(name: str) -> NotDistributed:
    return NotDistributed(
        f"distributed.{name}: lamina runs in one process and has no process groups; hint: ask "
        "distributed.is_available() and is_initialized() first, both are False"
    )


def is_available() -> bool:
    """False."""
    return False


is_initialized = is_torchelastic_launched = is_available
is_nccl_available = is_gloo_available = is_mpi_available = is_ucc_available = is_xccl_available = is_available


def _collective(name: str) -> Any:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise refusal(name)

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = "Raises NotDistributed."
    return refuse


_COLLECTIVES = frozenset(
    "all_gather all_gather_into_tensor all_gather_object all_reduce all_to_all all_to_all_single barrier broadcast "
    "broadcast_object_list destroy_process_group gather gather_object get_backend get_process_group_ranks get_rank "
    "get_world_size init_process_group irecv isend monitored_barrier new_group recv reduce reduce_scatter "
    "reduce_scatter_tensor scatter scatter_object_list send".split()
)


def __getattr__(name: str) -> Any:
    if name in _COLLECTIVES:
        return _collective(name)
    if name in ("nn", "optim"):
        from . import distributed_parts

        return distributed_parts
    raise AttributeError(
        f"module 'lamina.distributed' has no attribute {name!r}: lamina runs in one process; is_available() is False",
        name=name,
    )


def __dir__() -> list[str]:
    return sorted({*globals(), *_COLLECTIVES})
