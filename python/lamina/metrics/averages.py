"""Means of what is measured per batch: of a function, or of the loss."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from ._base import ExactSum, Metric, to_array
from ._denominator import Number, denominator_of


class Mean(Metric):
    """The mean of a function over all rows: `function(*batch)` gives one value per row, or the mean of the batch.

    A mean of the batch counts as often as it has rows. PyTorch's losses, and functions with a method
    `denominator(target)`, count by what they divide by: the targets that are not ignored, with their weights.

    >>> import lamina
    >>> metric = lamina.metrics.Mean(lambda output, target: (output - target).abs().mean())
    >>> metric.update(lamina.tensor([1.0, 2.0]), lamina.tensor([1.0, 1.0]))
    >>> metric.compute()
    0.5
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        super().__init__()

    def reset(self) -> None:
        self._sum, self._count = ExactSum(), Fraction(0)

    def update(self, *batch: Any) -> None:
        value = to_array("Mean", self.function(*batch))
        rows = len(batch[0]) if getattr(batch[0], "shape", ()) else 1
        if value.shape[:1] == (rows,) and value.ndim == 1:
            self._sum.add(value)
            self._count += rows
        elif value.size == 1:
            denominator = denominator_of(self.function)
            found = None if denominator is None else denominator(batch[-1])
            times = rows if found is None else found
            if times:
                self._sum.add(value.reshape(()) * times)
            self._count += Fraction(times)
        else:
            raise ValueError(f"Mean: the function should give one number or one a row, got shape {value.shape}")

    def compute(self) -> float:
        return self._sum.over(self._count)

    def _merge(self, other: Mean) -> None:
        self._sum.merge(other._sum)
        self._count += other._count


class MeanLoss(Metric):
    """The mean of losses that are means themselves: `update(loss, weight)` weighs each by its rows, or by another number.

    A loss of weight 0 is not looked at. `add_sum(total, rows)` takes one that is a sum.

    >>> import lamina
    >>> metric = lamina.metrics.MeanLoss()
    >>> metric.update(lamina.tensor(2.0), 3); metric.update(6.0, 1)
    >>> metric.compute()
    3.0
    """

    def reset(self) -> None:
        self._sum, self._count = ExactSum(), Fraction(0)

    def update(self, loss: Any, weight: Number = 1) -> None:
        if getattr(loss, "shape", ()):
            raise ValueError(f"MeanLoss: the loss should be one number, got shape {tuple(loss.shape)}")
        if weight == 0:
            return
        if isinstance(weight, int):
            self._sum.add_number(float(loss), weight)
        else:
            self._sum.add_number(float(loss) * weight)
        self._count += Fraction(weight)

    def add_sum(self, total: Any, rows: int) -> None:
        """Takes in the sum of the losses of so many rows."""
        self._sum.add_number(float(total))
        self._count += rows

    def compute(self) -> float:
        return self._sum.over(self._count)

    def _merge(self, other: MeanLoss) -> None:
        self._sum.merge(other._sum)
        self._count += other._count

    def state(self) -> list[Any]:
        """What was seen, in numbers that JSON keeps exactly."""
        return [self._sum.units, self._sum.special, *self._count.as_integer_ratio()]

    @classmethod
    def from_state(cls, state: list[Any]) -> MeanLoss:
        """A metric that has seen what `state` says."""
        metric = cls()
        metric._sum.units, metric._sum.special = state[:2]
        metric._count = Fraction(*state[2:])
        return metric
