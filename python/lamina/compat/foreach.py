"""torch._foreach_*: one operation over lists of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import lamina

from .._C import Tensor

Tensors = Sequence[Tensor]


def _each(value: Any, count: int) -> Sequence[Any]:
    """A list of operands, or one for all tensors."""
    if isinstance(value, (list, tuple)):
        if len(value) != count:
            raise RuntimeError(f"_foreach: lists of {count} and {len(value)} tensors")
        return value
    return [value] * count


def _apply(name: str, tensors: Tensors, operands: tuple[Any, ...], options: dict[str, Any]) -> list[Any]:
    columns = [_each(operand, len(tensors)) for operand in operands]
    return [getattr(t, name)(*row, **options) for t, *row in zip(tensors, *columns, strict=True)]


def _addc(name: str) -> Callable[..., list[Any]]:
    """addcdiv and addcmul: their factors come as a list, a tensor of them or one number."""

    def run(self: Tensors, tensor1: Tensors, tensor2: Tensors, value: Any = 1, scalars: Any = None) -> list[Any]:
        factors = value if scalars is None else scalars
        factors = _each(factors.tolist() if isinstance(factors, Tensor) and factors.dim() else factors, len(self))
        rows = zip(self, tensor1, tensor2, factors, strict=True)
        return [getattr(t, name)(a, b, value=factor) for t, a, b, factor in rows]

    return run


def _pow(self: Any, exponent: Any) -> list[Any]:
    """A number may be the base of all."""
    if not isinstance(self, (list, tuple)):
        return [self**e for e in exponent]
    return _apply("pow", self, (exponent,), {})


def _norm(self: Tensors, ord: float = 2, dtype: Any = None) -> list[Tensor]:
    return [lamina.linalg.vector_norm(t, ord, dtype=dtype) for t in self]


def _copy(self: Tensors, src: Tensors, non_blocking: bool = False) -> None:
    _apply("copy_", self, (src,), {})


_SPECIAL: dict[str, Callable[..., Any]] = {
    "addcdiv": _addc("addcdiv"),
    "addcdiv_": _addc("addcdiv_"),
    "addcmul": _addc("addcmul"),
    "addcmul_": _addc("addcmul_"),
    "copy_": _copy,
    "norm": _norm,
    "pow": _pow,
}


def _function(full: str) -> Callable[..., Any]:
    name = full.removeprefix("_foreach_")

    def run(self: Tensors, *operands: Any, **options: Any) -> Any:
        if name in _SPECIAL:
            result = _SPECIAL[name](self, *operands, **options)
        elif name.rstrip("_") in ("maximum", "minimum"):
            result = [_limit(name, t, other) for t, other in zip(self, _each(operands[0], len(self)), strict=True)]
        else:
            operands = (*operands, *(options.pop(key) for key in ("other", "weight") if key in options))
            result = _apply(name, self, operands, options)
        return None if name.endswith("_") else tuple(result)

    run.__name__ = run.__qualname__ = full
    run.__doc__ = f"Tensor.{name} of every tensor of a list."
    return run


def _limit(name: str, tensor: Tensor, other: Any) -> Tensor:
    function = lamina.maximum if name.startswith("max") else lamina.minimum
    other = other if isinstance(other, Tensor) else lamina.full_like(tensor, other)
    result = function(tensor, other)
    return tensor.copy_(result) if name.endswith("_") else result


def __getattr__(name: str) -> Any:
    if not name.startswith("_foreach_"):
        raise AttributeError(f"module 'lamina.compat.foreach' has no attribute {name!r}", name=name)
    function = globals()[name] = _function(name)
    return function
