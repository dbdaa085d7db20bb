"""Transforms: invertible functions with the logarithms of their Jacobians, for TransformedDistribution."""

from . import _base, _parts, _vectors
from ._base import *  # noqa: F403
from ._parts import *  # noqa: F403
from ._vectors import *  # noqa: F403

__all__ = [*_base.__all__, *_parts.__all__, *_vectors.__all__]
