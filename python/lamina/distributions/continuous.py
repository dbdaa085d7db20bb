"""Normal, Uniform and the multivariate normal distribution."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import lamina

from .._C import Tensor
from . import constraints
from .constraints import Constraint
from .distribution import Distribution
from .exponential_family import ExponentialFamily
from .utils import broadcast_all, lazy_property


class Normal(ExponentialFamily):
    """exp(-(x - loc)^2 / (2 scale^2)) / (scale sqrt(2 pi)).

    >>> import lamina
    >>> normal = lamina.distributions.Normal(0.0, 1.0)
    >>> round(normal.log_prob(lamina.tensor(0.0)).item(), 4), normal.sample((3,)).shape
    (-0.9189, (3,))
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True
    _tails = {"loc": 0, "scale": 0}

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        return self.scale.square()

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self.loc + lamina.randn(shape, dtype=self.loc.dtype, device=self.loc.device) * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -((value - self.loc) / self.scale).square() / 2 - self.scale.log() - 0.5 * math.log(2 * math.pi)

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return 0.5 * (-(value - self.loc) / (self.scale * math.sqrt(2))).erfc()

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc + self.scale * math.sqrt(2) * lamina.erfinv(2 * value - 1)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.loc / self.scale.square(), -0.5 / self.scale.square()

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        return -0.25 * x.square() / y + 0.5 * (-math.pi / y).log()

    def entropy(self) -> Tensor:
        return 0.5 + 0.5 * math.log(2 * math.pi) + self.scale.log()


class Uniform(Distribution):
    """1 / (high - low) on [low, high).

    >>> import lamina
    >>> lamina.distributions.Uniform(1.0, 3.0).cdf(lamina.tensor([1.5, 3.0])).tolist()
    [0.25, 1.0]
    """

    has_rsample = True
    _tails = {"low": 0, "high": 0}

    def __init__(self, low: Any, high: Any, validate_args: bool | None = None) -> None:
        self.low, self.high = broadcast_all(low, high)
        super().__init__(self.low.shape, validate_args=validate_args)

    @property
    def arg_constraints(self) -> Mapping[str, Constraint]:
        return {"low": constraints.less_than(self.high), "high": constraints.greater_than(self.low)}

    @property
    def support(self) -> Constraint:
        return constraints.interval(self.low, self.high)

    @property
    def mean(self) -> Tensor:
        return (self.high + self.low) / 2

    @property
    def mode(self) -> Tensor:
        return math.nan * self.high

    @property
    def stddev(self) -> Tensor:
        return (self.high - self.low) / math.sqrt(12)

    @property
    def variance(self) -> Tensor:
        return (self.high - self.low).square() / 12

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        uniform = lamina.rand(shape, dtype=self.low.dtype, device=self.low.device)
        return self.low + uniform * (self.high - self.low)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        inside = ((value >= self.low) & (value < self.high)).to(self.low.dtype)
        return inside.log() - (self.high - self.low).log()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return ((value - self.low) / (self.high - self.low)).clamp(0, 1)

    def icdf(self, value: Tensor) -> Tensor:
        return value * (self.high - self.low) + self.low

    def entropy(self) -> Tensor:
        return (self.high - self.low).log()


def solve_lower(lower: Tensor, right: Tensor) -> Tensor:
    """L^-1 B by forward substitution, batched: (*, N, N), (*, N, K) -> (*, N, K)."""
    rows: list[Tensor] = []
    for i in range(lower.shape[-1]):
        row = right[..., i, :]
        if rows:
            row = row - (lower[..., i, :i].unsqueeze(-2) @ lamina.stack(rows, -2)).squeeze(-2)
        rows.append(row / lower[..., i, i].unsqueeze(-1))
    return lamina.stack(rows, -2)


def one_matrix(
    what: str, covariance_matrix: Tensor | None, precision_matrix: Tensor | None, scale_tril: Tensor | None
) -> tuple[str, Tensor]:
    """The one of three that is given, and its name."""
    given = {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril}
    found = [(name, matrix) for name, matrix in given.items() if matrix is not None]
    if len(found) != 1:
        raise ValueError(
            f"{what}: give exactly one of covariance_matrix, precision_matrix and scale_tril, got {len(found)}"
        )
    return found[0]


def cholesky_factor(name: str, matrix: Tensor) -> Tensor:
    """L of L L^T = covariance, from the matrix of that name."""
    if name == "scale_tril":
        return matrix
    if name == "covariance_matrix":
        return lamina.linalg.cholesky(matrix)
    # with J reversing the order: P = J M M^T J, so L = (J M J)^-T is lower
    flipped = lamina.linalg.cholesky(matrix.flip(-2, -1)).flip(-2, -1).transpose(-2, -1)
    eye = lamina.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device).expand(tuple(matrix.shape))
    return solve_lower(flipped, eye)


class MultivariateNormal(Distribution):
    """exp(-(x - loc)^T C^-1 (x - loc) / 2) / sqrt(det(2 pi C)); C = covariance_matrix = L L^T, L = scale_tril.

    Give one of covariance_matrix, precision_matrix (its inverse) and scale_tril. Event shape (N,).

    >>> import lamina
    >>> normal = lamina.distributions.MultivariateNormal(lamina.zeros(2), lamina.eye(2))
    >>> round(normal.log_prob(lamina.zeros(2)).item(), 4), normal.sample((3,)).shape
    (-1.8379, (3, 2))
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True
    _tails = {"loc": 1, "covariance_matrix": 2, "precision_matrix": 2, "scale_tril": 2, "_lower": 2}

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        name, matrix = one_matrix("MultivariateNormal", covariance_matrix, precision_matrix, scale_tril)
        if loc.ndim < 1:
            raise lamina.ShapeError("MultivariateNormal: loc must be at least one-dimensional, got shape ()")
        size = loc.shape[-1]
        if matrix.ndim < 2 or tuple(matrix.shape[-2:]) != (size, size):
            raise lamina.ShapeError(
                f"MultivariateNormal: {name} has shape {tuple(matrix.shape)}, expected it to end with "
                f"({size}, {size}), the size of loc {tuple(loc.shape)}"
            )
        batch = lamina.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        self.loc = loc.expand((*batch, size))
        self.__dict__[name] = matrix.expand((*batch, size, size))
        super().__init__(batch, (size,), validate_args)
        self._lower = cholesky_factor(name, matrix).expand((*batch, size, size))

    @lazy_property
    def scale_tril(self) -> Tensor:
        return self._lower

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        return self._lower @ self._lower.transpose(-2, -1)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        size = self._event_shape[0]
        eye = lamina.eye(size, dtype=self.loc.dtype, device=self.loc.device).expand(tuple(self._lower.shape))
        inverse = solve_lower(self._lower, eye)
        return inverse.transpose(-2, -1) @ inverse

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return self._lower.square().sum(-1)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        normal = lamina.randn(shape, dtype=self.loc.dtype, device=self.loc.device)
        return self.loc + (self._lower @ normal.unsqueeze(-1)).squeeze(-1)

    def _half_log_det(self) -> Tensor:
        return self._lower.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        white = solve_lower(self._lower, (value - self.loc).unsqueeze(-1)).squeeze(-1)
        size = self._event_shape[0]
        return -0.5 * (size * math.log(2 * math.pi) + white.square().sum(-1)) - self._half_log_det()

    def entropy(self) -> Tensor:
        return 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + self._half_log_det()
