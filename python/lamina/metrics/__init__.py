"""Streaming metrics: update(...) batch by batch, compute(), reset(), merge(other).

The value is a function of the rows alone: counts are integers and sums are exact, so that it has the same bits however
the rows were cut into batches or spread over metrics that are merged.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # what __getattr__ loads
    from ._base import Metric as Metric
    from .averages import Mean as Mean
    from .averages import MeanLoss as MeanLoss
    from .classification import Accuracy as Accuracy

_FILES = {
    "_base": "Metric",
    "averages": "Mean MeanLoss",
    "classification": "Accuracy",
}
_LAZY = {name: file for file, names in _FILES.items() for name in names.split()}

__all__ = sorted(_LAZY)


def __getattr__(name: str) -> object:
    import importlib
    import sys

    if name in _LAZY:
        return getattr(importlib.import_module("." + _LAZY[name], __name__), name)
    from .._missing import missing

    raise missing(sys.modules[__name__], name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
