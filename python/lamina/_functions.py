"""Functions of lamina that are written in Python: cov, corrcoef, dist, unravel_index, frombuffer, range, devices."""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from . import _C
from ._C import Tensor
from ._operands import need_tensors
from ._out import takes_out


def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None
) -> Tensor:
    """Covariances of variables in rows, observations in columns: (V, N) -> (V, V); (N) and () -> ().

    fweights: how often each observation counts, ints (N); aweights: its importance, floats (N). The sum of products is
    divided by N - correction, N being the sum of the weights. Raises ShapeError, DtypeError and ValueError.

    >>> import lamina
    >>> lamina.cov(lamina.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    need_tensors("cov", input=input)
    if input.dim() > 2:
        raise _C.ShapeError(f"cov: expected at most two dims, got shape {tuple(input.shape)}")
    if input.dtype == _C.bool:
        raise _C.DtypeError("cov: input must not be bool")
    x = input if input.is_floating_point() else input.to(_C.get_default_dtype())
    if x.dim() < 2:
        x = x.reshape(1, -1)
    weights = _weights(x, fweights, aweights)
    total: Any = x.shape[1] if weights is None else weights.sum()
    if weights is not None and weights.numel() and total.item() == 0:
        raise _C.InvalidValue("cov: the weights sum to zero")
    free = total - correction
    if weights is not None and aweights is not None:
        free = total - correction * (weights * aweights.to(x.dtype)).sum() / total
    if float(free) <= 0:
        warnings.warn("cov: degrees of freedom are not above 0; the result is not finite", stacklevel=2)
        free = 0.0
    weighted = x if weights is None else x * weights
    centred = x - weighted.sum(1, keepdim=True) / total
    weighted = centred if weights is None else centred * weights
    found: Tensor = (weighted @ centred.transpose(0, 1)) / free
    return found.squeeze()


def _weights(x: Tensor, fweights: Tensor | None, aweights: Tensor | None) -> Tensor | None:
    """The product of both kinds of weights, in x's dtype."""
    found = None
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is None:
            continue
        need_tensors("cov", **{name: given})
        if given.dim() > 1 or given.numel() != x.shape[1]:
            raise _C.ShapeError(
                f"cov: {name} must be ({x.shape[1]},), one per observation, got shape {tuple(given.shape)}"
            )
        floating = given.is_floating_point()
        if floating != (name == "aweights") or given.dtype == _C.bool:
            kind = "floating" if name == "aweights" else "integers"
            raise _C.DtypeError(f"cov: {name} must be {kind}, got {given.dtype}")
        if (given < 0).any().item():
            raise _C.InvalidValue(f"cov: {name} must not be negative")
        one = given.reshape(-1).to(x.dtype)
        found = one if found is None else found * one
    return found


def corrcoef(input: Tensor) -> Tensor:
    """Pearson's correlations of variables in rows, observations in columns: (V, N) -> (V, V); (N) and () -> ().

    >>> import lamina
    >>> lamina.corrcoef(lamina.tensor([[0.0, 1.0, 2.0], [5.0, 3.0, 1.0]])).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    need_tensors("corrcoef", input=input)
    if input.dim() > 2:
        raise _C.ShapeError(f"corrcoef: expected at most two dims, got shape {tuple(input.shape)}")
    found = cov(input)
    if found.dim() == 0:
        return found / found
    spread = found.diagonal().sqrt()
    return (found / spread.unsqueeze(1) / spread.unsqueeze(0)).clamp(-1, 1)


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of input - other, which broadcast: (*), (*) -> ().

    >>> import lamina
    >>> lamina.dist(lamina.tensor([0.0, 3.0]), lamina.tensor([4.0, 0.0])).item()
    5.0
    """
    from .linalg import vector_norm

    need_tensors("dist", input=input, other=other)
    difference = input - other
    if not difference.is_floating_point():
        raise _C.DtypeError(f"dist: needs a floating dtype, got {difference.dtype}; hint: x.float()")
    return vector_norm(difference, p)


