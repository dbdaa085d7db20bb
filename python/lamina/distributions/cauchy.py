"""Cauchy, HalfCauchy and HalfNormal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import lamina

from .._C import Tensor
from . import constraints
from .continuous import Normal
from .distribution import Distribution
from .utils import broadcast_all, uniform_inside


class Cauchy(Distribution):
    """1 / (pi scale (1 + ((x - loc) / scale)^2)): no mean, and no finite variance.

    >>> import lamina
    >>> lamina.distributions.Cauchy(0.0, 1.0).cdf(lamina.tensor([-1.0, 0.0])).tolist()
    [0.25, 0.5]
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
        return lamina.full_like(self.loc, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return lamina.full_like(self.loc, math.inf)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self.icdf(uniform_inside(self._extended_shape(sample_shape), self.loc))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -math.log(math.pi) - self.scale.log() - ((value - self.loc) / self.scale).square().log1p()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return ((value - self.loc) / self.scale).atan() / math.pi + 0.5

    def icdf(self, value: Tensor) -> Tensor:
        return (math.pi * (value - 0.5)).tan() * self.scale + self.loc

    def entropy(self) -> Tensor:
        return math.log(4 * math.pi) + self.scale.log()


class _Half(Distribution):
    """|x| for x of a distribution that is symmetric around 0."""

    arg_constraints = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _tails = {"scale": 0}
    _whole: ClassVar[type[Distribution]]

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        (self.scale,) = broadcast_all(scale)
        super().__init__(self.scale.shape, validate_args=validate_args)

    @property
    def base_dist(self) -> Any:
        make: Any = self._whole
        return make(lamina.zeros_like(self.scale), self.scale, validate_args=False)

    @property
    def mode(self) -> Tensor:
        return lamina.zeros_like(self.scale)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        found: Tensor = self.base_dist.rsample(sample_shape).abs()
        return found

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        found = self.base_dist.log_prob(value) + math.log(2)
        return lamina.where(value >= 0, found, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        found: Tensor = 2 * self.base_dist.cdf(value) - 1
        return found

    def icdf(self, value: Tensor) -> Tensor:
        found: Tensor = self.base_dist.icdf((value + 1) / 2)
        return found

    def entropy(self) -> Tensor:
        found: Tensor = self.base_dist.entropy() - math.log(2)
        return found


class HalfCauchy(_Half):
    """2 / (pi scale (1 + (x / scale)^2)) for x >= 0.

    >>> import lamina
    >>> round(lamina.distributions.HalfCauchy(1.0).log_prob(lamina.tensor(1.0)).item(), 4)
    -1.1447
    """

    _whole = Cauchy

    @property
    def mean(self) -> Tensor:
        return lamina.full_like(self.scale, math.inf)

    @property
    def variance(self) -> Tensor:
        return lamina.full_like(self.scale, math.inf)


class HalfNormal(_Half):
    """sqrt(2 / pi) exp(-x^2 / (2 scale^2)) / scale for x >= 0.

    >>> import lamina
    >>> round(lamina.distributions.HalfNormal(1.0).mean.item(), 4)
    0.7979
    """

    _whole = Normal

    @property
    def mean(self) -> Tensor:
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self) -> Tensor:
        return self.scale.square() * (1 - 2 / math.pi)
