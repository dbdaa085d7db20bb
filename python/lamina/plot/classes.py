"""Classifiers: the confusion matrix and the ROC curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._figure import COLOURS, GREY, MATRIX, STYLES, Path, array, figure, finish, tidy, wrong_shape


def confusion(matrix: Any, labels: Sequence[Any] | None = None, *, path: Path = None, title: str | None = None) -> Any:
    """A confusion matrix (C, C): rows are true classes, columns predicted ones; counts or shares.

    Colours are shares of the row. Numbers are written into the cells up to 25 classes.

    >>> import lamina
    >>> lamina.plot.confusion([[5, 1], [0, 4]], ["cat", "dog"]).axes[0].get_ylabel()
    'true class'
    """
    import numpy as np

    counts = array("confusion", matrix, "matrix")
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not len(counts):
        raise wrong_shape("confusion", "matrix", "(C, C)", counts.shape)
    size = len(counts)
    names = [str(i) for i in range(size)] if labels is None else [str(label) for label in labels]
    if len(names) != size:
        raise ValueError(f"plot.confusion: {len(names)} labels for {size} classes")
    total = counts.sum(1, keepdims=True)
    share = counts / np.where(total > 0, total, 1)
    side, margin = min(10.0, 1.2 + 0.45 * size), 0.09 * max(map(len, names))
    made, ((axis,),) = figure(size=(side + margin + 1.8, side + margin + 0.6))
    image = axis.imshow(share, cmap=MATRIX, vmin=0, vmax=1)
    long = size > 10 or max(map(len, names)) > 4
    step = -(-size // 40)
    axis.set_xticks(range(0, size, step), names[::step], rotation=90 if long else 0)
    axis.set_yticks(range(0, size, step), names[::step])
    axis.set(xlabel="predicted class", ylabel="true class")
    if size <= 25:
        whole = counts.dtype.kind != "f" or bool((counts == np.floor(counts)).all())
        for i in range(size):
            for j in range(size):
                text = f"{counts[i, j]:.0f}" if whole else f"{counts[i, j]:.2f}"
                colour = "white" if share[i, j] > 0.5 else "black" if counts[i, j] else "#999999"
                axis.text(j, i, text, ha="center", va="center", color=colour, fontsize=9 if size <= 12 else 6)
    made.colorbar(image, ax=axis, label="share of the true class", shrink=0.8)
    return finish(made, path, title)


def roc(
    scores: Any, truth: Any, labels: Sequence[Any] | None = None, *, path: Path = None, title: str | None = None
) -> Any:
    """The ROC curve of scores for class 1 (N), or of each class against the rest (N, C), with the area below it.

    truth (N): bools or numbers of classes. A class that is missing among them, or alone, has no curve.

    >>> import lamina
    >>> figure = lamina.plot.roc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    >>> figure.axes[0].get_legend().get_texts()[0].get_text()
    'area 0.750'
    """
    values, target = array("roc", scores, "scores"), array("roc", truth, "truth").astype(int)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim not in (1, 2) or target.shape != values.shape[:1]:
        raise wrong_shape("roc", "scores", f"({len(target)},) or ({len(target)}, C), as truth has them", values.shape)
    made, ((axis,),) = figure(size=(5.2, 4.8))
    columns = [(1, values)] if values.ndim == 1 else list(enumerate(values.T))
    if labels is not None and len(labels) != len(columns) and values.ndim == 2:
        raise ValueError(f"plot.roc: {len(labels)} labels for {len(columns)} classes")
    drawn = 0
    for place, (number, column) in enumerate(columns):
        right = target == number
        if not right.any() or right.all():
            continue
        wrong_rate, right_rate, area = _roc(column, right)
        name = "" if values.ndim == 1 else f"{number if labels is None else labels[number]}: "
        style = STYLES[place // len(COLOURS) % len(STYLES)]
        axis.plot(wrong_rate, right_rate, style, color=COLOURS[place % len(COLOURS)], label=f"{name}area {area:.3f}")
        drawn += 1
    if not drawn:
        raise ValueError("plot.roc: truth has rows of one class alone, so there is no curve")
    axis.plot([0, 1], [0, 1], ":", color=GREY, linewidth=1, label="chance")
    tidy(axis, "false positive rate", "true positive rate")
    axis.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axis.legend(frameon=False, loc="lower right", fontsize=9 if drawn <= 8 else 7)
    return finish(made, path, title)


def _roc(scores: Any, right: Any) -> tuple[Any, Any, float]:
    """(false positive rates, true positive rates, area): a point for each different score."""
    import numpy as np

    order = np.argsort(-scores, kind="stable")
    last = np.append(np.nonzero(np.diff(scores[order]))[0], len(scores) - 1)  # of equal scores
    hits = np.cumsum(right[order])[last]
    false = (last + 1 - hits) / (~right).sum()
    true = hits / right.sum()
    false, true = np.append(0.0, false), np.append(0.0, true)
    area = float(((false[1:] - false[:-1]) * (true[1:] + true[:-1]) / 2).sum())
    return false, true, area
