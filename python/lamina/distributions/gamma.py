"""Gamma, Beta and Dirichlet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lamina

from .._C import Tensor
from . import constraints
from ._gamma_math import gamma_cdf, log_standard_gamma
from .distribution import D
from .exponential_family import ExponentialFamily
from .utils import broadcast_all

_TINY = {lamina.float64: 2.0**-1022, lamina.float32: 2.0**-126, lamina.bfloat16: 2.0**-126, lamina.float16: 2.0**-14}


class Gamma(ExponentialFamily):
    """rate^c x^(c - 1) exp(-rate x) / gamma(c), c the concentration. Samples have implicit gradients in both.

    >>> import lamina
    >>> gamma = lamina.distributions.Gamma(2.0, 4.0)
    >>> gamma.mean.item(), gamma.variance.item(), gamma.sample((3,)).shape
    (0.5, 0.125, (3,))
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _tails = {"concentration": 0, "rate": 0}

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate.square()

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape, dtype = self._extended_shape(sample_shape), self.concentration.dtype
        log_z = log_standard_gamma(self.concentration.expand(shape))
        value = (log_z - self.rate.to(lamina.float64).log()).exp().to(dtype)
        return value.clamp(min=_TINY[dtype])

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        c, rate = self.concentration, self.rate
        return lamina.xlogy(c, rate) + lamina.xlogy(c - 1, value) - rate * value - lamina.lgamma(c)

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return gamma_cdf(*broadcast_all(self.concentration, self.rate * value))

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        return lamina.lgamma(x + 1) - (x + 1) * (-y).log()

    def entropy(self) -> Tensor:
        c = self.concentration
        return c - self.rate.log() + lamina.lgamma(c) + (1 - c) * lamina.digamma(c)


class Dirichlet(ExponentialFamily):
    """prod_i x_i^(c_i - 1) gamma(sum c) / prod gamma(c_i) on vectors that sum to 1; c the concentration (*, K).

    Samples are gamma samples divided by their sum, with their implicit gradients.

    >>> import lamina
    >>> lamina.distributions.Dirichlet(lamina.tensor([1.0, 3.0])).mean.tolist()
    [0.25, 0.75]
    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True
    _tails = {"concentration": 1}

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.ndim < 1:
            raise lamina.ShapeError("Dirichlet: concentration must be at least one-dimensional, got shape ()")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.concentration.sum(-1, keepdim=True)

    @property
    def mode(self) -> Tensor:
        above = (self.concentration - 1).clamp(min=0)
        mode = above / above.sum(-1, keepdim=True)
        corner = (self.concentration < 1).all(-1, keepdim=True)  # no inner mode: as PyTorch, the first corner
        first = lamina.arange(above.shape[-1], device=above.device) == 0
        return lamina.where(corner, first.to(above.dtype), mode)

    @property
    def variance(self) -> Tensor:
        c = self.concentration
        total = c.sum(-1, keepdim=True)
        return c * (total - c) / (total.square() * (total + 1))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        log_z = log_standard_gamma(self.concentration.expand(self._extended_shape(sample_shape)))
        dtype = self.concentration.dtype
        return log_z.softmax(-1).to(dtype).clamp(min=_TINY[dtype])

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        c = self.concentration
        return lamina.xlogy(c - 1, value).sum(-1) + lamina.lgamma(c.sum(-1)) - lamina.lgamma(c).sum(-1)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.concentration,)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return lamina.lgamma(x).sum(-1) - lamina.lgamma(x.sum(-1))

    def entropy(self) -> Tensor:
        c = self.concentration
        total, size = c.sum(-1), c.shape[-1]
        normal = lamina.lgamma(c).sum(-1) - lamina.lgamma(total)
        found: Tensor = normal - (size - total) * lamina.digamma(total) - ((c - 1) * lamina.digamma(c)).sum(-1)
        return found


class Beta(ExponentialFamily):
    """x^(a - 1) (1 - x)^(b - 1) gamma(a + b) / (gamma(a) gamma(b)); a = concentration1, b = concentration0.

    >>> import lamina
    >>> beta = lamina.distributions.Beta(1.0, 3.0)
    >>> beta.mean.item(), beta.sample((5,)).shape
    (0.25, (5,))
    """

    arg_constraints = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval
    has_rsample = True
    _tails = {"concentration1": 0, "concentration0": 0}

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        super().__init__(self.concentration1.shape, validate_args=validate_args)
        self._dirichlet = self._as_dirichlet()

    def _as_dirichlet(self) -> Dirichlet:
        return Dirichlet(lamina.stack([self.concentration1, self.concentration0], -1), validate_args=False)

    def expand(self: D, batch_shape: Sequence[int], _instance: Any = None) -> D:
        new: Any = super().expand(batch_shape)
        new._dirichlet = new._as_dirichlet()
        found: D = new
        return found

    @property
    def mean(self) -> Tensor:
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self) -> Tensor:
        return self._dirichlet.mode[..., 0]

    @property
    def variance(self) -> Tensor:
        return self._dirichlet.variance[..., 0]

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self._dirichlet.rsample(sample_shape)[..., 0]

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return self._dirichlet.log_prob(lamina.stack([value, 1 - value], -1))

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.concentration1, self.concentration0

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        return lamina.lgamma(x) + lamina.lgamma(y) - lamina.lgamma(x + y)

    def entropy(self) -> Tensor:
        return self._dirichlet.entropy()
