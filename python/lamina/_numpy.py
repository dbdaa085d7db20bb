"""NumPy's universal functions on tensors: `Tensor.__array_ufunc__`, which NumPy calls for its functions and operators.

One rule: where a tensor takes part, the result is a tensor, with lamina's dtypes and gradients. NumPy's scalars count as
Python's numbers, its arrays as tensors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import lamina

from . import _C
from ._C import Tensor

# Names that differ; all others of _SAME are called alike.
_NAMES = {
    "subtract": "sub", "multiply": "mul", "divide": "div", "true_divide": "div", "power": "pow", "negative": "neg",
    "absolute": "abs", "fabs": "abs", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "radians": "deg2rad", "degrees": "rad2deg",
    "rint": "round", "greater": "gt", "greater_equal": "ge", "less": "lt", "less_equal": "le", "equal": "eq",
    "not_equal": "ne", "invert": "bitwise_not", "left_shift": "bitwise_left_shift",
    "right_shift": "bitwise_right_shift",
}  # fmt: skip
_SAME = frozenset(
    "add floor_divide remainder fmod float_power matmul positive exp exp2 expm1 log log2 log10 log1p sqrt square reciprocal "
    "sin cos tan sinh cosh tanh hypot deg2rad rad2deg floor ceil trunc sign maximum minimum fmax fmin logical_and logical_or "
    "logical_xor logical_not bitwise_and bitwise_or bitwise_xor isfinite isinf isnan signbit copysign nextafter logaddexp "
    "logaddexp2 gcd lcm heaviside".split()
)


def apply(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What NumPy asks for: by lamina's operation of that meaning, else by NumPy on the tensors' values.

    Raises GradError where NumPy would have to compute what needs a gradient.
    """
    out = kwargs.pop("out", None)
    name = _NAMES.get(ufunc.__name__, ufunc.__name__)
    if method == "__call__" and not kwargs and (name in _SAME or ufunc.__name__ in _NAMES):
        result = getattr(lamina, name)(*map(_operand, inputs))
    elif method == "__call__" and not kwargs and ufunc.__name__ == "divmod":
        a, b = map(_operand, inputs)
        result = lamina.floor_divide(a, b), lamina.remainder(a, b)
    else:
        result = _by_numpy(ufunc, method, inputs, kwargs)
    return result if out is None else _written(result, out)


def _operand(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return _C.as_tensor(value) if isinstance(value, (np.ndarray, list, tuple)) else value


def _by_numpy(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    tensors = [t for t in (*inputs, *kwargs.values()) if isinstance(t, Tensor)]
    if lamina.is_grad_enabled() and any(t.requires_grad for t in tensors):
        raise _C.GradError(
            f"numpy.{ufunc.__name__}: lamina has no gradient of it; hint: use x.detach(), or write it with lamina's "
            "operations"
        )
    values = [t.detach().numpy() if isinstance(t, Tensor) else t for t in inputs]
    options = {k: t.detach().numpy() if isinstance(t, Tensor) else t for k, t in kwargs.items()}
    result = getattr(ufunc, method)(*values, **options)
    return tuple(map(_tensor, result)) if isinstance(result, tuple) else _tensor(result)


def _tensor(value: Any) -> Any:
    return value if value is None else _C.as_tensor(value)


def _written(result: Any, out: tuple[Any, ...]) -> Any:
    """out=: arrays and tensors are written in place, as `array += tensor` asks."""
    results = result if isinstance(result, tuple) else (result,)
    for value, target in zip(results, out, strict=True):
        if isinstance(target, Tensor):
            target.copy_(value)
        elif target is not None:
            target[...] = value.numpy()
    return out[0] if len(out) == 1 else out
