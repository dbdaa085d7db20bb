"""Streaming metrics: update(...) batch by batch, compute(), reset(), merge(other).

The value is a function of the rows alone: counts are integers and sums are exact, so that it has the same bits however
the rows were cut into batches or spread over metrics that are merged.
"""

from __future__ import annotations

from .._lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:  # what __getattr__ loads
    from ._base import Metric as Metric
    from .averages import Mean as Mean
    from .averages import MeanLoss as MeanLoss
    from .classification import ECE as ECE
    from .classification import F1 as F1
    from .classification import Accuracy as Accuracy
    from .classification import ConfusionMatrix as ConfusionMatrix
    from .classification import Precision as Precision
    from .classification import Recall as Recall
    from .classification import TopKAccuracy as TopKAccuracy
    from .language import BLEU as BLEU
    from .language import Perplexity as Perplexity
    from .ranking import AUC as AUC
    from .ranking import AveragePrecision as AveragePrecision
    from .regression import MAE as MAE
    from .regression import MSE as MSE
    from .regression import R2 as R2
    from .regression import RMSE as RMSE

_FILES = {
    "_base": "Metric",
    "averages": "Mean MeanLoss",
    "classification": "ECE F1 Accuracy ConfusionMatrix Precision Recall TopKAccuracy",
    "language": "BLEU Perplexity",
    "ranking": "AUC AveragePrecision",
    "regression": "MAE MSE R2 RMSE",
}

__getattr__, __dir__, __all__ = lazy(__name__, _FILES)
