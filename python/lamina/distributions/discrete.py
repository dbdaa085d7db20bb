"""Bernoulli, Categorical and Poisson."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import lamina

from .._C import Tensor
from .._C import functional as _F
from . import constraints
from .constraints import Constraint
from .distribution import D, Distribution
from .exponential_family import ExponentialFamily
from .utils import broadcast_all, lazy_property, logits_to_probs, probs_to_logits


class _ProbsOrLogits(Distribution):
    """Both names, one given and the other computed when first asked for."""

    _binary = False
    has_enumerate_support = True

    def _pick(self, probs: Any, logits: Any) -> None:
        if (probs is None) == (logits is None):
            raise ValueError(f"{type(self).__name__}: either probs or logits must be specified, but not both")

    @lazy_property
    def logits(self) -> Tensor:
        return probs_to_logits(self.probs, self._binary)

    @lazy_property
    def probs(self) -> Tensor:
        return logits_to_probs(self.logits, self._binary)

    @property
    def _param(self) -> Tensor:
        return self.probs if "probs" in self.__dict__ else self.logits

    @property
    def param_shape(self) -> tuple[int, ...]:
        return tuple(self._param.shape)

    def _enumerate(self, values: Tensor, expand: bool) -> Tensor:
        values = values.reshape(-1, *(1 for _ in self._batch_shape))
        return values.expand((values.shape[0], *self._batch_shape)) if expand else values


class Borrowed(Distribution):
    """probs and logits are those of another distribution, `_lender`, which expands along; so does a `temperature`."""

    _lender: Any

    def expand(self: D, batch_shape: Sequence[int], _instance: Any = None) -> D:
        new: Any = super().expand(batch_shape, _instance)
        new._lender = self._lender.expand(batch_shape)  # type: ignore[attr-defined]
        if "temperature" in self.__dict__:
            new.temperature = self.__dict__["temperature"]
        found: D = new
        return found

    @property
    def probs(self) -> Tensor:
        found: Tensor = self._lender.probs
        return found

    @property
    def logits(self) -> Tensor:
        found: Tensor = self._lender.logits
        return found

    @property
    def param_shape(self) -> tuple[int, ...]:
        found: tuple[int, ...] = self._lender.param_shape
        return found

    @property
    def _param(self) -> Tensor:
        found: Tensor = self._lender._param
        return found


class Bernoulli(_ProbsOrLogits, ExponentialFamily):
    """1 with probability probs = sigmoid(logits), else 0.

    >>> import lamina
    >>> coin = lamina.distributions.Bernoulli(probs=lamina.tensor([0.25, 0.5]))
    >>> coin.mean.tolist(), coin.sample((4,)).shape
    ([0.25, 0.5], (4, 2))
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.boolean
    _binary = True
    _tails = {"probs": 0, "logits": 0}

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._pick(probs, logits)
        name, value = ("probs", probs) if probs is not None else ("logits", logits)
        (self.__dict__[name],) = broadcast_all(value)
        super().__init__(self._param.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        found = (self.probs >= 0.5).to(self.probs.dtype)
        return found.masked_fill(self.probs == 0.5, math.nan)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with lamina.no_grad():
            return lamina.bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -_F.binary_cross_entropy_with_logits(logits, value.to(logits.dtype), reduction="none")

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return _F.softplus(x)

    def entropy(self) -> Tensor:
        return _F.binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return self._enumerate(lamina.arange(2, dtype=self._param.dtype, device=self._param.device), expand)


class Categorical(_ProbsOrLogits, ExponentialFamily):
    """The numbers 0 ... K - 1 with probabilities probs (*, K), made to sum to 1, or softmax(logits).

    >>> import lamina
    >>> dice = lamina.distributions.Categorical(probs=lamina.ones(6))
    >>> round(dice.log_prob(lamina.tensor(2)).exp().item(), 4), dice.sample((10,)).shape
    (0.1667, (10,))
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    _tails = {"probs": 1, "logits": 1}

    def __init__(
        self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        self._pick(probs, logits)
        for name, value in (("probs", probs), ("logits", logits)):
            if value is not None and value.ndim < 1:
                raise lamina.ShapeError(f"Categorical: {name} must be at least one-dimensional, got shape ()")
        if probs is not None:
            self.__dict__["probs"] = probs / probs.sum(-1, keepdim=True)
        elif logits is not None:
            self.__dict__["logits"] = logits - logits.logsumexp(-1, keepdim=True)
        self._num_events = int(self._param.shape[-1])
        super().__init__(self._param.shape[:-1], validate_args=validate_args)

    @property
    def support(self) -> Constraint:
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def mean(self) -> Tensor:
        return lamina.full(self._extended_shape(), math.nan, dtype=self._param.dtype, device=self._param.device)

    @property
    def variance(self) -> Tensor:
        return self.mean

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(-1)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """The first number whose cumulative probability exceeds a uniform number."""
        shape = self._extended_shape(sample_shape)
        with lamina.no_grad():
            sums = self.probs.to(lamina.float64).cumsum(-1)
            total = sums[..., -1:]
            last = (sums < total).sum(-1)  # the last number with a probability above 0
            place = lamina.rand((*shape, 1), dtype=lamina.float64, device=sums.device) * total
            return lamina.minimum((sums <= place).sum(-1), last.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        value = value.long().unsqueeze(-1)
        logits = self.logits
        index, _ = broadcast_all(value, logits[..., :1])
        return logits.expand((*index.shape[:-1], self._num_events)).gather(-1, index).squeeze(-1)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return x.logsumexp(-1)

    def entropy(self) -> Tensor:
        lowest = {lamina.float64: -1.7e308, lamina.float32: -3.4e38}.get(self.logits.dtype, -6e4)
        return -(self.logits.clamp(min=lowest) * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return self._enumerate(lamina.arange(self._num_events, device=self._param.device), expand)


class Poisson(ExponentialFamily):
    """rate^k exp(-rate) / k! for k = 0, 1, 2 ...

    >>> import lamina
    >>> round(lamina.distributions.Poisson(2.0).log_prob(lamina.tensor(3.0)).item(), 4)
    -1.7123
    """

    arg_constraints = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer
    _tails = {"rate": 0}

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (given,) = broadcast_all(rate)
        self.rate = given if given.is_floating_point() else given.to(lamina.get_default_dtype())
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.rate

    @property
    def mode(self) -> Tensor:
        return self.rate.floor()

    @property
    def variance(self) -> Tensor:
        return self.rate

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with lamina.no_grad():
            return lamina.poisson(self.rate.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        rate, value = broadcast_all(self.rate, value)
        return lamina.xlogy(value, rate) - rate - lamina.lgamma(value + 1)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.rate.log(),)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return x.exp()