def unravel_index(indices: Tensor, shape: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Places in a flat array as one index per dim of `shape`: int (*) -> a tuple of int64 (*).

    Negative places count from the end; IndexError for places outside of the array.

    >>> import lamina
    >>> [i.tolist() for i in lamina.unravel_index(lamina.tensor([1, 5]), (2, 3))]
    [[0, 1], [1, 2]]
    """
    need_tensors("unravel_index", indices=indices)
    if indices.is_floating_point() or indices.dtype == _C.bool:
        raise _C.DtypeError(f"unravel_index: indices must be integers, got {indices.dtype}")
    if isinstance(shape, Tensor):
        raise TypeError("unravel_index: shape must be an int or a sequence of ints, got a Tensor")
    sizes = [operator.index(n) for n in ([shape] if isinstance(shape, int) else shape)]
    if any(n < 0 for n in sizes):
        raise _C.ShapeError(f"unravel_index: negative size in {tuple(sizes)}")
    total, flat = math.prod(sizes), indices.to(_C.int64)
    outside = (flat >= total) | (flat < -total)
    if outside.any().item():
        bad = flat[outside][0].item()
        raise IndexError(f"unravel_index: index {bad} is outside of shape {tuple(sizes)}, which has {total} elements")
    inner = list(accumulate(reversed(sizes[1:]), operator.mul, initial=1))[::-1] if sizes else []
    return tuple(
        _C.remainder(_C.floor_divide(flat, max(step, 1)), max(n, 1)) for step, n in zip(inner, sizes, strict=True)
    )


def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """A 1-d tensor on the memory of bytes, a bytearray, an array or a memory map, without a copy.

    count: elements, -1 for all up to the end; offset: bytes to leave out. The tensor of a read-only buffer refuses to be
    written in place; bfloat16, which NumPy lacks, is copied. Raises ValueError for an empty selection or one that passes the end.

    >>> import lamina
    >>> lamina.frombuffer(bytearray([1, 0, 2, 0]), dtype=lamina.int16).tolist()
    [1, 2]
    """
    import numpy as np

    try:
        size = memoryview(buffer).nbytes
    except TypeError:
        raise TypeError(f"frombuffer: {type(buffer).__name__} does not give its memory as a buffer") from None
    if not isinstance(dtype, _C.dtype):
        raise TypeError(f"frombuffer: dtype must be a lamina dtype, got {dtype!r}")
    if size == 0 or count == 0:
        raise ValueError(f"frombuffer: nothing to read: {size} bytes, count {count}")
    if not 0 <= offset < size:
        raise ValueError(f"frombuffer: offset must be between 0 and {size - 1}, got {offset}")
    width = dtype.itemsize
    if count < 0 and (size - offset) % width:
        raise ValueError(f"frombuffer: {size - offset} bytes are no whole number of {dtype} ({width} bytes each)")
    if count > 0 and offset + count * width > size:
        raise ValueError(f"frombuffer: {count} of {dtype} after byte {offset} pass the end of {size} bytes")
    if dtype == _C.bfloat16:
        part = memoryview(buffer).cast("B")[offset : offset + count * width if count > 0 else size]
        made = _C._from_bytes(bytes(part), (part.nbytes // width,), dtype)
    else:
        array = np.frombuffer(buffer, dtype=dtype.name, count=count, offset=offset)
        if dtype == _C.bool and array.view(np.uint8).max() > 1:
            raise ValueError("frombuffer: bytes of bools are 0 or 1; hint: read uint8 and compare with 0")
        made = _C.from_numpy(array)
    return made.requires_grad_() if requires_grad else made


@takes_out("range")
def range(
    start: float, end: float, step: float = 1, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """start, start + step ... up to and with `end`; of the default dtype. Deprecated: arange leaves `end` out.

    >>> import lamina, warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     lamina.range(1, 2, 0.5).tolist()
    [1.0, 1.5, 2.0]
    """
    warnings.warn("lamina.range is deprecated: arange, like Python's range, leaves the end out", stacklevel=2)
    kind = _C.get_default_dtype() if dtype is None else dtype
    for name, value in (("start", start), ("end", end), ("step", step)):
        if not math.isfinite(value):
            raise _C.InvalidValue(f"range: {name} must be finite, got {value}")
        if not kind.is_floating_point and value != int(value):
            raise _C.InvalidValue(f"range: {name} must be whole for {kind}, got {value}")
    if step == 0:
        raise _C.InvalidValue("range: step must not be 0")
    if (end - start) * step < 0:
        raise _C.InvalidValue(f"range: from {start} to {end} the step must have the other sign, got {step}")
    if kind.is_floating_point:
        count = math.floor((end - start) / step) + 1
        values = _C.arange(count, dtype=_C.float64) * float(step) + float(start)
    else:
        first, by = int(start), int(step)
        values = _C.arange((int(end) - first) // by + 1) * by + first
    made = values.to(kind).to("cpu" if device is None else device)
    return made.requires_grad_() if requires_grad else made


def get_device(input: Tensor) -> int:
    """The index of the CUDA device that holds the tensor, -1 for the CPU."""
    need_tensors("get_device", input=input)
    return int(input.get_device())


def set_default_device(device: Any) -> None:
    """Takes 'cpu' or None alone: tensors are made on the CPU unless device= says otherwise.

    >>> import lamina
    >>> lamina.set_default_device("cpu")
    """
    kind = "cpu" if device is None else device.type if isinstance(device, _C.device) else _C.device(device).type
    if kind != "cpu":
        raise _C.DeviceError(
            f"set_default_device: tensors are made on the CPU, got {str(device)!r}; "
            "hint: give device= to constructors and move models with model.to(device)"
        )


def get_default_device() -> _C.device:
    """Where tensors are made: the CPU.

    >>> import lamina
    >>> lamina.get_default_device()
    device(type='cpu')
    """
    return _C.device("cpu")
