"""vmap: a function of single examples mapped over a batch."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .. import _C
from .._C import Tensor
from ..random import get_rng_state, set_rng_state
from ..utils._pytree import broadcast, flatten, unflatten


def _same(a: Tensor, b: Tensor) -> bool:
    return bool(_C.equal(a, b))


def _dims(name: str, given: Any, spec: Any, leaves: list[Any]) -> list[int | None]:
    dims = broadcast(given, spec, name)
    for d, x in zip(dims, leaves, strict=True):
        if d is None:
            continue
        if not isinstance(d, int) or isinstance(d, bool):
            raise ValueError(f"vmap: {name} must hold ints and None, got {d!r}")
        if not isinstance(x, Tensor):
            raise ValueError(f"vmap: {name} is {d} for a {type(x).__name__}; only tensors have a batch dim, use None")
        if not -x.dim() <= d < x.dim():
            raise ValueError(f"vmap: {name} is {d} for a tensor of shape {tuple(x.shape)}")
    return dims


class _Randomness:
    """Applies vmap's rule for random numbers around each example."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        self.start = get_rng_state()
        self.end: Tensor | None = None

    def before(self) -> None:
        if self.rule == "same":
            set_rng_state(self.start)

    def after(self) -> None:
        if self.rule == "error" and not _same(get_rng_state(), self.start):
            raise RuntimeError("vmap: the function draws random numbers; pass randomness='different' or 'same'")


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that maps `func` over dim in_dims of its tensors and stacks the results along out_dims.

    It loops: `func` runs once per example, so a batched formulation is faster where one exists, and bits are those of
    single examples. in_dims and out_dims may be nested like the arguments and results (None: not mapped); keyword
    arguments are passed on whole. chunk_size is accepted and changes nothing.

    >>> import lamina
    >>> lamina.func.vmap(lamina.dot)(lamina.ones(2, 3), lamina.ones(2, 3)).tolist()
    [3.0, 3.0]
    """
    if not isinstance(randomness, str) or randomness not in ("error", "different", "same"):
        shown = randomness if isinstance(randomness, str) else type(randomness).__name__
        raise RuntimeError(f"vmap: randomness must be 'error', 'different' or 'same', got {shown!r}")
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f"vmap: chunk_size must be positive, got {chunk_size}")

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        leaves, spec = flatten(list(args))
        given = list(in_dims) if isinstance(in_dims, tuple) else in_dims
        dims = _dims("in_dims", given, spec, leaves)
        sizes = {x.shape[d] for x, d in zip(leaves, dims, strict=True) if d is not None}
        if not sizes:
            raise ValueError("vmap: needs at least one tensor to map over, in_dims has none")
        if len(sizes) > 1:
            raise ValueError(f"vmap: the mapped dims have different sizes: {sorted(sizes)}")
        (size,) = sizes

        def example(i: int) -> Any:
            picked = [
                x
                if d is None
                else x.select(d, i)
                if size
                else x.new_zeros([n for k, n in enumerate(x.shape) if k != d % x.dim()])
                for x, d in zip(leaves, dims, strict=True)
            ]
            return func(*unflatten(picked, spec), **kwargs)

        rule = _Randomness(randomness)
        results: list[list[Any]] = []
        shape: Any = None
        for i in range(max(size, 1)):  # an empty batch still learns the shapes of the results, from zeros
            rule.before()
            flat, shape = flatten(example(i))
            rule.after()
            for y in flat:
                if not isinstance(y, Tensor):
                    raise ValueError(f"vmap: the function must return tensors only, got {type(y).__name__}")
            results.append(flat)
        return unflatten(_stacked(results, shape, size), shape)

    def _stacked(results: list[list[Tensor]], shape: Any, size: int) -> list[Tensor]:
        places = broadcast(out_dims, shape, "vmap: out_dims")
        out = []
        for k, place in enumerate(places):
            column = [r[k] for r in results]
            if place is None:
                out.append(column[0])
                continue
            if not isinstance(place, int):
                raise ValueError(f"vmap: out_dims must hold ints and None, got {place!r}")
            stacked = _C.stack(column, place)
            out.append(stacked if size else stacked.narrow(place, 0, 0))
        return out

    return wrapper
