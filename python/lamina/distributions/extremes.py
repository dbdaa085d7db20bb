"""Extremes and tails: Gumbel, Weibull, Pareto, GeneralizedPareto, Kumaraswamy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import lamina

from .._C import Tensor
from . import constraints
from .constraints import Constraint, dependent_property
from .distribution import Distribution
from .utils import broadcast_all, uniform_inside

EULER = 0.5772156649015329  # the Euler-Mascheroni constant


class _ByInverse(Distribution):
    """Samples are the inverse distribution function of uniform numbers."""

    has_rsample = True

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        like = self.__dict__[next(iter(self._tails))]
        return self.icdf(uniform_inside(self._extended_shape(sample_shape), like))


class Gumbel(_ByInverse):
    """exp(-(z + exp(-z))) / scale with z = (x - loc) / scale: the largest of many.

    >>> import lamina
    >>> round(lamina.distributions.Gumbel(0.0, 1.0).mean.item(), 4)
    0.5772
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    _tails = {"loc": 0, "scale": 0}

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc + self.scale * EULER

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return math.pi / math.sqrt(6) * self.scale

    @property
    def variance(self) -> Tensor:
        return self.stddev.square()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        y = (self.loc - value) / self.scale
        return y - y.exp() - self.scale.log()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return (-((self.loc - value) / self.scale).exp()).exp()

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc - self.scale * (-value.log()).log()

    def entropy(self) -> Tensor:
        return self.scale.log() + (1 + EULER)


class Weibull(_ByInverse):
    """(c / scale) (x / scale)^(c - 1) exp(-(x / scale)^c) for x > 0, c the concentration.

    >>> import lamina
    >>> lamina.distributions.Weibull(2.0, 1.0).mean.item()
    2.0
    """

    arg_constraints = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive
    _tails = {"scale": 0, "concentration": 0}

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        super().__init__(self.scale.shape, validate_args=validate_args)

    def _log_gamma(self, moment: int) -> Tensor:
        return lamina.lgamma(1 + moment / self.concentration)

    @property
    def mean(self) -> Tensor:
        return self.scale * self._log_gamma(1).exp()

    @property
    def mode(self) -> Tensor:
        """0 for concentrations up to 1."""
        c = self.concentration
        return self.scale * ((c - 1).clamp(min=0) / c).pow(1 / c)

    @property
    def variance(self) -> Tensor:
        return self.scale.square() * (self._log_gamma(2).exp() - (2 * self._log_gamma(1)).exp())

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        c, log = self.concentration, (value / self.scale).log()
        return (c / self.scale).log() + (c - 1) * log - (c * log).exp()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -(-(value / self.scale).pow(self.concentration)).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        return self.scale * (-(-value).log1p()).pow(1 / self.concentration)

    def entropy(self) -> Tensor:
        c = self.concentration
        return EULER * (1 - 1 / c) + (self.scale / c).log() + 1


