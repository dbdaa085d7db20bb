"""Attention weights as a matrix of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._figure import MATRIX, Path, array, figure, finish, wrong_shape


def attention(
    weights: Any,
    tokens: Sequence[Any] | None = None,
    queries: Sequence[Any] | None = None,
    *,
    path: Path = None,
    title: str | None = None,
) -> Any:
    """Attention weights (L, S), or (heads, L, S) with a panel a head: rows attend, columns are attended to.

    tokens (S) names the columns, and the rows too unless `queries` (L) does.

    >>> import lamina
    >>> figure = lamina.plot.attention(lamina.eye(3), ["a", "cat", "sat"])
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
    ['a', 'cat', 'sat']
    """
    values = array("attention", weights, "weights").astype(float)
    if values.ndim == 2:
        values = values[None]
    if values.ndim != 3 or not values.size:
        raise wrong_shape("attention", "weights", "(L, S) or (heads, L, S)", values.shape)
    heads, length, width = values.shape
    columns_of = _names("tokens", tokens, width)
    rows_of = _names("queries", queries if queries is not None or length != width else tokens, length)
    columns = min(4, heads)
    rows = -(-heads // columns)
    side = 1.6 + 0.24 * min(max(length, width), 30)
    made, axes = figure(rows, columns, (side * columns + 1.2, side * rows + 0.4))
    image = None
    for i, axis in enumerate(axes.flat):
        if i >= heads:
            axis.remove()
            continue
        image = axis.imshow(values[i], cmap=MATRIX, vmin=0, vmax=max(float(values.max()), 1e-12))
        axis.set_xticks(*columns_of, rotation=90)
        axis.set_yticks(*rows_of)
        axis.tick_params(labelsize=8)
        if heads > 1:
            axis.set_title(f"head {i}", fontsize=10)
        if i // columns == (heads - 1) // columns:
            axis.set_xlabel("attended to")
        if i % columns == 0:
            axis.set_ylabel("attending")
    made.colorbar(image, ax=list(axes.flat[:heads]), label="weight", shrink=0.8)
    return finish(made, path, title)


def _names(what: str, names: Sequence[Any] | None, count: int) -> tuple[list[int], list[str]]:
    """(places, texts) of at most 40 ticks."""
    if names is not None and len(names) != count:
        raise ValueError(f"plot.attention: {len(names)} {what} for {count} places")
    step = -(-count // 40)
    places = list(range(0, count, step))
    return places, [str(i if names is None else names[i]) for i in places]
