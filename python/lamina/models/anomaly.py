"""Anomaly detection: rows that an autoencoder cannot make again are unlike what it has seen."""

from __future__ import annotations

import math
from typing import Any

import lamina

from .. import _C, nn
from .._C import Tensor


class AnomalyDetector(nn.Module):
    """Scores rows by the reconstruction error of `model`: an Autoencoder, a VAE, or any Model that predicts its input.

    fit trains the model on normal rows; fit_threshold sets the threshold to a quantile of the scores of other normal
    rows; predict says which rows exceed it. The threshold is a buffer, and so in the state dict.

    >>> import lamina
    >>> detector = lamina.models.AnomalyDetector(lamina.models.Autoencoder(shape=(4,), hidden=(8,), latent=2))
    >>> x = lamina.rand(64, 4)
    >>> history = detector.fit(x, epochs=1, progress=False)
    >>> threshold = detector.fit_threshold(x, quantile=0.9)
    >>> detector.predict(x).sum().item()
    7
    """

    threshold: Tensor

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        if not isinstance(model, nn.Module) or not hasattr(model, "predict"):
            raise TypeError(f"AnomalyDetector: model must be a lamina.models.Model, got {type(model).__name__}")
        self.model = model
        self.register_buffer("threshold", _C.tensor(math.nan))

    def forward(self, x: Tensor) -> Tensor:
        """The error of each row, with gradients: (N, *shape) -> (N)."""
        model: Any = self.model
        if hasattr(model, "reconstruction_error"):
            errors: Tensor = model.reconstruction_error(x)
            return errors
        made = model.prediction(x)
        if tuple(made.shape) != tuple(x.shape):
            raise _C.ShapeError(
                f"AnomalyDetector: the model should predict its input {tuple(x.shape)}, got {tuple(made.shape)}"
            )
        errors = (made - x).square().flatten(1).mean(1)
        return errors

    def fit(self, data: Any, **options: Any) -> Any:
        """Trains the model on normal rows: Model.fit, with its options."""
        model: Any = self.model
        return model.fit(data, **options)

    def score(self, x: Any, *, batch_size: int = 256) -> Tensor:
        """The error of each row, in eval mode, without gradients: (N, *shape) -> (N)."""
        from ..training import predict

        scores: Tensor = predict(self, x, batch_size=batch_size)
        return scores

    def fit_threshold(self, x: Any, quantile: float = 0.99) -> float:
        """Sets the threshold to the quantile of the scores of normal rows (linear between two), and returns it."""
        if not isinstance(quantile, (int, float)) or not 0 <= quantile <= 1:
            raise ValueError(f"AnomalyDetector.fit_threshold: quantile must be in [0, 1], got {quantile!r}")
        scores = self.score(x)
        if bool(scores.isnan().any()):
            raise ValueError("AnomalyDetector.fit_threshold: some scores are NaN; do the rows hold NaN?")
        ordered = scores.sort()[0]
        place = quantile * (len(ordered) - 1)
        low = math.floor(place)
        a, b = ordered[low], ordered[min(low + 1, len(ordered) - 1)]
        self.threshold = (a + (b - a) * (place - low)).to(self.threshold.device)
        return float(self.threshold.item())

    def predict(self, x: Any, *, batch_size: int = 256) -> Tensor:
        """Which rows score above the threshold (NaN counts as above): (N, *shape) -> bool (N)."""
        return self._above(self.score(x, batch_size=batch_size))

    def _above(self, scores: Tensor) -> Tensor:
        if bool(self.threshold.isnan()):
            raise ValueError("AnomalyDetector: there is no threshold yet; call fit_threshold(normal rows)")
        return ~(scores <= self.threshold)

    def evaluate(self, x: Any, y: Any, *, batch_size: int = 256) -> dict[str, float]:
        """{"roc_auc", "precision", "recall", "f1"} against the truth y (N), true or 1 for anomalies.

        roc_auc reads the scores alone (nan where one kind is missing), the others the threshold; a share of nothing is
        0.
        """
        from ..metrics import AUC, F1, Precision, Recall

        scores = self.score(x, batch_size=batch_size)
        truth = y if isinstance(y, Tensor) else lamina.tensor(y)
        if tuple(truth.shape) != tuple(scores.shape):
            raise _C.ShapeError(
                f"AnomalyDetector.evaluate: {len(scores)} rows need as many truths, got shape {tuple(truth.shape)}"
            )
        metrics = {"roc_auc": AUC(), "precision": Precision("binary"), "recall": Recall("binary"), "f1": F1("binary")}
        truth = (truth != 0).long()
        found = self._above(scores).long()
        ranked = _C.where(scores.isnan(), math.inf, scores)
        for name, metric in metrics.items():
            metric.update(ranked if name == "roc_auc" else found, truth)
        return {name: float(metric.compute()) for name, metric in metrics.items()}
