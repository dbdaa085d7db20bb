"""torch.nn.modules: every layer of lamina.nn, and the base classes and helpers that programs take from its files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .conv import _ConvNd as _ConvNd
from .loss import _Loss as _Loss
from .loss import _WeightedLoss as _WeightedLoss
from .norm import _BatchNorm as _BatchNorm
from .norm import _InstanceNorm as _InstanceNorm
from .norm import _NormBase as _NormBase

__path__: list[str] = []  # lamina.nn.modules.conv and its kin are this module


def _ntuple(n: int) -> Callable[[Any], tuple[Any, ...]]:
    """Of one number n of them, of several a tuple."""
    return lambda x: tuple(x) if isinstance(x, Iterable) else (x,) * n


_single, _pair, _triple, _quadruple = (_ntuple(n) for n in (1, 2, 3, 4))


def __getattr__(name: str) -> object:
    import lamina.nn

    from .._missing import later

    try:
        return later(__name__, name)
    except AttributeError:
        return getattr(lamina.nn, name)
