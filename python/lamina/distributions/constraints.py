"""Constraints: sets that parameters and samples must lie in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import lamina

from .._C import Tensor

__all__ = [
    "Constraint",
    "boolean",
    "cat",
    "corr_cholesky",
    "dependent",
    "dependent_property",
    "greater_than",
    "greater_than_eq",
    "independent",
    "integer_interval",
    "interval",
    "half_open_interval",
    "is_dependent",
    "less_than",
    "lower_cholesky",
    "lower_triangular",
    "MixtureSameFamilyConstraint",
    "multinomial",
    "nonnegative",
    "nonnegative_integer",
    "one_hot",
    "positive",
    "positive_semidefinite",
    "positive_definite",
    "positive_integer",
    "real",
    "real_vector",
    "simplex",
    "square",
    "stack",
    "symmetric",
    "unit_interval",
]


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
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    def check(self, value: Tensor) -> Tensor:
        found = self.base_constraint.check(value)
        return found.reshape(*found.shape[: found.ndim - self.reinterpreted_batch_ndims], -1).all(-1)

    def __repr__(self) -> str:
        return f"independent({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


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
        work, positive = value.detach().to(lamina.float64).clone(), symmetric.check(value)
        for i in range(value.shape[-1]):
            pivot = work[..., i, i]
            positive = positive & (pivot > 0)
            row = work[..., i, :] / lamina.where(pivot > 0, pivot, 1.0).unsqueeze(-1)
            work = work - work[..., :, i].unsqueeze(-1) * row.unsqueeze(-2)
        return positive


class _Symmetric(_Square):
    """Equal to its transpose to 1e-6."""

    def check(self, value: Tensor) -> Tensor:
        other = value.transpose(-2, -1)
        return ((value - other).abs() <= 1e-6 + 1e-6 * other.abs()).flatten(-2).all(-1)


class _PositiveSemidefinite(_Symmetric):
    def check(self, value: Tensor) -> Tensor:
        """Symmetric, and no eigenvalue below the rounding of the largest."""
        values = lamina.linalg.eigvalsh(value.detach().to(lamina.float64))
        size = values.abs().max(-1).values.clamp(min=1e-300) * value.shape[-1]
        found: Tensor = super().check(value) & (values >= -size.unsqueeze(-1) * _rounding(value)).all(-1)
        return found


class _LowerTriangular(_Square):
    def check(self, value: Tensor) -> Tensor:
        return (value.tril() == value).flatten(-2).all(-1)


class _CorrCholesky(_LowerCholesky):
    """Lower triangular, with a positive diagonal and rows of length 1."""

    def check(self, value: Tensor) -> Tensor:
        length = value.square().sum(-1).sqrt()
        unit = ((length - 1).abs() <= _rounding(value) * value.shape[-1] * 10).all(-1)
        found: Tensor = super().check(value) & unit
        return found


def _rounding(value: Tensor) -> float:
    return float(lamina.finfo(value.dtype).eps)


class _SquareMatrix(_Square):
    def check(self, value: Tensor) -> Tensor:
        fits = value.ndim >= 2 and value.shape[-1] == value.shape[-2]
        return lamina.full(tuple(value.shape[:-2]), fits, dtype=lamina.bool, device=value.device)


class _HalfOpenInterval(_Interval):
    """lower_bound <= x < upper_bound."""

    def check(self, value: Tensor) -> Tensor:
        found: Tensor = (value >= self.lower_bound) & (value < self.upper_bound)
        return found


class _IntegerGreaterThan(_GreaterThanEq):
    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value % 1 == 0) & super().check(value)


class _OneHot(Constraint):
    """Vectors of zeros and a single one."""

    is_discrete = True
    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return ((value == 0) | (value == 1)).all(-1) & (value.sum(-1) == 1)


class _Multinomial(Constraint):
    """Vectors of counts that sum to at most upper_bound."""

    is_discrete = True
    event_dim = 1

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Tensor) -> Tensor:
        found: Tensor = (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)
        return found


class _Dependent(Constraint):
    """A set that depends on other values; it cannot be checked by itself."""

    def __init__(self, *, is_discrete: bool = False, event_dim: int = 0) -> None:
        self.is_discrete, self.event_dim = is_discrete, event_dim

    def __call__(self, *, is_discrete: bool | None = None, event_dim: int | None = None) -> _Dependent:
        return _Dependent(
            is_discrete=self.is_discrete if is_discrete is None else is_discrete,
            event_dim=self.event_dim if event_dim is None else event_dim,
        )

    def check(self, value: Tensor) -> Tensor:
        raise ValueError("dependent: a constraint that depends on other values cannot be checked by itself")


def is_dependent(constraint: object) -> bool:
    """Whether the constraint depends on other values, so that `check` refuses."""
    return isinstance(constraint, _Dependent)


class _DependentProperty(property, _Dependent):
    """A property of a distribution that gives a constraint made of its parameters; on the class, a dependent one.

    Also a decorator with arguments: `@constraints.dependent_property(is_discrete=False, event_dim=0)`.
    """

    def __init__(
        self, fn: Callable[[Any], Constraint] | None = None, *, is_discrete: bool = False, event_dim: int = 0
    ) -> None:
        property.__init__(self, fn)
        _Dependent.__init__(self, is_discrete=is_discrete, event_dim=event_dim)

    def __call__(self, fn: Callable[[Any], Constraint]) -> _DependentProperty:  # type: ignore[override]
        return _DependentProperty(fn, is_discrete=self.is_discrete, event_dim=self.event_dim)


class _Parts(Constraint):
    """Constraints side by side along `dim`."""

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0) -> None:
        self.cseq, self.dim = list(cseq), dim
        self.is_discrete = any(c.is_discrete for c in self.cseq)
        self.event_dim = max(c.event_dim for c in self.cseq)


class _Cat(_Parts):
    """The i-th constraint for lengths[i] places along `dim`."""

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0, lengths: Sequence[int] | None = None) -> None:
        super().__init__(cseq, dim)
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.cseq):
            raise ValueError(f"cat: {len(self.cseq)} constraints but {len(self.lengths)} lengths")

    def check(self, value: Tensor) -> Tensor:
        pieces = value.split(self.lengths, self.dim)
        return lamina.cat([c.check(piece) for c, piece in zip(self.cseq, pieces, strict=True)], self.dim)


class _Stack(_Parts):
    """The i-th constraint for value.select(dim, i)."""

    def check(self, value: Tensor) -> Tensor:
        return lamina.stack([c.check(v) for c, v in zip(self.cseq, value.unbind(self.dim), strict=True)], self.dim)


class MixtureSameFamilyConstraint(Constraint):
    """The base constraint for every component of a mixture, whose values have no dim of components."""

    def __init__(self, base_constraint: Constraint) -> None:
        self.base_constraint = base_constraint
        self.is_discrete, self.event_dim = base_constraint.is_discrete, base_constraint.event_dim

    def check(self, value: Tensor) -> Tensor:
        """True where every component may have made the value."""
        return self.base_constraint.check(value.unsqueeze(-1 - self.event_dim)).all(-1)

    def __repr__(self) -> str:
        return f"MixtureSameFamilyConstraint({self.base_constraint!r})"


real = _Real()
boolean = _Boolean()
unit_interval = _Interval(0.0, 1.0)
positive = _GreaterThan(0.0)
nonnegative = _GreaterThanEq(0.0)
nonnegative_integer = _IntegerGreaterThan(0)
positive_integer = _IntegerGreaterThan(1)
one_hot = _OneHot()
multinomial = _Multinomial
simplex = _Simplex()
lower_cholesky = _LowerCholesky()
positive_definite = _PositiveDefinite()
positive_semidefinite = _PositiveSemidefinite()
symmetric = _Symmetric()
square = _SquareMatrix()
lower_triangular = _LowerTriangular()
corr_cholesky = _CorrCholesky()
real_vector = _IndependentConstraint(real, 1)
interval = _Interval
half_open_interval = _HalfOpenInterval
integer_interval = _IntegerInterval
greater_than = _GreaterThan
greater_than_eq = _GreaterThanEq
less_than = _LessThan
independent = _IndependentConstraint
cat = _Cat
stack = _Stack
dependent = _Dependent()
dependent_property = _DependentProperty
