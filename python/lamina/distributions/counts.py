"""Counts: Binomial, Geometric, NegativeBinomial, Multinomial."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import lamina

from .._C import Tensor
from .._C import functional as _F
from . import constraints
from ._gamma_math import log_standard_gamma
from .constraints import Constraint, dependent_property
from .discrete import Borrowed, Categorical, _ProbsOrLogits
from .gamma import Gamma
from .utils import broadcast_all, uniform_inside

_TRIALS = 256  # as many trials are drawn one by one; more are first split by an order statistic


class _Binary(_ProbsOrLogits):
    """Parameters `probs` or `logits` of single trials, beside others."""

    has_enumerate_support = False
    _binary = True

    def _take(self, probs: Any, logits: Any, **others: Any) -> None:
        self._pick(probs, logits)
        name, given = ("probs", probs) if probs is not None else ("logits", logits)
        *found, value = broadcast_all(*others.values(), given)
        if not value.is_floating_point():
            value = value.to(lamina.get_default_dtype())
        self.__dict__.update(zip(others, (v.to(value.dtype) for v in found), strict=True))
        self.__dict__[name] = value


class Binomial(_Binary):
    """n! / (k! (n - k)!) p^k (1 - p)^(n - k): k successes in n = total_count trials.

    >>> import lamina
    >>> round(lamina.distributions.Binomial(4, probs=0.5).log_prob(lamina.tensor(2.0)).exp().item(), 4)
    0.375
    """

    arg_constraints = {
        "total_count": constraints.nonnegative_integer, "probs": constraints.unit_interval, "logits": constraints.real
    }  # fmt: skip
    has_enumerate_support = True
    _tails = {"total_count": 0, "probs": 0, "logits": 0}

    def __init__(
        self, total_count: Any = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._take(probs, logits, total_count=total_count)
        super().__init__(self._param.shape, validate_args=validate_args)

    total_count: Tensor

    @dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Constraint:
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return lamina.minimum(((self.total_count + 1) * self.probs).floor(), self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with lamina.no_grad():
            count, probs = (t.expand(shape).to(lamina.float64) for t in (self.total_count, self.probs))
            return _successes(count, probs).to(self._param.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n, logits = self.total_count, self.logits
        choices = lamina.lgamma(n + 1) - lamina.lgamma(value + 1) - lamina.lgamma(n - value + 1)
        return choices + value * logits - n * _F.softplus(logits)

    def entropy(self) -> Tensor:
        values = self.enumerate_support(False)
        log_prob = self.log_prob(values)
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        total = int(self.total_count.max().item())
        if not bool((self.total_count == total).all()):
            raise NotImplementedError("Binomial: counts of trials that differ have no common list of values")
        return self._enumerate(lamina.arange(total + 1, dtype=self._param.dtype, device=self._param.device), expand)


def _successes(count: Tensor, probs: Tensor) -> Tensor:
    """Successes in `count` trials, exactly, in float64.

    Many trials are halved: the m-th smallest of n uniform numbers is Beta(m, n + 1 - m); where it lies above p, the
    successes are among the m - 1 below it, else it and all below succeed and the rest are new trials above it.
    """
    found = lamina.zeros_like(count)
    while count.numel() and count.max().item() > _TRIALS:
        middle = (count / 2).floor() + 1
        above = count + 1 - middle
        many = count > _TRIALS
        gammas = [log_standard_gamma(lamina.where(many, a, 1.0)) for a in (middle, above)]
        place = (gammas[0] - gammas[1]).sigmoid()
        below = place >= probs
        left = lamina.where(below, middle - 1, above - 1)
        rate = lamina.where(below, probs / place, (probs - place) / (1 - place)).clamp(0, 1)
        found = lamina.where(many & ~below, found + middle, found)
        count, probs = lamina.where(many, left, count), lamina.where(many, rate, probs)
    for trial in range(int(count.max().item()) if count.numel() else 0):
        hit = lamina.rand(tuple(count.shape), dtype=probs.dtype, device=probs.device) < probs
        found = found + (hit & (count > trial))
    return found


class Geometric(_Binary):
    """(1 - p)^k p: k failures before the first success.

    >>> import lamina
    >>> lamina.distributions.Geometric(probs=0.25).mean.item()
    3.0
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer
    _tails = {"probs": 0, "logits": 0}

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._take(probs, logits)
        super().__init__(self._param.shape, validate_args=validate_args)
        if self._validate_args and probs is not None and not bool((self.probs > 0).all()):
            raise ValueError("Geometric: probs must be above 0: nothing would ever succeed")

    @property
    def mean(self) -> Tensor:
        return 1 / self.probs - 1

    @property
    def mode(self) -> Tensor:
        return lamina.zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return (1 / self.probs - 1) / self.probs

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with lamina.no_grad():
            uniform = uniform_inside(self._extended_shape(sample_shape), self.probs)
            return (uniform.log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return lamina.xlog1py(value, -self.probs) + self.probs.log()

    def entropy(self) -> Tensor:
        return _F.binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs


class NegativeBinomial(_Binary):
    """gamma(n + k) / (k! gamma(n)) p^k (1 - p)^n: k successes before n = total_count failures.

    Samples are Poisson with a rate from Gamma(n, (1 - p) / p); n need not be whole.

    >>> import lamina
    >>> lamina.distributions.NegativeBinomial(3.0, probs=0.5).mean.item()
    3.0
    """

    arg_constraints = {
        "total_count": constraints.greater_than_eq(0), "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }  # fmt: skip
    support = constraints.nonnegative_integer
    _tails = {"total_count": 0, "probs": 0, "logits": 0}
    total_count: Tensor

    def __init__(
        self, total_count: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._take(probs, logits, total_count=total_count)
        super().__init__(self._param.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.mean / (-self.logits).sigmoid()

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with lamina.no_grad():
            rate = Gamma(self.total_count, (-self.logits).exp(), validate_args=False).sample(sample_shape)
            return lamina.poisson(rate)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n = self.total_count
        choices = lamina.lgamma(n + value) - lamina.lgamma(value + 1) - lamina.lgamma(n)
        choices = choices.masked_fill(n + value == 0, 0.0)
        return n * _F.logsigmoid(-self.logits) + value * _F.logsigmoid(self.logits) + choices


class Multinomial(Borrowed):
    """n! / (k_1! ... k_K!) p_1^k_1 ... p_K^k_K: how often each of K outcomes came in n = total_count trials.

    log_prob takes any counts; total_count matters for samples, moments and the entropy alone.

    >>> import lamina
    >>> lamina.distributions.Multinomial(4, lamina.tensor([0.5, 0.5])).mean.tolist()
    [2.0, 2.0]
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    total_count: int

    def __init__(
        self,
        total_count: int = 1,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if isinstance(total_count, bool) or not isinstance(total_count, int):
            raise NotImplementedError(f"Multinomial: total_count must be one int for all rows, got {total_count!r}")
        if total_count < 0:
            raise ValueError(f"Multinomial: total_count must be at least 0, got {total_count}")
        self.total_count = total_count
        self._lender = Categorical(probs=probs, logits=logits)
        super().__init__(self._lender.batch_shape, self._lender.param_shape[-1:], validate_args)

    @dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Constraint:
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """One trial after the other: the memory is that of the result."""
        with lamina.no_grad():
            counts = lamina.zeros(
                self._extended_shape(sample_shape), dtype=self._param.dtype, device=self._param.device
            )
            one = lamina.ones_like(counts)
            for _ in range(self.total_count):
                counts.scatter_add_(-1, self._lender.sample(sample_shape).unsqueeze(-1), one)
            return counts

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        logits = logits.masked_fill((value == 0) & (logits == -math.inf), 0.0)
        choices = lamina.lgamma(value.sum(-1) + 1) - lamina.lgamma(value + 1).sum(-1)
        return choices + (logits * value).sum(-1)

    def entropy(self) -> Tensor:
        n = lamina.tensor(self.total_count, dtype=self._param.dtype, device=self._param.device)
        weights = Binomial(n, probs=self.probs, validate_args=False)
        counts = weights.enumerate_support(False)[1:]
        logs = (weights.log_prob(counts).exp() * lamina.lgamma(counts + 1)).sum((0, -1))
        found: Tensor = n * self._lender.entropy() - lamina.lgamma(n + 1) + logs
        return found

    def __repr__(self) -> str:
        return f"Multinomial(total_count: {self.total_count}, probs: {tuple(self.probs.shape)})"
