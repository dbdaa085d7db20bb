"""biject_to and transform_to: from a constraint to a transform of real numbers onto its set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import constraints, transforms
from .constraints import Constraint
from .transforms import Transform

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]
Factory = Callable[[Any], Transform]


class ConstraintRegistry:
    """A table of constraint types and the functions that make a transform of one: `registry(constraint)`.

    >>> import lamina
    >>> from lamina.distributions import constraints, transform_to
    >>> transform_to(constraints.positive)(lamina.tensor(0.0)).item()
    1.0
    """

    def __init__(self, name: str = "registry") -> None:
        self._name = name
        self._factories: dict[type[Constraint], Factory] = {}

    def register(self, constraint: Constraint | type[Constraint], factory: Factory | None = None) -> Any:
        """The factory gets the constraint and gives its transform; without one, a decorator."""
        if factory is None:
            return lambda given: self.register(constraint, given)
        kind = constraint if isinstance(constraint, type) else type(constraint)
        if not issubclass(kind, Constraint):
            raise TypeError(f"{self._name}: expected a Constraint or a class of them, got {constraint!r}")
        self._factories[kind] = factory
        return factory

    def __call__(self, constraint: Constraint) -> Transform:
        factory = self._factories.get(type(constraint))
        if factory is not None:
            return factory(constraint)
        raise NotImplementedError(f"{self._name} has no transform for {type(constraint).__name__} constraints")


biject_to, transform_to = ConstraintRegistry("biject_to"), ConstraintRegistry("transform_to")


def _both(constraint: Constraint | type[Constraint], factory: Factory) -> None:
    biject_to.register(constraint, factory)
    transform_to.register(constraint, factory)


def _between(constraint: Any) -> Transform:
    low, high = constraint.lower_bound, constraint.upper_bound
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and (low, high) == (0, 1):
        return transforms.SigmoidTransform()
    return transforms.ComposeTransform([transforms.SigmoidTransform(), transforms.AffineTransform(low, high - low)])


def _above(constraint: Any) -> Transform:
    return transforms.ComposeTransform(
        [transforms.ExpTransform(), transforms.AffineTransform(constraint.lower_bound, 1)]
    )


def _below(constraint: Any) -> Transform:
    return transforms.ComposeTransform(
        [transforms.ExpTransform(), transforms.AffineTransform(constraint.upper_bound, -1)]
    )


def _positive_or_above(constraint: Any) -> Transform:
    low = constraint.lower_bound
    return transforms.ExpTransform() if isinstance(low, (int, float)) and low == 0 else _above(constraint)


_both(constraints.real, lambda c: transforms.identity_transform)
_both(constraints.interval, _between)
_both(constraints.half_open_interval, _between)
_both(constraints.greater_than, _positive_or_above)
_both(constraints.greater_than_eq, _positive_or_above)
_both(constraints.less_than, _below)
_both(constraints.corr_cholesky, lambda c: transforms.CorrCholeskyTransform())
biject_to.register(constraints.simplex, lambda c: transforms.StickBreakingTransform())
transform_to.register(constraints.simplex, lambda c: transforms.SoftmaxTransform())
transform_to.register(constraints.lower_cholesky, lambda c: transforms.LowerCholeskyTransform())
transform_to.register(constraints.positive_definite, lambda c: transforms.PositiveDefiniteTransform())
transform_to.register(constraints.positive_semidefinite, lambda c: transforms.PositiveDefiniteTransform())
# Constraints built of others: the transform of each part.
for _registry in (biject_to, transform_to):

    def _independent(c: Any, registry: ConstraintRegistry = _registry) -> Transform:
        return transforms.IndependentTransform(registry(c.base_constraint), c.reinterpreted_batch_ndims)

    def _cat(c: Any, registry: ConstraintRegistry = _registry) -> Transform:
        return transforms.CatTransform([registry(part) for part in c.cseq], c.dim, c.lengths)

    def _stack(c: Any, registry: ConstraintRegistry = _registry) -> Transform:
        return transforms.StackTransform([registry(part) for part in c.cseq], c.dim)

    _registry.register(constraints.independent, _independent)
    _registry.register(constraints.cat, _cat)
    _registry.register(constraints.stack, _stack)
