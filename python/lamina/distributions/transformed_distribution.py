"""TransformedDistribution: what a transform makes of the samples of a distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lamina

from .._C import Tensor
from . import constraints
from .constraints import Constraint
from .distribution import Distribution
from .independent import Independent
from .transforms import ComposeTransform, Transform
from .utils import sum_rightmost


class TransformedDistribution(Distribution):
    """The distribution of t(x) for x from base_distribution, with t one transform or a list of them, first one first.

    log p(y) = log p(x) - log |dy/dx|; cdf and icdf need monotone transforms.

    >>> import lamina
    >>> from lamina.distributions import ExpTransform, Normal, TransformedDistribution
    >>> y = TransformedDistribution(Normal(0.0, 1.0), [ExpTransform()])
    >>> round(y.log_prob(lamina.tensor(1.0)).item(), 4), round(y.cdf(lamina.tensor(1.0)).item(), 4)
    (-0.9189, 0.5)
    """

    def __init__(
        self,
        base_distribution: Distribution,
        transforms: Transform | Sequence[Transform],
        validate_args: bool | None = None,
    ) -> None:
        listed = [transforms] if isinstance(transforms, Transform) else transforms
        if not isinstance(listed, (list, tuple)) or not all(isinstance(t, Transform) for t in listed):
            raise ValueError(
                f"TransformedDistribution: transforms must be a Transform or a list of them, got {transforms!r}"
            )
        self.transforms = list(listed)
        whole = ComposeTransform(self.transforms)
        shape = base_distribution.batch_shape + base_distribution.event_shape
        if len(shape) < whole.domain.event_dim:
            raise lamina.ShapeError(
                f"TransformedDistribution: the transforms need at least {whole.domain.event_dim} dims, "
                f"the base distribution has shape {shape}"
            )
        result = whole.forward_shape(shape)
        wider = whole.inverse_shape(result)
        base, own = base_distribution, len(base_distribution.event_shape)
        if shape != wider:
            base = base.expand(wider[: len(wider) - own])
        more = whole.domain.event_dim - own
        self.base_dist = Independent(base, more) if more > 0 else base
        events = whole.codomain.event_dim + max(own - whole.domain.event_dim, 0)
        cut = len(result) - events
        super().__init__(result[:cut], result[cut:], validate_args=validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        """The same distribution with a wider batch shape; nothing is copied."""
        whole = ComposeTransform(self.transforms)
        shape = whole.inverse_shape(tuple(batch_shape) + self.event_shape)
        base = self.base_dist.expand(shape[: len(shape) - len(self.base_dist.event_shape)])
        new = object.__new__(type(self)) if _instance is None else _instance
        TransformedDistribution.__init__(new, base, self.transforms, self._validate_args)
        return new

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        return self.base_dist.has_rsample

    @property
    def support(self) -> Constraint | None:
        if not self.transforms:
            return self.base_dist.support
        last: Constraint = self.transforms[-1].codomain
        more = len(self.event_shape) - last.event_dim
        return constraints.independent(last, more) if more > 0 else last

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with lamina.no_grad():
            return self._forward(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self._forward(self.base_dist.rsample(sample_shape))

    def _forward(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        dims, y, total = len(self.event_shape), value, None
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            dims += transform.domain.event_dim - transform.codomain.event_dim
            term = sum_rightmost(transform.log_abs_det_jacobian(x, y), dims - transform.domain.event_dim)
            total = term if total is None else total + term
            y = x
        found = sum_rightmost(self.base_dist.log_prob(y), dims - len(self.base_dist.event_shape))
        return found if total is None else found - total

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        return self._turned(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        return self._forward(self.base_dist.icdf(self._turned(value)))

    def _turned(self, probability: Tensor) -> Tensor:
        """1 - p where the transforms fall."""
        sign: Any = ComposeTransform(self.transforms).sign
        if isinstance(sign, int):
            return probability if sign == 1 else 1 - probability
        turned: Tensor = sign * (probability - 0.5) + 0.5
        return turned

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_dist!r}, {self.transforms!r})"
