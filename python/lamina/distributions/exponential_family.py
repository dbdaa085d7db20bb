"""ExponentialFamily: densities exp(<t(x), theta> - F(theta) + k(x))."""

from __future__ import annotations

from typing import Any

import lamina

from .._C import Tensor
from .distribution import Distribution


class ExponentialFamily(Distribution):
    """Base class: write _natural_params (theta) and _log_normalizer (F), and _mean_carrier_measure (mean of k(x)).

    Entropies and divergences then follow from F and its gradient (Nielsen and Nock 2010).
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise self._missing("_natural_params")

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        raise self._missing("_log_normalizer")

    @property
    def _mean_carrier_measure(self) -> float:
        raise self._missing("_mean_carrier_measure")

    def _at_natural_params(self) -> tuple[tuple[Tensor, ...], Tensor, tuple[Tensor, ...]]:
        """(theta, F(theta), its gradient), recorded so that they can be differentiated."""
        with lamina.enable_grad():
            params = tuple(p if p.requires_grad else p.detach().requires_grad_() for p in self._natural_params)
            normal = self._log_normalizer(*params)
            slopes: Any = lamina.autograd.grad(normal.sum(), params, create_graph=True)
            return params, normal, tuple(slopes)

    def entropy(self) -> Tensor:
        params, normal, slopes = self._at_natural_params()
        found = normal - self._mean_carrier_measure
        for param, slope in zip(params, slopes, strict=True):
            found = found - sum_event(param * slope, len(self.batch_shape))
        return found


def sum_event(value: Tensor, batch_dims: int) -> Tensor:
    """The sum over all dims after those of the batch."""
    return value.sum(tuple(range(batch_dims, value.ndim))) if value.ndim > batch_dims else value
