"""The Python array API standard (2023.12) on lamina tensors, for its real dtypes: what `Tensor.__array_namespace__()` gives.

Names, keyword arguments and results follow the standard; complex numbers, uint16, uint32 and uint64 do not exist here.
`x.size` stays PyTorch's method, so programs ask for `xp.asarray(x).numel()` or `math.prod(x.shape)`.
Source: https://data-apis.org/array-api/2023.12/
"""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import lamina as _lamina

from . import _C
from ._C import abs as abs
from ._C import bool as bool
from ._C import float32, float64, int8, int16, int32, int64, uint8

lamina: Any = _lamina  # many of its names are found by __getattr__
Array = _C.Tensor
Axis = int | tuple[int, ...] | None
__array_api_version__ = "2023.12"
e, inf, nan, pi, newaxis = math.e, math.inf, math.nan, math.pi, None

_KINDS = {
    "bool": (bool,),
    "signed integer": (int8, int16, int32, int64),
    "unsigned integer": (uint8,),
    "integral": (int8, int16, int32, int64, uint8),
    "real floating": (float32, float64),
    "complex floating": (),
    "numeric": (int8, int16, int32, int64, uint8, float32, float64),
}
# Functions whose name and arguments are lamina's own.
_SAME = (
    "acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor "
    "broadcast_to ceil copysign cos cosh exp expm1 floor floor_divide hypot isfinite isinf isnan log log1p log2 log10 "
    "logaddexp logical_and logical_not logical_or logical_xor matmul maximum minimum pow remainder round signbit sin "
    "sinh sqrt square tan tanh trunc where"
).split()
# The standard's name -> lamina's.
_RENAMED = {
    "bitwise_invert": "bitwise_not",
    "divide": "div",
    "equal": "eq",
    "greater": "gt",
    "greater_equal": "ge",
    "less": "lt",
    "less_equal": "le",
    "multiply": "mul",
    "negative": "neg",
    "not_equal": "ne",
    "positive": "positive",
    "subtract": "sub",
}


def __getattr__(name: str) -> Any:
    if name in _SAME or name in _RENAMED:
        return getattr(lamina, _RENAMED.get(name, name))
    if name == "linalg":
        from . import _array_linalg

        return _array_linalg
    import sys

    from ._missing import missing

    raise missing(sys.modules[__name__], name)


def __dir__() -> list[str]:
    return sorted({*(n for n in globals() if not n.startswith("_")), *_SAME, *_RENAMED, "linalg"})


# ---- creation ----


def sign(x: Array, /) -> Array:
    """Of NaN NaN, where lamina.sign follows PyTorch and says 0."""
    y = lamina.sign(x)
    return lamina.where(lamina.isnan(x), x, y) if x.is_floating_point() else y


def asarray(obj: Any, /, *, dtype: Any = None, device: Any = None, copy: Any = None) -> Array:
    if copy is True:
        t = lamina.tensor(obj, dtype=dtype) if not isinstance(obj, Array) else obj.detach().clone()
    else:
        t = lamina.as_tensor(obj, dtype=dtype)
        if copy is False and not (isinstance(obj, Array) and t.data_ptr() == obj.data_ptr()):
            raise ValueError("asarray: this object cannot be taken without a copy (copy=False)")
    return t.to(dtype=dtype or t.dtype, device=device or t.device)


def arange(
    start: float, /, stop: float | None = None, step: float = 1, *, dtype: Any = None, device: Any = None
) -> Array:
    begin, end = (0, start) if stop is None else (start, stop)
    if (end - begin) * step <= 0:
        return lamina.empty((0,), dtype=dtype or lamina.arange(begin, begin + 1, 1).dtype, device=device)
    return lamina.arange(begin, end, step, dtype=dtype, device=device)


def linspace(
    start: float, stop: float, /, num: int, *, dtype: Any = None, device: Any = None, endpoint: Any = True
) -> Array:
    if endpoint:
        return lamina.linspace(start, stop, num, dtype=dtype, device=device)
    return lamina.linspace(start, stop, num + 1, dtype=dtype, device=device)[:-1]


def empty(shape: Any, *, dtype: Any = None, device: Any = None) -> Array:
    return lamina.empty(shape, dtype=dtype, device=device)


