"""Metric: the base of all streaming metrics; ExactSum: sums that do not depend on the order or the batches."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import numpy as np

M = TypeVar("M", bound="Metric")


class Metric:
    """Base class: `update` takes one batch in, `compute` gives the value so far, `merge` adds what another one saw.

    However the rows are cut into batches and spread over metrics that are merged, the value has the same bits. A
    subclass writes `reset` (which also makes the fields), `update`, `compute` and `merge`.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forgets everything seen."""
        raise NotImplementedError(f"{type(self).__name__} must define reset")

    def update(self, *batch: Any) -> None:
        """Takes one batch in."""
        raise NotImplementedError(f"{type(self).__name__} must define update")

    def compute(self) -> Any:
        """The value over everything seen; nan where nothing was."""
        raise NotImplementedError(f"{type(self).__name__} must define compute")

    def merge(self: M, other: M) -> M:
        """Takes in what `other` saw, and returns self; both must have the same settings."""
        if type(other) is not type(self) or self._settings() != other._settings():
            raise ValueError(f"{type(self).__name__}.merge: needs a metric with the same settings, got {other!r}")
        self._merge(other)
        return self

    def _merge(self: M, other: M) -> None:
        raise NotImplementedError(f"{type(self).__name__} must define _merge")

    def _settings(self) -> dict[str, Any]:
        """What the constructor was given; what was seen is in names that begin with an underscore."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._settings().items())
        return f"{type(self).__name__}({shown})"


class ExactSum:
    """A sum of float64 values without any rounding: an integer in units of 2**-1074."""

    _UNIT = 1074

    def __init__(self) -> None:
        self.units = 0
        self.special = 0.0  # nan or an infinity, once one was added

    def add(self, values: Any) -> None:
        """Adds all values of an array, or one number."""
        import numpy as np

        flat: np.ndarray[Any, Any] = np.asarray(values, dtype=np.float64).reshape(-1)
        finite = np.isfinite(flat)
        if not finite.all():
            self.special += float(flat[~finite].sum())
            flat = flat[finite]
        mantissa, exponent = np.frexp(flat)
        whole = (mantissa * 2.0**53).astype(np.int64)  # exact: 53 bits
        for e in np.unique(exponent).tolist():
            part = whole[exponent == e]
            total = (int((part >> 26).sum()) << 26) + int((part & (2**26 - 1)).sum())
            shift = e - 53 + self._UNIT
            self.units += total << shift if shift >= 0 else total >> -shift  # subnormals end in zero bits

    def add_number(self, value: float, times: int = 1) -> None:
        """Adds `times` times one number, without NumPy."""
        if not math.isfinite(value):
            self.special += value * times
            return
        mantissa, exponent = math.frexp(value)
        whole, shift = int(mantissa * 2.0**53), exponent - 53 + self._UNIT
        self.units += times * (whole << shift if shift >= 0 else whole >> -shift)

    def merge(self, other: ExactSum) -> None:
        self.units += other.units
        self.special += other.special

    def fraction(self) -> Fraction:
        return Fraction(self.units, 1 << self._UNIT)

    def over(self, count: int | Fraction) -> float:
        """sum / count, rounded once; nan for nothing."""
        if self.special != 0.0 or count == 0:
            return self.special if count else float("nan")
        return float(self.fraction() / count)


def to_array(name: str, value: Any) -> np.ndarray[Any, Any]:
    """A tensor, array, list or number as a NumPy array; floating values as float64."""
    import numpy as np

    from .._C import Tensor

    if isinstance(value, Tensor):
        value = value.detach().to("cpu")
        if value.is_floating_point():
            value = value.double()
        return value.numpy()  # type: ignore[no-any-return]
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: expected numbers, got {array.dtype}")
    return array.astype(np.float64) if array.dtype.kind == "f" else array
