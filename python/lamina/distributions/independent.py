"""Independent: batch dims of a distribution as dims of one event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._C import Tensor
from . import constraints
from .constraints import Constraint
from .distribution import Distribution


class Independent(Distribution):
    """The last dims of the batch become part of an event: log_prob adds up over them.

    >>> import lamina
    >>> normal = lamina.distributions.Normal(lamina.zeros(3, 2), lamina.ones(3, 2))
    >>> lamina.distributions.Independent(normal, 1).log_prob(lamina.zeros(3, 2)).shape
    (3,)
    """

    def __init__(
        self, base_distribution: Distribution, reinterpreted_batch_ndims: int, validate_args: bool | None = None
    ) -> None:
        count, batch = reinterpreted_batch_ndims, base_distribution.batch_shape
        if not 0 <= count <= len(batch):
            raise ValueError(
                f"Independent: reinterpreted_batch_ndims must be between 0 and the {len(batch)} dims of the batch "
                f"{batch}, got {count}"
            )
        self.base_dist, self.reinterpreted_batch_ndims = base_distribution, count
        event = batch[len(batch) - count :] + base_distribution.event_shape
        super().__init__(batch[: len(batch) - count], event, validate_args=validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Independent:
        """The same distribution with a wider batch shape; nothing is copied."""
        own = self.event_shape[: self.reinterpreted_batch_ndims]
        wider = self.base_dist.expand(tuple(batch_shape) + own)
        return Independent(wider, self.reinterpreted_batch_ndims, self._validate_args)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        return self.base_dist.has_rsample

    @property
    def support(self) -> Constraint | None:
        base, count = self.base_dist.support, self.reinterpreted_batch_ndims
        return constraints.independent(base, count) if base is not None and count else base

    @property
    def mean(self) -> Tensor:
        return self.base_dist.mean

    @property
    def mode(self) -> Tensor:
        return self.base_dist.mode

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        return self.added(self.base_dist.log_prob(value))

    def entropy(self) -> Tensor:
        return self.added(self.base_dist.entropy())

    def added(self, value: Tensor) -> Tensor:
        """The sum over the dims that belong to the event."""
        count = self.reinterpreted_batch_ndims
        return value.sum(tuple(range(-count, 0))) if count else value

    def __repr__(self) -> str:
        return f"Independent({self.base_dist!r}, {self.reinterpreted_batch_ndims})"
