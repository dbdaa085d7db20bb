"""What is made of gamma samples: Chi2, InverseGamma, StudentT, FisherSnedecor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import lamina

from .._C import Tensor
from . import constraints
from .distribution import Distribution
from .gamma import Gamma
from .utils import broadcast_all


class Chi2(Gamma):
    """The sum of the squares of df standard normal numbers: Gamma(df / 2, 1 / 2).

    >>> import lamina
    >>> lamina.distributions.Chi2(3.0).mean.item()
    3.0
    """

    arg_constraints = {"df": constraints.positive}

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        (count,) = broadcast_all(df)
        super().__init__(0.5 * count, 0.5, validate_args=validate_args)
        if self._validate_args:
            self._check("parameter df", count, constraints.positive)

    @property
    def df(self) -> Tensor:
        return self.concentration * 2

    def __repr__(self) -> str:
        df = self.df
        return f"Chi2(df: {df.item() if df.numel() == 1 else tuple(df.shape)})"


class InverseGamma(Distribution):
    """1 / x for x of Gamma(concentration, rate).

    >>> import lamina
    >>> lamina.distributions.InverseGamma(3.0, 4.0).mean.item()
    2.0
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.positive
    has_rsample = True
    _tails = {"concentration": 0, "rate": 0}

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    @property
    def base_dist(self) -> Gamma:
        return Gamma(self.concentration, self.rate, validate_args=False)

    @property
    def mean(self) -> Tensor:
        """Infinite for concentrations up to 1."""
        return self.rate / (self.concentration - 1).clamp(min=0)

    @property
    def mode(self) -> Tensor:
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Tensor:
        """Infinite for concentrations up to 2."""
        c = self.concentration.clamp(min=2)
        return self.rate.square() / ((c - 1).square() * (c - 2))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self.base_dist.rsample(sample_shape).reciprocal()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return self.base_dist.log_prob(value.reciprocal()) - 2 * value.log()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return 1 - self.base_dist.cdf(value.reciprocal())

    def entropy(self) -> Tensor:
        c = self.concentration
        return c + self.rate.log() + lamina.lgamma(c) - (1 + c) * lamina.digamma(c)


class StudentT(Distribution):
    """gamma((df + 1) / 2) / (gamma(df / 2) sqrt(pi df) scale) (1 + z^2 / df)^(-(df + 1) / 2), z = (x - loc) / scale.

    >>> import lamina
    >>> lamina.distributions.StudentT(4.0).variance.item()
    2.0
    """

    arg_constraints = {"df": constraints.positive, "loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True
    _tails = {"df": 0, "loc": 0, "scale": 0}

    def __init__(self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        super().__init__(self.df.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """NaN for df up to 1."""
        return self.loc.masked_fill(self.df <= 1, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        """Infinite for df in (1, 2], NaN up to 1."""
        df = self.df.clamp(min=2)
        return (self.scale.square() * df / (df - 2)).masked_fill(self.df <= 1, math.nan)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        normal = lamina.randn(shape, dtype=self.df.dtype, device=self.df.device)
        squares = Chi2(self.df, validate_args=False).rsample(sample_shape)
        return self.loc + self.scale * normal * (squares / self.df).rsqrt()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        half, y = self.df / 2, (value - self.loc) / self.scale
        tail = (half + 0.5) * (y.square() / self.df).log1p()
        return (
            lamina.lgamma(half + 0.5) - lamina.lgamma(half) - 0.5 * (math.pi * self.df).log() - self.scale.log() - tail
        )

    def entropy(self) -> Tensor:
        half = self.df / 2
        log_beta = lamina.lgamma(half) + math.lgamma(0.5) - lamina.lgamma(half + 0.5)
        spread = (half + 0.5) * (lamina.digamma(half + 0.5) - lamina.digamma(half))
        return self.scale.log() + spread + 0.5 * self.df.log() + log_beta


class FisherSnedecor(Distribution):
    """The quotient of Chi2(df1) / df1 and Chi2(df2) / df2.

    >>> import lamina
    >>> lamina.distributions.FisherSnedecor(2.0, 4.0).mean.item()
    2.0
    """

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True
    _tails = {"df1": 0, "df2": 0}

    def __init__(self, df1: Any, df2: Any, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = broadcast_all(df1, df2)
        super().__init__(self.df1.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """NaN for df2 up to 2."""
        df2 = self.df2.masked_fill(self.df2 <= 2, math.nan)
        return df2 / (df2 - 2)

    @property
    def mode(self) -> Tensor:
        """NaN for df1 up to 2."""
        df1 = self.df1.masked_fill(self.df1 <= 2, math.nan)
        return (df1 - 2) / df1 * self.df2 / (self.df2 + 2)

    @property
    def variance(self) -> Tensor:
        """NaN for df2 up to 4."""
        df1, df2 = self.df1, self.df2.masked_fill(self.df2 <= 4, math.nan)
        return 2 * df2.square() * (df1 + df2 - 2) / (df1 * (df2 - 2).square() * (df2 - 4))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        upper, lower = (Gamma(df / 2, df / 2, validate_args=False).rsample(sample_shape) for df in (self.df1, self.df2))
        return (upper / lower).clamp(min=float(lamina.finfo(upper.dtype).tiny))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        a, b, ratio = self.df1 / 2, self.df2 / 2, self.df1 / self.df2
        beta = lamina.lgamma(a) + lamina.lgamma(b) - lamina.lgamma(a + b)
        return a * ratio.log() + (a - 1) * value.log() - (a + b) * (ratio * value).log1p() - beta
