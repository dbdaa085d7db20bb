"""NumPy's LAPACK for tensors: checks of the operands, the call, errors in lamina's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _C
from .._C import DeviceError, DtypeError, Error, ShapeError, Tensor
from .._operands import need_tensors


class LinAlgError(Error, RuntimeError):
    """A decomposition does not exist: the matrix is singular, not positive definite, or holds NaN."""


def describe(name: str, t: Tensor) -> str:
    return f"{name} {tuple(t.shape)} {str(t.dtype).split('.')[-1]} {t.device}"


def check(op: str, name: str, a: Tensor, *, square: bool = False, dims: int = 2) -> None:
    """Refuses what LAPACK cannot take: no matrix, another dtype than float32 and float64, another device."""
    need_tensors(op, **{name: a})
    if a.dtype not in (_C.float32, _C.float64):
        raise DtypeError(f"{op}: needs float32 or float64, got {describe(name, a)}. Convert with .float()")
    if a.device.type != "cpu":
        raise DeviceError(f"{op}: runs on the CPU only, got {describe(name, a)}. Move it with .cpu()")
    if a.dim() < dims:
        raise ShapeError(f"{op}: {name} must have at least {dims} dims (*, M, N), got {describe(name, a)}")
    if square and a.shape[-1] != a.shape[-2]:
        raise ShapeError(f"{op}: {name} must be square (*, N, N), got {describe(name, a)}")


def same_dtype(op: str, a: Tensor, b: Tensor) -> None:
    if a.dtype != b.dtype:
        raise DtypeError(f"{op}: operands must have the same dtype: {describe('A', a)}, {describe('B', b)}")


def _broken(call: Callable[..., Any], arrays: list[Any]) -> int | None:
    """The first matrix of a batch that fails alone."""
    batch = arrays[0].shape[:-2]
    if not batch:
        return None
    flat = [x.reshape(-1, *x.shape[len(batch) :]) for x in arrays]
    for i in range(flat[0].shape[0]):
        try:
            call(*(x[i] for x in flat))
        except np.linalg.LinAlgError:
            return i
    return None


def run(op: str, why: str, call: Callable[..., Any], *tensors: Tensor) -> list[Tensor]:
    """`call` on the tensors as arrays; its arrays as tensors. A LinAlgError of NumPy names the matrix and `why`."""
    arrays = [t.detach().numpy() for t in tensors]
    with np.errstate(all="ignore"):
        try:
            found = call(*arrays)
        except np.linalg.LinAlgError:
            at = _broken(call, arrays)
            place = "" if at is None else f"(Batch element {at}): "
            shapes = ", ".join(describe(n, t) for n, t in zip("AB", tensors, strict=False))
            raise LinAlgError(f"{op}: {place}{why}: {shapes}") from None
    listed = found if isinstance(found, tuple) else (found,)
    return [_C.from_numpy(np.ascontiguousarray(x).reshape(np.shape(x))) for x in listed]
