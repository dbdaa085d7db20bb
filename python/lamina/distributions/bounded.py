"""ContinuousBernoulli on [0, 1], VonMises on the circle, LogisticNormal on the simplex."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import lamina

from .._C import Tensor
from .._C import functional as _F
from . import constraints
from .continuous import Normal
from .discrete import _ProbsOrLogits
from .distribution import Distribution
from .independent import Independent
from .transformed_distribution import TransformedDistribution
from .transforms import StickBreakingTransform
from .utils import broadcast_all, clamp_probs, uniform_inside


class ContinuousBernoulli(_ProbsOrLogits):
    """C(p) p^x (1 - p)^(1 - x) on [0, 1], C(p) = 2 atanh(1 - 2p) / (1 - 2p) (Loaiza-Ganem and Cunningham 2019).

    Where p lies within `lims`, around 1/2, series stand in for quotients of small numbers.

    >>> import lamina
    >>> lamina.distributions.ContinuousBernoulli(probs=0.5).mean.item()
    0.5
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    has_enumerate_support = False
    _binary = True
    _tails = {"probs": 0, "logits": 0}

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        self._pick(probs, logits)
        name, value = ("probs", probs) if probs is not None else ("logits", logits)
        (value,) = broadcast_all(value)
        self._lims = lims
        if name == "probs" and (self._validate_args if validate_args is None else validate_args):
            self._check("parameter probs", value, constraints.unit_interval)
        self.__dict__[name] = clamp_probs(value) if name == "probs" else value
        super().__init__(self._param.shape, validate_args=validate_args)

    def _far(self) -> tuple[Tensor, Tensor]:
        """(where p is away from 1/2, p there and lims[0] elsewhere)."""
        far = (self.probs <= self._lims[0]) | (self.probs > self._lims[1])
        return far, lamina.where(far, self.probs, self._lims[0])

    def _log_norm(self) -> Tensor:
        far, p = self._far()
        exact = ((-p).log1p() - p.log()).abs().log() - (1 - 2 * p).abs().log()
        x = (self.probs - 0.5).square()
        return lamina.where(far, exact, math.log(2.0) + (4.0 / 3 + 104.0 / 45 * x) * x)

    @property
    def mean(self) -> Tensor:
        far, p = self._far()
        exact = p / (2 * p - 1) + 1 / ((-p).log1p() - p.log())
        x = self.probs - 0.5
        return lamina.where(far, exact, 0.5 + (1.0 / 3 + 16.0 / 45 * x.square()) * x)

    @property
    def variance(self) -> Tensor:
        far, p = self._far()
        exact = p * (p - 1) / (1 - 2 * p).square() + 1 / ((-p).log1p() - p.log()).square()
        x = (self.probs - 0.5).square()
        return lamina.where(far, exact, 1.0 / 12 - (1.0 / 15 - 128.0 / 945 * x) * x)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self.icdf(uniform_inside(self._extended_shape(sample_shape), self.probs))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return self._log_norm() - _F.binary_cross_entropy_with_logits(logits, value, reduction="none")

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        far, p = self._far()
        exact = (p.pow(value) * (1 - p).pow(1 - value) + p - 1) / (2 * p - 1)
        near = value - self.logits * value * (1 - value) / 2 * (1 - self.logits * (1 - 2 * value) / 6)
        found = lamina.where(far, exact, near)
        return lamina.where(value <= 0, 0.0, lamina.where(value >= 1, 1.0, found))

    def icdf(self, value: Tensor) -> Tensor:
        far, p = self._far()
        exact = ((-p + value * (2 * p - 1)).log1p() - (-p).log1p()) / (p.log() - (-p).log1p())
        near = value + self.logits * value * (1 - value) / 2 * (1 + self.logits * (1 - 2 * value) / 3)
        return lamina.where(far, exact, near)

    def entropy(self) -> Tensor:
        log_p, log_q = self.probs.log(), (-self.probs).log1p()
        return self.mean * (log_q - log_p) - self._log_norm() - log_q


class VonMises(Distribution):
    """exp(k cos(x - loc)) / (2 pi I_0(k)) on the circle, k the concentration; samples in [-pi, pi).

    Samples by the rejection of Best and Fisher (1979); `variance` is the circular one.

    >>> import lamina
    >>> circle = lamina.distributions.VonMises(lamina.tensor([0.0]), lamina.tensor([1.0]))
    >>> round(circle.log_prob(lamina.tensor([0.0])).item(), 4)
    -1.0738
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    _tails = {"loc": 0, "concentration": 0}

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return 1 - lamina.special.i1e(self.concentration) / lamina.special.i0e(self.concentration)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        k = self.concentration
        return k * ((value - self.loc).cos() - 1) - lamina.special.i0e(k).log() - math.log(2 * math.pi)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Each round draws for all places, so that a sample depends on the seed and its own place alone."""
        with lamina.no_grad():
            shape = self._extended_shape(sample_shape)
            loc, k = (t.expand(shape).to(lamina.float64) for t in (self.loc, self.concentration))
            tau = 1 + (1 + 4 * k.square()).sqrt()
            rho = (tau - (2 * tau).sqrt()) / (2 * k)
            r = lamina.where(k < 1e-5, 1 / k + k, (1 + rho.square()) / (2 * rho))  # 2 rho is 0 / 0 there
            cosine, waiting = lamina.zeros_like(k), lamina.ones_like(k) > 0
            while waiting.any().item():
                first, second = (uniform_inside(shape, k) for _ in range(2))
                z = (math.pi * first).cos()
                f = (1 + r * z) / (r + z)
                c = k * (r - f)
                good = ((c * (2 - c) - second > 0) | ((c / second).log() + 1 - c >= 0)) & waiting
                cosine = lamina.where(good, f, cosine)
                waiting = waiting & ~good
            side = uniform_inside(shape, k) - 0.5
            angle = side.sign() * cosine.clamp(-1, 1).acos()
            return ((angle + loc + math.pi) % (2 * math.pi) - math.pi).to(self.loc.dtype)


class LogisticNormal(TransformedDistribution):
    """StickBreakingTransform of normal vectors: K - 1 normals give K shares that sum to 1.

    >>> import lamina
    >>> lamina.distributions.LogisticNormal(lamina.zeros(3), lamina.ones(3)).event_shape[0]
    4
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.simplex
    has_rsample = True
    base_dist: Any

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        normal = Normal(loc, scale, validate_args=validate_args)
        if not normal.batch_shape:
            normal = normal.expand((1,))
        super().__init__(Independent(normal, 1), StickBreakingTransform(), validate_args=validate_args)

    @property
    def loc(self) -> Tensor:
        found: Tensor = self.base_dist.base_dist.loc
        return found

    @property
    def scale(self) -> Tensor:
        found: Tensor = self.base_dist.base_dist.scale
        return found
