"""Metrics of classes: accuracy, precision, recall, F1, confusion matrix, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._base import ExactSum, Metric, to_array

if TYPE_CHECKING:
    import numpy as np

    from .._C import Tensor

    Array = np.ndarray[Any, Any]

_AVERAGES = ("binary", "micro", "macro", "weighted", "none")


def aligned(name: str, output: Any, target: Any) -> tuple[Array, Array]:
    """Both as arrays; a dim of size 1 after the rows is left out where the other one lacks it.

    So (N, 1) are the probabilities of class 1 of N rows, not the scores of a single class.
    """
    p, t = to_array(name, output), to_array(name, target)
    if p.ndim >= 2 and p.shape[1] == 1 and p.shape[:1] + p.shape[2:] == t.shape:
        return p[:, 0], t
    if t.ndim >= 2 and t.shape[1] == 1 and t.shape != p.shape:
        rest = t.shape[:1] + t.shape[2:]
        if p.shape == rest or p.shape[:1] + p.shape[2:] == rest:
            return p, t[:, 0]
    return p, t


def classes_of(name: str, output: Any, target: Any, threshold: float = 0.5) -> tuple[Array, Array]:
    """(predicted, true) classes as flat int64 arrays: scores (N, C, *), classes (*) or probabilities (*) of class 1."""
    import numpy as np

    p, t = aligned(name, output, target)
    if p.ndim == t.ndim + 1 and p.ndim >= 2 and p.shape[:1] + p.shape[2:] == t.shape and p.dtype.kind == "f":
        p = p.argmax(1)
    elif p.shape != t.shape:
        raise shapes(name, p, t)
    elif p.dtype.kind == "f":
        if threshold == 0.5 and p.size and (p.min() < 0 or p.max() > 1):
            raise ValueError(
                f"{name}: outputs of the target's shape are taken for probabilities, but they reach from "
                f"{p.min():.4g} to {p.max():.4g}; hint: for logits give threshold=0.0"
            )
        p = p > threshold
    if t.dtype.kind == "f" and not (t == np.floor(t)).all():
        raise ValueError(f"{name}: the target should hold classes, got values that are no whole numbers")
    return p.astype(np.int64).reshape(-1), t.astype(np.int64).reshape(-1)


def shapes(name: str, p: Array, t: Array) -> Exception:
    from .. import ShapeError

    return ShapeError(
        f"{name}: expected scores (N, C, *), probabilities (N, *) or (N, 1) or classes (N, *) and a target (N, *), "
        f"got {p.shape} and {t.shape}"
    )


def rows_and_scores(name: str, output: Any, target: Any) -> tuple[Array, Array]:
    """Scores (N, C, *) as rows (M, C) in float64, and their classes (M)."""
    import numpy as np

    p, t = aligned(name, output, target)
    if p.ndim < 2 or p.shape[:1] + p.shape[2:] != t.shape or p.dtype.kind != "f":
        raise shapes(name, p, t)
    return np.moveaxis(p, 1, -1).reshape(-1, p.shape[1]), t.astype(np.int64).reshape(-1)


class Accuracy(Metric):
    """The share of rows whose class is right.

    `update(output, target)`: scores (N, C, *) or classes (N, *) with target (N, *); floating outputs of the target's
    shape, or (N, 1, *), are probabilities of class 1 (for logits give threshold=0.0), of each label where both are
    (N, labels). Rows whose target is `ignore_index` do not count.

    >>> import lamina
    >>> metric = lamina.metrics.Accuracy()
    >>> metric.update(lamina.tensor([[2.0, 1.0], [0.0, 3.0]]), lamina.tensor([0, 0]))
    >>> metric.compute()
    0.5
    """

    def __init__(self, threshold: float = 0.5, ignore_index: int | None = None) -> None:
        self.threshold, self.ignore_index = threshold, ignore_index
        super().__init__()

    def reset(self) -> None:
        self._right = self._count = 0

    def update(self, output: Any, target: Any) -> None:
        p, t = classes_of("Accuracy", output, target, self.threshold)
        kept = slice(None) if self.ignore_index is None else t != self.ignore_index
        self._right += int((p == t)[kept].sum())
        self._count += int(t[kept].size)

    def compute(self) -> float:
        return self._right / self._count if self._count else float("nan")

    def _merge(self, other: Accuracy) -> None:
        self._right += other._right
        self._count += other._count


class TopKAccuracy(Metric):
    """The share of rows whose class is among the `k` with the highest scores; of equal scores the first class leads.

    `update(output, target)`: scores (N, C, *), target (N, *).

    >>> import lamina
    >>> metric = lamina.metrics.TopKAccuracy(2)
    >>> metric.update(lamina.tensor([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]]), lamina.tensor([1, 2]))
    >>> metric.compute()
    0.5
    """

    def __init__(self, k: int = 5, ignore_index: int | None = None) -> None:
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise ValueError(f"TopKAccuracy: k should be a positive whole number, got {k!r}")
        self.k, self.ignore_index = k, ignore_index
        super().__init__()

    def reset(self) -> None:
        self._right = self._count = 0

    def update(self, output: Any, target: Any) -> None:
        import numpy as np

        rows, t = rows_and_scores("TopKAccuracy", output, target)
        if self.ignore_index is not None:
            rows, t = rows[t != self.ignore_index], t[t != self.ignore_index]
        _check_classes("TopKAccuracy", t, rows.shape[1])
        own = rows[np.arange(len(t)), t][:, None]
        earlier = np.arange(rows.shape[1]) < t[:, None]
        rank = ((rows > own) | ((rows == own) & earlier)).sum(1)
        self._right += int(((rank < self.k) & ~np.isnan(own[:, 0])).sum())
        self._count += len(t)

    def compute(self) -> float:
        return self._right / self._count if self._count else float("nan")

    def _merge(self, other: TopKAccuracy) -> None:
        self._right += other._right
        self._count += other._count


def _check_classes(name: str, t: Array, classes: int) -> None:
    if t.size and not (0 <= t.min() and t.max() < classes):
        raise ValueError(f"{name}: target holds class {t.min() if t.min() < 0 else t.max()}, there are {classes}")


class ConfusionMatrix(Metric):
    """How often each true class (row) was taken for each class (column): compute() -> int64 (classes, classes).

    Without `classes` it grows with the classes that appear. `update` as in Accuracy.

    >>> import lamina
    >>> metric = lamina.metrics.ConfusionMatrix()
    >>> metric.update(lamina.tensor([0, 1, 1]), lamina.tensor([0, 0, 1]))
    >>> metric.compute().tolist()
    [[1, 1], [0, 1]]
    """

    def __init__(self, classes: int | None = None, threshold: float = 0.5, ignore_index: int | None = None) -> None:
        self.classes, self.threshold, self.ignore_index = classes, threshold, ignore_index
        super().__init__()

    def reset(self) -> None:
        self._counts: dict[tuple[int, int], int] = {}  # (true, predicted) -> rows
        self._most = -1

    def update(self, output: Any, target: Any) -> None:
        import numpy as np

        name = type(self).__name__
        p, t = classes_of(name, output, target, self.threshold)
        if self.ignore_index is not None:
            p, t = p[t != self.ignore_index], t[t != self.ignore_index]
        if t.size == 0:
            return
        width = max(int(p.max()), int(t.max())) + 1
        scores, truth = aligned(name, output, target)
        if scores.ndim == truth.ndim + 1:
            width = max(width, int(scores.shape[1]))
        for values in (p, t):
            _check_classes(name, values, self.classes or width)
        pairs, rows = np.unique(t * width + p, return_counts=True)
        for pair, n in zip(pairs.tolist(), rows.tolist(), strict=True):
            key = divmod(pair, width)
            self._counts[key] = self._counts.get(key, 0) + n
        self._most = max(self._most, width - 1)

    def array(self) -> Array:
        """The matrix as a NumPy array."""
        import numpy as np

        size = self.classes or self._most + 1
        matrix = np.zeros((size, size), dtype=np.int64)
        for key, n in self._counts.items():
            matrix[key] = n
        return matrix

    def compute(self) -> Any:
        from .. import from_numpy

        matrix: Tensor = from_numpy(self.array())
        return matrix

    def _merge(self, other: ConfusionMatrix) -> None:
        for key, n in other._counts.items():
            self._counts[key] = self._counts.get(key, 0) + n
        self._most = max(self._most, other._most)


class _PerClass(ConfusionMatrix):
    """Metrics from the counts of each class: right, predicted, true."""

    def __init__(
        self,
        average: str = "macro",
        classes: int | None = None,
        threshold: float = 0.5,
        ignore_index: int | None = None,
        positive: int = 1,
    ) -> None:
        if average not in _AVERAGES:
            raise ValueError(f"{type(self).__name__}: average must be one of {', '.join(_AVERAGES)}, got {average!r}")
        self.average, self.positive = average, positive
        super().__init__(classes, threshold, ignore_index)

    def _share(self, right: Any, predicted: Any, true: Any) -> Any:
        raise NotImplementedError

    def compute(self) -> Any:
        import numpy as np

        matrix = self.array()
        right, predicted, true = np.diagonal(matrix), matrix.sum(0), matrix.sum(1)
        if not matrix.sum():
            return float("nan")
        if self.average == "micro":
            return float(self._share(right.sum(), predicted.sum(), true.sum()))
        if self.average == "binary":
            if len(matrix) > 2:
                raise ValueError(
                    f"{type(self).__name__}: average='binary' needs two classes, there are {len(matrix)}; "
                    "hint: 'macro', 'micro' or 'weighted'"
                )
            if self.positive >= len(matrix):
                return 0.0
            return float(self._share(right, predicted, true)[self.positive])
        shares = self._share(right, predicted, true)
        if self.average == "none":
            from .. import from_numpy

            tensor: Tensor = from_numpy(shares)
            return tensor
        met = predicted + true > 0  # a class that nowhere appears has no share
        if self.average == "weighted":
            return float((shares * true).sum() / true.sum())
        return float(shares[met].sum() / met.sum())


def _ratio(top: Any, bottom: Any) -> Any:
    import numpy as np

    return np.where(np.asarray(bottom) == 0, 0.0, np.asarray(top) / np.maximum(bottom, 1))


class Precision(_PerClass):
    """Of the rows taken for a class, the share that has it; 0 for a class that was never predicted.

    `average`: "macro" (the mean over classes that appear), "micro" (all rows in one), "weighted" (by true rows),
    "binary" (of class `positive`), "none" (a tensor, one a class). `update` as in Accuracy.

    >>> import lamina
    >>> metric = lamina.metrics.Precision("binary")
    >>> metric.update(lamina.tensor([1, 1, 0]), lamina.tensor([1, 0, 1]))
    >>> metric.compute()
    0.5
    """

    def _share(self, right: Any, predicted: Any, true: Any) -> Any:
        return _ratio(right, predicted)


class Recall(_PerClass):
    """Of the rows of a class, the share that was found; 0 for a class without rows. `average` as in Precision.

    >>> import lamina
    >>> metric = lamina.metrics.Recall("binary")
    >>> metric.update(lamina.tensor([1, 0, 0, 0]), lamina.tensor([1, 1, 1, 1]))
    >>> metric.compute()
    0.25
    """

    def _share(self, right: Any, predicted: Any, true: Any) -> Any:
        return _ratio(right, true)


class F1(_PerClass):
    """The harmonic mean of precision and recall, 2 right / (predicted + true). `average` as in Precision.

    >>> import lamina
    >>> metric = lamina.metrics.F1("binary")
    >>> metric.update(lamina.tensor([1, 1, 0]), lamina.tensor([1, 0, 0]))
    >>> round(metric.compute(), 4)
    0.6667
    """

    def _share(self, right: Any, predicted: Any, true: Any) -> Any:
        return _ratio(2 * right, predicted + true)


class ECE(Metric):
    """Expected calibration error (Guo et al. 2017, arXiv 1706.04599): the mean gap of confidence and accuracy.

    `update(probabilities, target)`: (N, C, *) with target (N, *), or (N, *) of class 1. With logits=True the outputs go
    through softmax (sigmoid) first. Bins are `bins` equal intervals (a, b] of the confidence, weighted by their rows.

    >>> import lamina
    >>> metric = lamina.metrics.ECE(bins=10)
    >>> metric.update(lamina.tensor([[0.25, 0.75], [0.25, 0.75]]), lamina.tensor([1, 0]))
    >>> metric.compute()
    0.25
    """

    def __init__(self, bins: int = 15, logits: bool = False) -> None:
        if isinstance(bins, bool) or not isinstance(bins, int) or bins < 1:
            raise ValueError(f"ECE: bins should be a positive whole number, got {bins!r}")
        self.bins, self.logits = bins, logits
        super().__init__()

    def reset(self) -> None:
        self._sure = [ExactSum() for _ in range(self.bins)]
        self._right, self._rows = [0] * self.bins, [0] * self.bins

    def update(self, output: Any, target: Any) -> None:
        import numpy as np

        sure, right = self._confidence(*aligned("ECE", output, target))
        if sure.size and not (sure.min() >= 0 and sure.max() <= 1):
            raise ValueError("ECE: probabilities should be in [0, 1]; hint: logits=True for outputs without softmax")
        which = np.clip(np.ceil(sure * self.bins).astype(np.int64) - 1, 0, self.bins - 1)
        for b in np.unique(which).tolist():
            here = which == b
            self._sure[b].add(sure[here])
            self._right[b] += int(right[here].sum())
            self._rows[b] += int(here.sum())

    def _confidence(self, p: Array, t: Array) -> tuple[Array, Array]:
        """(probability of the class that is said, whether it is right), flat."""
        import numpy as np

        if p.shape == t.shape and p.dtype.kind == "f":
            p = 0.5 + 0.5 * np.tanh(0.5 * p) if self.logits else p
            said = p > 0.5
            return np.where(said, p, 1 - p).reshape(-1), (said == (t > 0.5)).reshape(-1)
        rows, classes = rows_and_scores("ECE", p, t)
        if self.logits:
            rows = np.exp(rows - rows.max(1, keepdims=True))
            rows = rows / rows.sum(1, keepdims=True)
        return rows.max(1), rows.argmax(1) == classes

    def compute(self) -> float:
        from fractions import Fraction

        total = sum(self._rows)
        gaps = [abs(s.fraction() - right) for s, right in zip(self._sure, self._right, strict=True)]
        return float(sum(gaps, Fraction(0)) / total) if total else float("nan")

    def _merge(self, other: ECE) -> None:
        for b in range(self.bins):
            self._sure[b].merge(other._sure[b])
            self._right[b] += other._right[b]
            self._rows[b] += other._rows[b]