def zeros(shape: Any, *, dtype: Any = None, device: Any = None) -> Array:
    return lamina.zeros(shape, dtype=dtype, device=device)


def ones(shape: Any, *, dtype: Any = None, device: Any = None) -> Array:
    return lamina.ones(shape, dtype=dtype, device=device)


def full(shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Array:
    return lamina.full((shape,) if isinstance(shape, int) else shape, fill_value, dtype=dtype, device=device)


def empty_like(x: Array, /, *, dtype: Any = None, device: Any = None) -> Array:
    return lamina.empty_like(x, dtype=dtype, device=device)


def zeros_like(x: Array, /, *, dtype: Any = None, device: Any = None) -> Array:
    return lamina.zeros_like(x, dtype=dtype, device=device)


def ones_like(x: Array, /, *, dtype: Any = None, device: Any = None) -> Array:
    return lamina.ones_like(x, dtype=dtype, device=device)


def full_like(x: Array, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Array:
    return lamina.full_like(x, fill_value, dtype=dtype, device=device)


def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None) -> Array:
    """Ones on diagonal k of an n_rows x n_cols matrix."""
    rows = lamina.arange(n_rows, device=device).unsqueeze(1)
    columns = lamina.arange(n_rows if n_cols is None else n_cols, device=device)
    return (columns - rows == k).to(dtype or float32)


def meshgrid(*arrays: Array, indexing: str = "xy") -> list[Array]:
    return list(lamina.meshgrid(*arrays, indexing=indexing))


def from_dlpack(x: Any, /, *, device: Any = None, copy: Any = None) -> Array:
    t = lamina.from_dlpack(x)
    return t.clone() if copy else t


# ---- dtypes ----


def astype(x: Array, dtype: Any, /, *, copy: Any = True, device: Any = None) -> Array:
    return x.to(dtype=dtype, device=device or x.device, copy=copy)


def broadcast_arrays(*arrays: Array) -> list[Array]:
    return list(lamina.broadcast_tensors(*arrays))


def can_cast(from_: Any, to: Any, /) -> Any:
    return lamina.promote_types(from_.dtype if isinstance(from_, Array) else from_, to) == to


def finfo(type: Any, /) -> Any:
    return lamina.finfo(type.dtype if isinstance(type, Array) else type)


def iinfo(type: Any, /) -> Any:
    return lamina.iinfo(type.dtype if isinstance(type, Array) else type)


def isdtype(dtype: Any, kind: Any) -> Any:
    """True if dtype is of the kind: a dtype, the name of a kind, or a tuple of those."""
    if isinstance(kind, tuple):
        return any_of(isdtype(dtype, k) for k in kind)
    if isinstance(kind, str):
        if kind not in _KINDS:
            raise ValueError(f"isdtype: kind must be one of {', '.join(_KINDS)}, got {kind!r}")
        return dtype in _KINDS[kind]
    return dtype == kind


def any_of(conditions: Any) -> Any:
    return next((True for c in conditions if c), False)


def result_type(*arrays_and_dtypes: Any) -> Any:
    dtypes = [a.dtype if isinstance(a, Array) else a for a in arrays_and_dtypes]
    result = dtypes[0]
    for d in dtypes[1:]:
        result = lamina.promote_types(result, d)
    return result


def clip(x: Array, /, min: Any = None, max: Any = None) -> Array:
    return x if min is None and max is None else lamina.clamp(x, min, max)


# ---- reductions ----


def _axes(x: Array, axis: Axis) -> list[int]:
    return list(range(x.dim())) if axis is None else [axis] if isinstance(axis, int) else list(axis)


def _widened(x: Array, dtype: Any) -> Any:
    """Sums of integers are int64 (uint8 too: there is no uint64)."""
    return dtype or (x.dtype if x.dtype in _KINDS["real floating"] else int64)


def sum(x: Array, /, *, axis: Axis = None, dtype: Any = None, keepdims: Any = False) -> Array:
    axes = _axes(x, axis)
    return lamina.sum(x, axes, keepdims, dtype=_widened(x, dtype)) if axes else x.to(_widened(x, dtype))


def prod(x: Array, /, *, axis: Axis = None, dtype: Any = None, keepdims: Any = False) -> Array:
    y = x.to(_widened(x, dtype))
    for a in sorted((a % x.dim() for a in _axes(x, axis)), reverse=True):
        y = lamina.prod(y, a, keepdims)
    return y


def _reduce(name: str, x: Array, axis: Axis, keepdims: Any, **options: Any) -> Array:
    axes = _axes(x, axis)
    if not axes:
        return x.clone() if x.dim() else getattr(lamina, name)(x.unsqueeze(0), 0, **options)
    return getattr(lamina, name)(x, axes, keepdim=keepdims, **options)


def mean(x: Array, /, *, axis: Axis = None, keepdims: Any = False) -> Array:
    return _reduce("mean", x, axis, keepdims)


def var(x: Array, /, *, axis: Axis = None, correction: float = 0.0, keepdims: Any = False) -> Array:
    return _reduce("var", x, axis, keepdims, correction=correction)


def std(x: Array, /, *, axis: Axis = None, correction: float = 0.0, keepdims: Any = False) -> Array:
    return _reduce("std", x, axis, keepdims, correction=correction)


def max(x: Array, /, *, axis: Axis = None, keepdims: Any = False) -> Array:
    return _reduce("amax", x, axis, keepdims)


def min(x: Array, /, *, axis: Axis = None, keepdims: Any = False) -> Array:
    return _reduce("amin", x, axis, keepdims)


def all(x: Array, /, *, axis: Axis = None, keepdims: Any = False) -> Array:
    return _reduce("all", x, axis, keepdims) if x.dim() else x != 0


def any(x: Array, /, *, axis: Axis = None, keepdims: Any = False) -> Array:
    return _reduce("any", x, axis, keepdims) if x.dim() else x != 0


def cumulative_sum(x: Array, /, *, axis: int | None = None, dtype: Any = None, include_initial: Any = False) -> Array:
    if axis is None:
        if x.dim() != 1:
            raise ValueError("cumulative_sum: axis may be left out for one-dimensional arrays only")
        axis = 0
    y = lamina.cumsum(x, axis, dtype=_widened(x, dtype))
    if not include_initial:
        return y
    first = list(y.shape)
    first[axis] = 1
    return lamina.cat([lamina.zeros(first, dtype=y.dtype, device=y.device), y], axis)


# ---- shapes ----


def concat(arrays: Sequence[Array], /, *, axis: int | None = 0) -> Array:
    if axis is None:
        return lamina.cat([a.reshape(-1) for a in arrays])
    return lamina.cat(list(arrays), axis)


def expand_dims(x: Array, /, *, axis: int = 0) -> Array:
    return x.unsqueeze(axis)


def flip(x: Array, /, *, axis: Axis = None) -> Array:
    return lamina.flip(x, _axes(x, axis))


def matrix_transpose(x: Array, /) -> Array:
    return x.transpose(-2, -1)


def moveaxis(x: Array, source: Any, destination: Any, /) -> Array:
    return lamina.movedim(x, source, destination)


def permute_dims(x: Array, /, axes: tuple[int, ...]) -> Array:
    return x.permute(axes)


def repeat(x: Array, repeats: Any, /, *, axis: int | None = None) -> Array:
    return lamina.repeat_interleave(x, repeats, axis)


def reshape(x: Array, /, shape: tuple[int, ...], *, copy: Any = None) -> Array:
    if copy is False:
        return x.view(shape)
    return x.clone().reshape(shape) if copy else x.reshape(shape)


def roll(x: Array, /, shift: Any, *, axis: Any = None) -> Array:
    if isinstance(axis, int) and not isinstance(shift, int):
        raise ValueError("roll: several shifts need as many axes")
    if isinstance(shift, int) and isinstance(axis, tuple):
        shift = (shift,) * len(axis)
    return lamina.roll(x, shift, axis)


def squeeze(x: Array, /, axis: Any) -> Array:
    for a in (axis,) if isinstance(axis, int) else axis:
        if x.shape[a] != 1:
            raise ValueError(f"squeeze: axis {a} has size {x.shape[a]}, not 1")
    return x.squeeze(axis)


def stack(arrays: Sequence[Array], /, *, axis: int = 0) -> Array:
    return lamina.stack(list(arrays), axis)


def tile(x: Array, repetitions: tuple[int, ...], /) -> Array:
    return lamina.tile(x, repetitions)


def tril(x: Array, /, *, k: int = 0) -> Array:
    return lamina.tril(x, k)


def triu(x: Array, /, *, k: int = 0) -> Array:
    return lamina.triu(x, k)


def unstack(x: Array, /, *, axis: int = 0) -> tuple[Array, ...]:
    return tuple(lamina.unbind(x, axis))


def take(x: Array, indices: Array, /, *, axis: int | None = None) -> Array:
    if axis is None and x.dim() != 1:
        raise ValueError("take: axis may be left out for one-dimensional arrays only")
    return lamina.index_select(x, axis or 0, indices)


# ---- searching, sorting, sets ----


def argmax(x: Array, /, *, axis: int | None = None, keepdims: Any = False) -> Array:
    y = lamina.argmax(x, axis, keepdims if axis is not None else False)
    return y.reshape([1] * x.dim()) if keepdims and axis is None else y


def argmin(x: Array, /, *, axis: int | None = None, keepdims: Any = False) -> Array:
    y = lamina.argmin(x, axis, keepdims if axis is not None else False)
    return y.reshape([1] * x.dim()) if keepdims and axis is None else y


def nonzero(x: Array, /) -> tuple[Array, ...]:
    if x.dim() == 0:
        raise ValueError("nonzero: needs at least one axis")
    return tuple(lamina.where(x != 0))


def searchsorted(x1: Array, x2: Array, /, *, side: str = "left", sorter: Array | None = None) -> Array:
    return lamina.searchsorted(x1, x2, side=side, sorter=sorter)


def argsort(x: Array, /, *, axis: int = -1, descending: Any = False, stable: Any = True) -> Array:
    return lamina.sort(x, dim=axis, descending=descending, stable=True)[1]


def sort(x: Array, /, *, axis: int = -1, descending: Any = False, stable: Any = True) -> Array:
    return lamina.sort(x, dim=axis, descending=descending, stable=True)[0]


class UniqueAll(NamedTuple):
    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class UniqueCounts(NamedTuple):
    values: Array
    counts: Array


class UniqueInverse(NamedTuple):
    values: Array
    inverse_indices: Array


def unique_all(x: Array, /) -> UniqueAll:
    values, inverse, counts = lamina.unique(x, return_inverse=True, return_counts=True)
    order = lamina.sort(inverse.reshape(-1), stable=True)[1]  # places of each value, first ones first
    first = lamina.cumsum(counts, 0) - counts
    return UniqueAll(values, order[first], inverse, counts)


def unique_counts(x: Array, /) -> UniqueCounts:
    values, counts = lamina.unique(x, return_counts=True)
    return UniqueCounts(values, counts)


def unique_inverse(x: Array, /) -> UniqueInverse:
    values, inverse = lamina.unique(x, return_inverse=True)
    return UniqueInverse(values, inverse)


def unique_values(x: Array, /) -> Array:
    return lamina.unique(x)


# ---- linear algebra ----


def tensordot(x1: Array, x2: Array, /, *, axes: Any = 2) -> Array:
    return lamina.tensordot(x1, x2, axes)


def vecdot(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    return lamina.sum(x1 * x2, axis)


# ---- inspection ----


class Info:
    """What the standard's inspection functions say of lamina."""

    def capabilities(self) -> dict[str, Any]:
        return {"boolean indexing": True, "data-dependent shapes": True}

    def default_device(self) -> str:
        return "cpu"

    def devices(self) -> list[str]:
        return ["cpu", *(f"cuda:{i}" for i in range(lamina.cuda.device_count()))]

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        return {"real floating": float32, "complex floating": None, "integral": int64, "indexing": int64}

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        kinds = kind if isinstance(kind, tuple) else (kind,) if kind else ("bool", "numeric")
        found = [d for k in kinds for d in _KINDS[k]]
        return {str(d).removeprefix("lamina."): d for d in found}


def __array_namespace_info__() -> Info:
    return Info()
