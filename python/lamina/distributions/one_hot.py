"""One-hot categories, with and without a straight-through gradient, and their smooth relaxations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import lamina

from .._C import Tensor
from .._C import functional as _F
from . import constraints
from .discrete import Bernoulli, Borrowed, Categorical
from .distribution import Distribution
from .transformed_distribution import TransformedDistribution
from .transforms import ExpTransform, SigmoidTransform
from .utils import broadcast_all, clamp_probs, uniform_inside


class _OverCategorical(Borrowed):
    """Vectors of K numbers over a Categorical, whose parameters are its own."""

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}

    def _take(self, probs: Tensor | None, logits: Tensor | None, validate_args: bool | None) -> None:
        self._lender = Categorical(probs, logits, validate_args)
        self._named = "probs" if probs is not None else "logits"
        Distribution.__init__(self, self._lender.batch_shape, self.param_shape[-1:], validate_args)

    @property
    def _categorical(self) -> Categorical:
        found: Categorical = self._lender
        return found

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._named}: {tuple(self.param_shape)})"


class OneHotCategorical(_OverCategorical):
    """Categorical, with samples as vectors of zeros and a single one.

    >>> import lamina
    >>> lamina.distributions.OneHotCategorical(lamina.ones(4)).sample().sum().item()
    1.0
    """

    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(
        self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        self._take(probs, logits, validate_args)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        return self._rows(self._categorical.mode)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def _rows(self, index: Tensor) -> Tensor:
        return _F.one_hot(index, self.event_shape[0]).to(self._param.dtype)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with lamina.no_grad():
            return self._rows(self._categorical.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return self._categorical.log_prob(value.argmax(-1))

    def entropy(self) -> Tensor:
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        size, batch = self.event_shape[0], tuple(self.batch_shape)
        values = lamina.eye(size, dtype=self._param.dtype, device=self._param.device)
        values = values.reshape(size, *(1 for _ in batch), size)
        return values.expand(size, *batch, size) if expand else values


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """OneHotCategorical whose samples pass gradients to probs as if they were probs (Bengio et al. 2013)."""

    has_rsample = True

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self.sample(sample_shape) + (self.probs - self.probs.detach())


class ExpRelaxedCategorical(_OverCategorical):
    """The logarithm of RelaxedOneHotCategorical, which keeps small shares exact."""

    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        temperature: Any,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        self.temperature = temperature
        self._take(probs, logits, validate_args)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        uniform = uniform_inside(self._extended_shape(sample_shape), self.logits)
        scores = (self.logits - (-uniform.log()).log()) / self.temperature
        found: Tensor = scores - scores.logsumexp(-1, keepdim=True)
        return found

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        size = self.event_shape[0]
        logits, value = broadcast_all(self.logits, value)
        log = self.temperature.log() if isinstance(self.temperature, Tensor) else math.log(self.temperature)
        score = logits - value * self.temperature
        found: Tensor = (score - score.logsumexp(-1, keepdim=True)).sum(-1) + (math.lgamma(size) + (size - 1) * log)
        return found


class RelaxedOneHotCategorical(TransformedDistribution):
    """Points of the simplex near its corners for small temperatures, with gradients (Maddison et al. 2017).

    >>> import lamina
    >>> soft = lamina.distributions.RelaxedOneHotCategorical(lamina.tensor(0.5), probs=lamina.ones(3))
    >>> round(soft.rsample().sum().item(), 4)
    1.0
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.simplex
    has_rsample = True
    base_dist: ExpRelaxedCategorical

    def __init__(
        self,
        temperature: Any,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args=validate_args)

    @property
    def temperature(self) -> Any:
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        return self.base_dist.probs


class LogitRelaxedBernoulli(Borrowed):
    """The logit of RelaxedBernoulli."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.real
    has_rsample = True

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self.temperature = temperature
        self._lender = Bernoulli(probs, logits, validate_args)
        super().__init__(self._lender.batch_shape, validate_args=validate_args)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        probs = clamp_probs(self.probs.expand(self._extended_shape(sample_shape)))
        uniform = uniform_inside(tuple(probs.shape), probs)
        logit = uniform.log() - (-uniform).log1p() + probs.log() - (-probs).log1p()
        found: Tensor = logit / self.temperature
        return found

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        log = self.temperature.log() if isinstance(self.temperature, Tensor) else math.log(self.temperature)
        diff = logits - value * self.temperature
        found: Tensor = log + diff - 2 * _F.softplus(diff)
        return found


class RelaxedBernoulli(TransformedDistribution):
    """Numbers in (0, 1), near its ends for small temperatures, with gradients (Maddison et al. 2017).

    >>> import lamina
    >>> soft = lamina.distributions.RelaxedBernoulli(lamina.tensor(0.5), probs=lamina.tensor(0.3))
    >>> 0 < soft.rsample().item() < 1
    True
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    base_dist: LogitRelaxedBernoulli

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        base = LogitRelaxedBernoulli(temperature, probs, logits, validate_args)
        super().__init__(base, SigmoidTransform(), validate_args=validate_args)

    @property
    def temperature(self) -> Any:
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        return self.base_dist.probs
