"""Constraints: sets that parameters and samples must lie in."""

from __future__ import annotations

from typing import Any

import lamina

from .._C import Tensor


class Constraint:
    """Base class: `check(value)` says for each batch element whether it lies in the set.

    >>> import lamina
    >>> lamina.distributions.constraints.positive.check(lamina.tensor([1.0, 0.0])).tolist()
    [True, False]
    """

    is_discrete = False
    event_dim = 0

    def check(self, value: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must define check()")

    def __repr__(self) -> str:
        return type(self).__name__.lstrip("_") + "()"


class _Real(Constraint):
    def check(self, value: Tensor) -> Tensor:
        return value == value  # all but NaN


class _Boolean(Constraint):
    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value == 0) | (value == 1)


class _Interval(Constraint):
    """lower_bound <= x <= upper_bound."""

    def __init__(self, lower_bound: Any, upper_bound: Any) -> None:
        self.lower_bound, self.upper_bound = lower_bound, upper_bound

    def check(self, value: Tensor) -> Tensor:
        found: Tensor = (value >= self.lower_bound) & (value <= self.upper_bound)
        return found

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-2]}(lower_bound={self.lower_bound}, upper_bound={self.upper_bound})"


class _IntegerInterval(_Interval):
    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value % 1 == 0) & super().check(value)


class _GreaterThan(Constraint):
    def __init__(self, lower_bound: Any) -> None:
        self.lower_bound = lower_bound

    def check(self, value: Tensor) -> Tensor:
        found: Tensor = value > self.lower_bound
        return found

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-2]}(lower_bound={self.lower_bound})"


class _GreaterThanEq(_GreaterThan):
    def check(self, value: Tensor) -> Tensor:
        found: Tensor = value >= self.lower_bound
        return found


class _LessThan(Constraint):
    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Tensor) -> Tensor:
        found: Tensor = value < self.upper_bound
        return found

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-2]}(upper_bound={self.upper_bound})"


class _IndependentConstraint(Constraint):
    """The base constraint for all elements of the last dims."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint, self.event_dim = base_constraint, reinterpreted_batch_ndims + base_constraint.event_dim
        self.is_discrete = base_constraint.is_discrete
        self._dims = reinterpreted_batch_ndims

    def check(self, value: Tensor) -> Tensor:
        found = self.base_constraint.check(value)
        return found.reshape(*found.shape[: found.ndim - self._dims], -1).all(-1)

    def __repr__(self) -> str:
        return f"independent({self.base_constraint!r}, {self._dims})"


class _Simplex(Constraint):
    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


class _Square(Constraint):
    event_dim = 2


class _LowerCholesky(_Square):
    def check(self, value: Tensor) -> Tensor:
        lower = (value.tril() == value).flatten(-2).all(-1)
        return lower & (value.diagonal(0, -2, -1) > 0).all(-1)


class _PositiveDefinite(_Square):
    def check(self, value: Tensor) -> Tensor:
        """Symmetric to 1e-6 of its size, and with positive pivots."""
        other = value.transpose(-2, -1)
        symmetric = ((value - other).abs() <= 1e-6 + 1e-6 * other.abs()).flatten(-2).all(-1)
        work, positive = value.detach().to(lamina.float64).clone(), symmetric
        for i in range(value.shape[-1]):
            pivot = work[..., i, i]
            positive = positive & (pivot > 0)
            row = work[..., i, :] / lamina.where(pivot > 0, pivot, 1.0).unsqueeze(-1)
            work = work - work[..., :, i].unsqueeze(-1) * row.unsqueeze(-2)
        return positive


real = _Real()
boolean = _Boolean()
unit_interval = _Interval(0.0, 1.0)
positive = _GreaterThan(0.0)
nonnegative = _GreaterThanEq(0.0)
nonnegative_integer = _IntegerInterval(0, float("inf"))
simplex = _Simplex()
lower_cholesky = _LowerCholesky()
positive_definite = _PositiveDefinite()
real_vector = _IndependentConstraint(real, 1)
interval = _Interval
integer_interval = _IntegerInterval
greater_than = _GreaterThan
greater_than_eq = _GreaterThanEq
less_than = _LessThan
independent = _IndependentConstraint
