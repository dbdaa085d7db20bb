"""MixtureSameFamily: a weighted mixture of distributions of one kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lamina

from .._C import Tensor
from .constraints import Constraint, MixtureSameFamilyConstraint, dependent_property
from .discrete import Categorical
from .distribution import Distribution


class MixtureSameFamily(Distribution):
    """The last batch dim of component_distribution are the components, mixture_distribution their probabilities.

    >>> import lamina
    >>> from lamina.distributions import Categorical, MixtureSameFamily, Normal
    >>> two = MixtureSameFamily(Categorical(lamina.ones(2)), Normal(lamina.tensor([-1.0, 1.0]), 0.5))
    >>> two.mean.item(), two.variance.item()
    (0.0, 1.25)
    """

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:
        self._mixture_distribution, self._component_distribution = mixture_distribution, component_distribution
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(
                "MixtureSameFamily: mixture_distribution must be a Categorical, got "
                f"{type(mixture_distribution).__name__}"
            )
        if not isinstance(component_distribution, Distribution):
            raise ValueError(
                "MixtureSameFamily: component_distribution must be a Distribution, got "
                f"{type(component_distribution).__name__}"
            )
        batch = tuple(component_distribution.batch_shape)
        weights = tuple(mixture_distribution.batch_shape)
        count = mixture_distribution.param_shape[-1]
        if not batch or batch[-1] != count:
            raise lamina.ShapeError(
                f"MixtureSameFamily: the mixture weighs {count} components, but the components have batch_shape {batch}"
            )
        for have, want in zip(reversed(weights), reversed(batch[:-1]), strict=False):
            if 1 not in (have, want) and have != want:
                raise lamina.ShapeError(
                    f"MixtureSameFamily: batch_shape {weights} of the mixture does not fit {batch[:-1]} of the "
                    "components"
                )
        event = tuple(component_distribution.event_shape)
        self._num_component, self._event_ndims = count, len(event)
        super().__init__(batch[:-1], event, validate_args=validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> MixtureSameFamily:
        """The same mixture with a wider batch shape; nothing is copied."""
        batch = tuple(batch_shape)
        components = self._component_distribution.expand((*batch, self._num_component))
        mixture: Any = self._mixture_distribution.expand(batch)
        return MixtureSameFamily(mixture, components, self._validate_args)

    @property
    def mixture_distribution(self) -> Categorical:
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        return self._component_distribution

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        return False  # which component it was has no gradient

    @dependent_property
    def support(self) -> Constraint:
        base = self._component_distribution.support
        if base is None:
            raise NotImplementedError("MixtureSameFamily: the components do not say their support")
        return MixtureSameFamilyConstraint(base)

    def _weights(self) -> Tensor:
        """(*batch, components, 1 for each dim of an event)."""
        probs = self._mixture_distribution.probs
        return probs.reshape((*probs.shape, *(1 for _ in range(self._event_ndims))))

    def _over_components(self, value: Tensor) -> Tensor:
        return value.sum(-1 - self._event_ndims)

    @property
    def mean(self) -> Tensor:
        return self._over_components(self._weights() * self._component_distribution.mean)

    @property
    def variance(self) -> Tensor:
        """The mean of the variances and the variance of the means."""
        weights, means = self._weights(), self._component_distribution.mean
        apart = means - self.mean.unsqueeze(-1 - self._event_ndims)
        return self._over_components(weights * (self._component_distribution.variance + apart.square()))

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return (self._mixture_distribution.probs * self._component_distribution.cdf(self._beside(value))).sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        log_prob = self._component_distribution.log_prob(self._beside(value))
        return (log_prob + self._mixture_distribution.logits.log_softmax(-1)).logsumexp(-1)

    def _beside(self, value: Tensor) -> Tensor:
        return value.unsqueeze(-1 - self._event_ndims)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with lamina.no_grad():
            chosen = self._mixture_distribution.sample(sample_shape)
            values = self._component_distribution.sample(sample_shape)
            ones, event = (1 for _ in range(self._event_ndims)), tuple(self.event_shape)
            batch = (*sample_shape, *self.batch_shape)
            index = chosen.expand(batch).reshape((*batch, 1, *ones)).expand((*batch, 1, *event))
            return values.gather(len(batch), index).squeeze(len(batch))

    def __repr__(self) -> str:
        return f"MixtureSameFamily({self._mixture_distribution!r}, {self._component_distribution!r})"
