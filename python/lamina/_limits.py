"""Limits of dtypes: finfo and iinfo, with PyTorch's fields."""

from __future__ import annotations

from . import _C

# bits of the number, digits of the mantissa after the point, largest and smallest exponent, decimal digits
_FLOATS = {
    "float16": (16, 10, 15, -14, 3),
    "bfloat16": (16, 7, 127, -126, 2),
    "float32": (32, 23, 127, -126, 6),
    "float64": (64, 52, 1023, -1022, 15),
}
_INTEGERS = {"uint8": (8, False), "int8": (8, True), "int16": (16, True), "int32": (32, True), "int64": (64, True)}


class finfo:
    """Limits of a floating dtype.

    >>> import lamina
    >>> lamina.finfo(lamina.float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, type: _C.dtype | None = None) -> None:
        t = _C.get_default_dtype() if type is None else type
        name = getattr(t, "name", "")
        if name not in _FLOATS:
            raise TypeError(f"finfo: needs a floating dtype, got {t!r}; use iinfo for integers")
        self.bits, digits, high, low, decimals = _FLOATS[name]
        self.dtype: str = name
        self.eps: float = 2.0**-digits
        self.max: float = (2.0 - 2.0**-digits) * 2.0**high
        self.min: float = -self.max
        self.tiny: float = 2.0**low
        self.smallest_normal: float = self.tiny
        self.resolution: float = 10.0**-decimals

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and other.dtype == self.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)


class iinfo:
    """Limits of an integer dtype.

    >>> import lamina
    >>> lamina.iinfo(lamina.int8).max
    127
    """

    def __init__(self, type: _C.dtype) -> None:
        name = getattr(type, "name", "")
        if name not in _INTEGERS:
            raise TypeError(f"iinfo: needs an integer dtype, got {type!r}; use finfo for floats")
        self.bits, signed = _INTEGERS[name]
        self.dtype: str = name
        self.max: int = 2 ** (self.bits - signed) - 1
        self.min: int = -(2 ** (self.bits - 1)) if signed else 0

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and other.dtype == self.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)
