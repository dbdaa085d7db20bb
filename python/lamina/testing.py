"""assert_close: what tests of programs compare tensors with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import _C
from ._C import Tensor
from ._grad_mode import no_grad

# (rtol, atol) of PyTorch; whole numbers must be equal.
_TOLERANCES = {"float64": (1e-7, 1e-7), "float32": (1.3e-6, 1e-5), "float16": (1e-3, 1e-5), "bfloat16": (1.6e-2, 1e-5)}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raises AssertionError unless |actual - expected| <= atol + rtol |expected| everywhere.

    Tensors, numbers and arrays of one shape, and of one dtype and device unless told otherwise; sequences and dicts of
    them. Both tolerances or none: those of PyTorch's, of the coarser dtype.

    >>> import lamina
    >>> lamina.testing.assert_close(lamina.ones(2), lamina.ones(2) + 1e-7)
    """
    if (rtol is None) != (atol is None):
        raise ValueError("assert_close: give both rtol and atol or none")
    options = (rtol, atol, equal_nan, check_device, check_dtype)
    problem = _problem(actual, expected, "", options)
    if problem:
        raise AssertionError(msg(problem) if callable(msg) else msg or problem)


def _problem(a: Any, b: Any, place: str, options: tuple[Any, ...]) -> str:
    """What differs, or nothing."""
    where = f" at {place}" if place else ""
    if isinstance(a, dict) and isinstance(b, dict):
        if a.keys() != b.keys():
            return f"assert_close: the keys differ{where}: {sorted(map(str, a))}, {sorted(map(str, b))}"
        pairs = [(a[key], b[key], f"{place}[{key!r}]") for key in a]
        return next((found for x, y, at in pairs if (found := _problem(x, y, at, options))), "")
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        if len(a) != len(b):
            return f"assert_close: the lengths differ{where}: {len(a)} and {len(b)}"
        triples = [(x, y, f"{place}[{i}]") for i, (x, y) in enumerate(zip(a, b, strict=True))]
        return next((found for x, y, at in triples if (found := _problem(x, y, at, options))), "")
    if isinstance(a, Tensor) != isinstance(b, Tensor):
        return f"assert_close: the types differ{where}: {type(a).__name__} and {type(b).__name__}"
    return _values(_C.as_tensor(a), _C.as_tensor(b), where, options)


def _values(a: Tensor, b: Tensor, where: str, options: tuple[Any, ...]) -> str:
    rtol, atol, equal_nan, check_device, check_dtype = options
    if a.shape != b.shape:
        return f"assert_close: the shapes differ{where}: {tuple(a.shape)} and {tuple(b.shape)}"
    if check_device and a.device != b.device:
        return f"assert_close: the devices differ{where}: {a.device} and {b.device}"
    if check_dtype and a.dtype != b.dtype:
        return f"assert_close: the dtypes differ{where}: {a.dtype} and {b.dtype}"
    if rtol is None:
        rtol, atol = max(_TOLERANCES.get(x.dtype.name, (0.0, 0.0)) for x in (a, b))
    with no_grad():
        exact = not a.is_floating_point() and not b.is_floating_point() and not rtol and not atol
        x, y = a.detach().cpu().to(_C.float64), b.detach().cpu().to(_C.float64)
        wrong = a.cpu().ne(b.cpu()) if exact else ~_C.isclose(x, y, rtol, atol, equal_nan)
        count = int(wrong.sum().item())
        if not count:
            return ""
        gaps = _C.where(wrong, (x - y).abs(), 0.0).nan_to_num(float("inf"))
        place = int(gaps.argmax().item())
        return (
            f"assert_close: {count} of {a.numel()} values differ{where} by more than atol {atol:g} + rtol {rtol:g} "
            f"|expected|; most: {x.reshape(-1)[place].item():g}, expected {y.reshape(-1)[place].item():g}, at flat "
            f"index {place} of {tuple(a.shape)}"
        )
