"""Metrics of numbers: errors and the share of variance explained."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ._base import ExactSum, Metric, to_array

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


def _pair(name: str, output: Any, target: Any) -> tuple[Array, Array]:
    import numpy as np

    p, t = to_array(name, output), to_array(name, target)
    if p.shape != t.shape:
        from .. import ShapeError

        raise ShapeError(
            f"{name}: output and target should have one shape, got {p.shape} and {t.shape}; "
            "hint: target.unsqueeze(1) or output.squeeze(1)"
        )
    return p.astype(np.float64).reshape(-1), t.astype(np.float64).reshape(-1)


class _Errors(Metric):
    """The exact sum of a function of the error, over all elements."""

    def reset(self) -> None:
        self._sum, self._count = ExactSum(), 0

    def _error(self, difference: Any) -> Any:
        raise NotImplementedError

    def update(self, output: Any, target: Any) -> None:
        p, t = _pair(type(self).__name__, output, target)
        self._sum.add(self._error(p - t))
        self._count += p.size

    def compute(self) -> float:
        return self._sum.over(self._count)

    def _merge(self, other: _Errors) -> None:
        self._sum.merge(other._sum)
        self._count += other._count


class MSE(_Errors):
    """The mean squared error over all elements: (*), (*).

    >>> import lamina
    >>> metric = lamina.metrics.MSE()
    >>> metric.update(lamina.tensor([1.0, 3.0]), lamina.tensor([1.0, 1.0]))
    >>> metric.compute()
    2.0
    """

    def _error(self, difference: Any) -> Any:
        return difference * difference


class RMSE(MSE):
    """The root of the mean squared error: (*), (*).

    >>> import lamina
    >>> metric = lamina.metrics.RMSE()
    >>> metric.update(lamina.tensor([1.0, 5.0]), lamina.tensor([1.0, 1.0]))
    >>> round(metric.compute(), 4)
    2.8284
    """

    def compute(self) -> float:
        return math.sqrt(super().compute())


class MAE(_Errors):
    """The mean absolute error over all elements: (*), (*).

    >>> import lamina
    >>> metric = lamina.metrics.MAE()
    >>> metric.update(lamina.tensor([1.0, 3.0]), lamina.tensor([1.0, 1.0]))
    >>> metric.compute()
    1.0
    """

    def _error(self, difference: Any) -> Any:
        return abs(difference)


class R2(Metric):
    """1 - sum of squared errors / sum of squared distances from the mean: 1 is perfect, 0 as good as the mean.

    Over all elements: (*), (*). nan for fewer than two rows; where the target does not vary, 1 if there is no error
    and 0 otherwise.

    >>> import lamina
    >>> metric = lamina.metrics.R2()
    >>> metric.update(lamina.tensor([1.0, 2.0, 4.0]), lamina.tensor([1.0, 2.0, 3.0]))
    >>> metric.compute()
    0.5
    """

    def reset(self) -> None:
        self._error, self._sum, self._squares, self._count = ExactSum(), ExactSum(), ExactSum(), 0

    def update(self, output: Any, target: Any) -> None:
        import numpy as np

        p, t = _pair("R2", output, target)
        self._error.add((p - t) ** 2)
        self._sum.add(t)
        square = t * t
        self._squares.add(square)
        if np.isfinite(square).all():
            self._squares.add(_rounding(t, square))
        self._count += p.size

    def compute(self) -> float:
        if self._count < 2 or self._error.special or self._sum.special or self._squares.special:
            return float("nan")
        error = self._error.fraction()
        spread = self._squares.fraction() - self._sum.fraction() ** 2 / self._count
        if spread == 0:
            return 1.0 if error == 0 else 0.0
        return float(1 - Fraction(error) / spread)

    def _merge(self, other: R2) -> None:
        self._error.merge(other._error)
        self._sum.merge(other._sum)
        self._squares.merge(other._squares)
        self._count += other._count


def _rounding(t: Array, square: Array) -> Array:
    """t * t - square without rounding (Dekker 1971), so that the sum of squares is exact."""
    high = t * 134217729.0  # 2**27 + 1
    high = high - (high - t)
    low = t - high
    return ((high * high - square) + 2 * high * low) + low * low