class Pareto(_ByInverse):
    """alpha scale^alpha / x^(alpha + 1) for x >= scale.

    >>> import lamina
    >>> lamina.distributions.Pareto(1.0, 2.0).mean.item()
    2.0
    """

    arg_constraints = {"scale": constraints.positive, "alpha": constraints.positive}
    _tails = {"scale": 0, "alpha": 0}

    def __init__(self, scale: Any, alpha: Any, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = broadcast_all(scale, alpha)
        super().__init__(self.scale.shape, validate_args=validate_args)

    @dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Constraint:
        return constraints.greater_than_eq(self.scale)

    @property
    def mean(self) -> Tensor:
        a = self.alpha.clamp(min=1)  # infinite up to 1
        return a * self.scale / (a - 1)

    @property
    def mode(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        a = self.alpha.clamp(min=2)  # infinite up to 2
        return self.scale.square() * a / ((a - 1).square() * (a - 2))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return self.alpha.log() + self.alpha * self.scale.log() - (self.alpha + 1) * value.log()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -(self.alpha * (self.scale / value).log()).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        return self.scale * (-(-value).log1p() / self.alpha).exp()

    def entropy(self) -> Tensor:
        return (self.scale / self.alpha).log() + 1 + 1 / self.alpha


class GeneralizedPareto(_ByInverse):
    """(1 + c z)^(-1 / c - 1) / scale with z = (x - loc) / scale >= 0, c the concentration; exp(-z) / scale for c = 0.

    For c < 0 the values end at loc - scale / c.

    >>> import lamina
    >>> lamina.distributions.GeneralizedPareto(0.0, 2.0, -1.0).cdf(lamina.tensor(1.0)).item()
    0.5
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real}
    _tails = {"loc": 0, "scale": 0, "concentration": 0}

    def __init__(self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Constraint:
        ends = self.concentration < 0
        last = self.loc - self.scale / lamina.where(ends, self.concentration, -1.0)
        return constraints.interval(self.loc, lamina.where(ends, last, math.inf))

    def _split(self) -> tuple[Tensor, Tensor]:
        """(where the concentration is 0, the concentration with 1 there: no division by zero, no NaN gradients)."""
        zero = self.concentration == 0
        return zero, lamina.where(zero, 1.0, self.concentration)

    def log_survival_function(self, value: Tensor) -> Tensor:
        """log P(X > value)."""
        self._validate_sample(value)
        (zero, c), z = self._split(), (value - self.loc) / self.scale
        return lamina.where(zero, -z, -(c * z).log1p() / c)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        (zero, c), z = self._split(), (value - self.loc) / self.scale
        return -self.scale.log() - lamina.where(zero, z, (1 + 1 / c) * (c * z).log1p())

    def cdf(self, value: Tensor) -> Tensor:
        return -self.log_survival_function(value).expm1()

    def log_cdf(self, value: Tensor) -> Tensor:
        return (-self.log_survival_function(value).exp()).log1p()

    def icdf(self, value: Tensor) -> Tensor:
        (zero, c), left = self._split(), (-value).log1p()
        return self.loc + self.scale * lamina.where(zero, -left, (-c * left).expm1() / c)

    @property
    def mean(self) -> Tensor:
        """Infinite for concentrations from 1 on."""
        c = self.concentration.clamp(max=1)
        return lamina.where(c < 1, self.loc + self.scale / (1 - c), math.inf)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        """Infinite for concentrations from 1/2 on."""
        c = self.concentration.clamp(max=0.5)
        return lamina.where(c < 0.5, self.scale.square() / ((1 - c).square() * (1 - 2 * c)), math.inf)

    def entropy(self) -> Tensor:
        return self.scale.log() + self.concentration + 1


class Kumaraswamy(_ByInverse):
    """a b x^(a - 1) (1 - x^a)^(b - 1) on (0, 1); a = concentration1, b = concentration0.

    >>> import lamina
    >>> lamina.distributions.Kumaraswamy(1.0, 1.0).mean.item()
    0.5
    """

    support = constraints.unit_interval
    _tails = {"concentration1": 0, "concentration0": 0}

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        super().__init__(self.concentration1.shape, validate_args=validate_args)

    @property
    def arg_constraints(self) -> Mapping[str, Constraint]:
        return {"concentration1": constraints.positive, "concentration0": constraints.positive}

    def _moment(self, order: int) -> Tensor:
        a, b = 1 + order / self.concentration1, self.concentration0
        return (b.log() + lamina.lgamma(a) + lamina.lgamma(b) - lamina.lgamma(a + b)).exp()

    @property
    def mean(self) -> Tensor:
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        """NaN without a mode inside the interval: a concentration below 1, or both 1."""
        a, b = self.concentration1, self.concentration0
        inside = (a >= 1) & (b >= 1) & (a * b > 1)
        return lamina.where(inside, ((a - 1) / (a * b - 1)).pow(1 / a), math.nan)

    @property
    def variance(self) -> Tensor:
        return self._moment(2) - self.mean.square()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        a, b = self.concentration1, self.concentration0
        return a.log() + b.log() + lamina.xlogy(a - 1, value) + lamina.xlog1py(b - 1, -value.pow(a))

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -(lamina.xlog1py(self.concentration0, -value.pow(self.concentration1))).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        """(1 - (1 - p)^(1 / b))^(1 / a)."""
        return (-((-value).log1p() / self.concentration0).expm1()).pow(1 / self.concentration1)

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        harmonic = lamina.digamma(b + 1) + EULER
        return 1 - 1 / b + (1 - 1 / a) * harmonic - a.log() - b.log()
