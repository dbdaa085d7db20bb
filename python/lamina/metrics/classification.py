"""Metrics of classes: accuracy, precision, recall, F1, confusion matrix, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._base import Metric, to_array

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_AVERAGES = ("binary", "micro", "macro", "weighted", "none")


def classes_of(name: str, output: Any, target: Any, threshold: float = 0.5) -> tuple[Array, Array]:
    """(predicted, true) classes as flat int64 arrays: logits (N, C, *), classes (*) or probabilities (*) of class 1."""
    import numpy as np

    p, t = to_array(name, output), to_array(name, target)
    if p.ndim == t.ndim + 1 and p.dtype.kind == "f":
        if p.shape[:1] + p.shape[2:] != t.shape:
            raise _shapes(name, p, t)
        p = p.argmax(1) if p.shape[1] else p
    elif p.shape != t.shape:
        raise _shapes(name, p, t)
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


def _shapes(name: str, p: Array, t: Array) -> Exception:
    from .. import ShapeError

    return ShapeError(
        f"{name}: expected scores (N, C, *) or classes (N, *) and a target (N, *), got {p.shape} and {t.shape}"
    )


class Accuracy(Metric):
    """The share of rows whose class is right.

    `update(output, target)`: scores (N, C, *) or classes (N, *) with target (N, *); floating outputs of the target's
    shape are probabilities of class 1 (for logits give threshold=0.0). Rows whose target is `ignore_index` do not count.

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
