"""Constructors and switches that older programs use: FloatTensor(2, 3), compile(model), set_float32_matmul_precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import _C
from ._C import Tensor

_DTYPES = {
    "FloatTensor": _C.float32,
    "DoubleTensor": _C.float64,
    "HalfTensor": _C.float16,
    "BFloat16Tensor": _C.bfloat16,
    "LongTensor": _C.int64,
    "IntTensor": _C.int32,
    "ShortTensor": _C.int16,
    "CharTensor": _C.int8,
    "ByteTensor": _C.uint8,
    "BoolTensor": _C.bool,
}
_precision = "highest"
_deterministic = False


class TypedTensor(type):
    """The class of FloatTensor and its kin: an instance is any tensor of the dtype."""

    dtype: Any

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and instance.dtype == cls.dtype

    def __call__(cls, *data: Any) -> Tensor:
        return construct(cls.__name__, cls.dtype, data)


def construct(name: str, dtype: Any, data: tuple[Any, ...]) -> Tensor:
    """FloatTensor() is empty, FloatTensor(2, 3) is zero, FloatTensor(values) holds them."""
    if not data:
        return _C.empty(0, dtype=dtype)
    if all(isinstance(size, int) and not isinstance(size, bool) for size in data):
        return _C.zeros(data, dtype=dtype)
    if len(data) != 1:
        raise TypeError(f"{name}: expected sizes or one sequence, array or tensor, got {len(data)} arguments")
    (values,) = data
    return values.detach().to(dtype) if isinstance(values, Tensor) else _C.tensor(values, dtype=dtype)


def default_tensor(data: tuple[Any, ...]) -> Tensor:
    """Tensor(2, 3) and Tensor(values), in the default dtype."""
    return construct("Tensor", _C.get_default_dtype(), data)


def typed(name: str) -> TypedTensor:
    return TypedTensor(name, (), {"dtype": _DTYPES[name], "__doc__": f"{name}(sizes) or {name}(values)."})


def compile(model: Any = None, **options: Any) -> Any:
    """The model or function itself: lamina runs its kernels directly and has nothing to compile. Works as a decorator.

    >>> import lamina
    >>> model = lamina.nn.Linear(2, 2)
    >>> lamina.compile(model, mode="max-autotune") is model
    True
    """
    if model is None:
        decorator: Callable[[Any], Any] = lambda function: function
        return decorator
    if not callable(model):
        raise TypeError(f"compile: expected a Module or a function, got {type(model).__name__}")
    return model


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Kept for `are_deterministic_algorithms_enabled`; results are always the same bits.

    >>> import lamina
    >>> lamina.use_deterministic_algorithms(True)
    """
    global _deterministic
    _deterministic = bool(mode)


def are_deterministic_algorithms_enabled() -> bool:
    """What `use_deterministic_algorithms` was last given."""
    return _deterministic


def set_float32_matmul_precision(precision: str) -> None:
    """Kept for `get_float32_matmul_precision`; float32 products are always computed in float32.

    >>> import lamina
    >>> lamina.set_float32_matmul_precision("high")
    """
    global _precision
    if precision not in ("highest", "high", "medium"):
        raise ValueError(f"set_float32_matmul_precision: expected 'highest', 'high' or 'medium', got {precision!r}")
    _precision = precision


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was last given."""
    return _precision


def set_default_tensor_type(t: Any) -> None:
    """The older set_default_dtype: takes FloatTensor, DoubleTensor ... or their names.

    >>> import lamina
    >>> lamina.set_default_tensor_type(lamina.FloatTensor)
    """
    name = t.__name__ if isinstance(t, TypedTensor) else str(t).split(".")[-1]
    if name not in _DTYPES:
        raise TypeError(f"set_default_tensor_type: expected FloatTensor, DoubleTensor or their kin, got {t!r}")
    _C.set_default_dtype(_DTYPES[name])


def is_nonzero(input: Tensor) -> bool:
    """Whether the one element of a tensor is not zero; ValueError for more or none.

    >>> import lamina
    >>> lamina.is_nonzero(lamina.tensor([0.5]))
    True
    """
    if input.numel() != 1:
        raise ValueError(f"is_nonzero: expected one element, got {input.numel()}: {tuple(input.shape)}")
    return bool(input.item() != 0)


def __getattr__(name: str) -> object:
    if name in _DTYPES:
        return globals().setdefault(name, typed(name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
