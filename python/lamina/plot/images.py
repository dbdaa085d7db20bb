"""Images: grids, reconstructions beside their originals, the filters of a first layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _C
from ._figure import DIVERGING, Path, array, finish, tidy, tiles, wrong_shape


def grid(
    images: Any,
    *,
    columns: int | None = None,
    titles: Sequence[Any] | None = None,
    path: Path = None,
    title: str | None = None,
) -> Any:
    """Images (N, C, H, W) with C 1 or 3, or (N, H, W), as a grid.

    uint8 is 0..255; floats within 0..1 are shown as they are, others between the least and the largest of all.

    >>> import lamina
    >>> len(lamina.plot.grid(lamina.rand(6, 1, 8, 8), columns=3).axes)
    6
    """
    pictures = _pictures("grid", "images", images)
    count = len(pictures)
    if columns is None:
        columns = min(count, 10, max(1, round((2 * count) ** 0.5)))
    if isinstance(columns, bool) or not isinstance(columns, int) or columns < 1:
        raise ValueError(f"plot.grid: columns should be a positive whole number, got {columns!r}")
    if titles is not None and len(titles) != count:
        raise ValueError(f"plot.grid: {len(titles)} titles for {count} images")
    rows = -(-count // columns)
    ratio = pictures.shape[1] / pictures.shape[2]
    made, axes = tiles(rows, columns, (1.0, ratio), title, gap=0.0 if titles is None else 0.18)
    for i, axis in enumerate(axes.flat):
        axis.set_axis_off()
        if i < count:
            _show(axis, pictures[i])
            if titles is not None:
                axis.set_title(str(titles[i]), fontsize=8, pad=2)
        else:
            axis.remove()
    return finish(made, path, title)


def reconstructions(x: Any, y: Any, *, count: int = 10, path: Path = None, title: str | None = None) -> Any:
    """Images x, what an autoencoder made of them y (same shape), and how far apart they are, for the first `count`.

    >>> import lamina
    >>> x = lamina.rand(4, 1, 8, 8)
    >>> len(lamina.plot.reconstructions(x, 0.9 * x).axes)
    12
    """
    if tuple(x.shape) != tuple(y.shape):
        raise wrong_shape("reconstructions", "y", f"of x's shape {tuple(x.shape)}", tuple(y.shape))
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"plot.reconstructions: count should be a positive whole number, got {count!r}")
    import numpy as np

    both = np.concatenate([array("reconstructions", v)[:count] for v in (x, y)])
    pictures = _pictures("reconstructions", "x", both)  # on one scale
    there, here = np.split(pictures, 2)
    far = np.abs(there - here)
    names = ("original", "reconstruction", f"difference\n(at most {far.max():.2g})")
    far = far / max(float(far.max()), 1e-12)
    columns, ratio = len(there), there.shape[1] / there.shape[2]
    made, axes = tiles(3, columns, (1.0, ratio), title, left=1.1)
    for row, (name, line) in enumerate(zip(names, (there, here, far), strict=True)):
        for i, axis in enumerate(axes[row]):
            _show(axis, line[i])
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
        axes[row, 0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
    return finish(made, path, title)


def filters(layer: Any, *, count: int = 64, path: Path = None, title: str | None = None) -> Any:
    """The weights of a convolution, or of the first one in a model: one picture a filter, for the first `count`.

    Filters of three channels are shown in colour (0 is mid grey), those of others as the mean over the channels with
    white for 0; filters of Conv1d as lines, one a channel.

    >>> import lamina
    >>> len(lamina.plot.filters(lamina.nn.Conv2d(3, 8, 5)).axes)
    8
    """
    weight = _first_weight(layer)[:count]
    many, most = len(weight), max(float(abs(weight).max()), 1e-12)
    columns = min(many, 8)
    rows = -(-many // columns)
    shaded = weight.ndim == 4 and weight.shape[1] != 3
    made, axes = tiles(rows, columns, (1.1, 1.1), title, right=1.0 if shaded else 0.0)
    image = None
    for i, axis in enumerate(axes.flat):
        axis.set(xticks=[], yticks=[])
        if i >= many:
            axis.remove()
        elif weight.ndim == 3:
            axis.plot(weight[i].T, linewidth=1)
            tidy(axis)
            axis.set(ylim=(-most, most))
        elif weight.shape[1] == 3:
            axis.imshow(0.5 + 0.5 * weight[i].transpose(1, 2, 0) / most, interpolation="nearest")
        else:
            image = axis.imshow(weight[i].mean(0), cmap=DIVERGING, vmin=-most, vmax=most, interpolation="nearest")
    if image is not None:
        width, height = made.get_size_inches()
        place = made.add_axes(
            (1 - 0.95 / width, 0.15 / height, 0.15 / width, min(1.1 * rows, 3.0) / height - 0.1 / height)
        )
        made.colorbar(image, cax=place, label="weight")
    return finish(made, path, title)


def _first_weight(layer: Any) -> Any:
    from .. import nn

    if not isinstance(layer, nn.Module):
        raise TypeError(f"plot.filters: expected a convolution or a model with one, got {type(layer).__name__}")
    for module in layer.modules():
        if isinstance(module, (nn.Conv1d, nn.Conv2d)):
            return array("filters", module.weight)
    raise ValueError(f"plot.filters: {type(layer).__name__} has no Conv1d or Conv2d")


def _pictures(name: str, what: str, images: Any) -> Any:
    """(N, H, W) or (N, H, W, 3) in 0..1."""
    import numpy as np

    values = array(name, images, what)
    if values.ndim == 4 and values.shape[1] in (1, 3):
        values = values[:, 0] if values.shape[1] == 1 else np.moveaxis(values, 1, -1)
    elif values.ndim != 3:
        raise wrong_shape(name, what, "(N, C, H, W) with C 1 or 3, or (N, H, W)", values.shape)
    if not values.size:
        raise _C.ShapeError(f"plot.{name}: {what} are empty, shape {values.shape}")
    if values.dtype == np.uint8:
        return values / 255.0
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ValueError(f"plot.{name}: {what} hold NaN or infinity")
    values = values.astype(float)
    return values if low >= 0 and high <= 1 else (values - low) / max(high - low, 1e-12)


def _show(axis: Any, picture: Any) -> None:
    axis.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
