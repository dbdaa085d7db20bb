"""Metrics of scores: the area under the ROC curve, and average precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._base import Metric
from .classification import aligned

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


class _Scores(Metric):
    """Keeps all scores with their labels (0 or 1)."""

    def reset(self) -> None:
        self._parts: list[tuple[Array, Array]] = []

    def update(self, output: Any, target: Any) -> None:
        """Scores of class 1 and labels 0 or 1: (*), (*) or (N, 1), (N); or scores of two classes: (N, 2), (N).

        Of several labels, (N, labels) and (N, labels), all count in one pool ("micro").
        """
        import numpy as np

        name = type(self).__name__
        p, t = aligned(name, output, target)
        if p.ndim == t.ndim + 1 and p.ndim == 2 and p.shape[1] == 2 and len(p) == len(t):
            p = p[:, 1] - p[:, 0]
        if p.shape != t.shape:
            from .. import ShapeError

            raise ShapeError(
                f"{name}: expected scores and labels of one shape, (N, 1) and (N), or (N, 2) and (N), got {p.shape}, {t.shape}"
            )
        if not ((t == 0) | (t == 1)).all():
            raise ValueError(f"{name}: labels should be 0 or 1")
        if np.isnan(p.astype(np.float64)).any():
            raise ValueError(f"{name}: a score is NaN")
        self._parts.append((p.astype(np.float64).reshape(-1), t.astype(bool).reshape(-1)))

    def _counts(self) -> tuple[list[int], list[int]]:
        """Positives and negatives at each different score, from the highest."""
        import numpy as np

        if not self._parts:
            return [], []
        scores = np.concatenate([p for p, _ in self._parts])
        labels = np.concatenate([t for _, t in self._parts])
        _, place = np.unique(-scores, return_inverse=True)
        size = int(place.max()) + 1 if place.size else 0
        ones = np.bincount(place[labels], minlength=size)
        zeros = np.bincount(place[~labels], minlength=size)
        return ones.tolist(), zeros.tolist()

    def _merge(self, other: _Scores) -> None:
        self._parts.extend(other._parts)


class AUC(_Scores):
    """The area under the ROC curve: how often a row of class 1 scores above one of class 0, ties counting half.

    Exact: a ratio of whole numbers, by ranks (Hanley and McNeil 1982). nan where one class has no rows.

    >>> import lamina
    >>> metric = lamina.metrics.AUC()
    >>> metric.update(lamina.tensor([0.9, 0.4, 0.4, 0.1]), lamina.tensor([1, 1, 0, 0]))
    >>> metric.compute()
    0.875
    """

    def compute(self) -> float:
        ones, zeros = self._counts()
        below, twice = sum(zeros), 0
        pairs = sum(ones) * below
        for one, zero in zip(ones, zeros, strict=True):
            below -= zero
            twice += one * (2 * below + zero)
        return twice / (2 * pairs) if pairs else float("nan")


class AveragePrecision(_Scores):
    """The sum over thresholds of precision times the rise of recall (no interpolation). nan without rows of class 1.

    >>> import lamina
    >>> metric = lamina.metrics.AveragePrecision()
    >>> metric.update(lamina.tensor([0.9, 0.8, 0.7]), lamina.tensor([1, 0, 1]))
    >>> round(metric.compute(), 4)  # 1/2 * 1 + 1/2 * 2/3
    0.8333
    """

    def compute(self) -> float:
        from math import fsum

        ones, zeros = self._counts()
        total, seen, right, terms = sum(ones), 0, 0, []
        for one, zero in zip(ones, zeros, strict=True):
            seen, right = seen + one + zero, right + one
            if one:
                terms.append(right * one / seen)
        return fsum(terms) / total if total else float("nan")
