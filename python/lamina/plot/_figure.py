"""What all pictures share: a figure without pyplot, colours, arrays of tensors, saving."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .. import _C
from .._C import Tensor

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Path = str | os.PathLike[str] | None
# Okabe and Ito's colours, darker ones first: told apart by colour-blind eyes.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#B8A800")
STYLES = ("-", "--", "-.", ":")
GREY = "#666666"
MATRIX, SCALE, DIVERGING = "Blues", "cividis", "PuOr"


def figure(rows: int = 1, columns: int = 1, size: tuple[float, float] = (6.4, 4.0), **options: Any) -> tuple[Any, Any]:
    """(Figure, array (rows, columns) of its axes), laid out so that labels fit."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError('lamina.plot needs matplotlib: pip install "lamina[plot]"') from None
    made = Figure(figsize=size, layout=options.pop("layout", "constrained"), dpi=120)
    FigureCanvasAgg(made)
    return made, made.subplots(rows, columns, squeeze=False, **options)


def tiles(
    rows: int,
    columns: int,
    tile: tuple[float, float],
    title: str | None,
    left: float = 0.0,
    right: float = 0.0,
    gap: float = 0.0,
) -> tuple[Any, Any]:
    """A figure of equal tiles (width, height in inches) with margins and a gap below each row: faster than a layout."""
    width, height = columns * tile[0] + left + right + 0.1, rows * (tile[1] + gap) + 0.1 + (0.35 if title else 0.0)
    made, axes = figure(rows, columns, (width, height), layout="none")
    made.subplots_adjust(
        left=(left + 0.05) / width,
        right=1 - (right + 0.05) / width,
        bottom=0.05 / height,
        top=1 - (0.05 + gap + (0.35 if title else 0.0)) / height,
        wspace=0.08,
        hspace=0.08 + gap / tile[1],
    )
    return made, axes


def finish(made: Any, path: Path, title: str | None = None) -> Any:
    if title:
        made.suptitle(title)
    if made.get_layout_engine() is not None:
        made.draw_without_rendering()  # the layout needs a pass to know how long the labels are
    if path is not None:
        made.savefig(os.fspath(path))
    return made


def tidy(axis: Any, xlabel: str = "", ylabel: str = "", title: str = "") -> None:
    """Labels, a faint grid behind what is drawn, and no frame above and to the right."""
    axis.set(xlabel=xlabel, ylabel=ylabel, title=title)
    axis.grid(alpha=0.25, linewidth=0.8)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)


def array(name: str, value: Any, what: str = "values") -> Array:
    """A float64 array of a tensor, array or list; integers and bools stay what they are."""
    import numpy as np

    if isinstance(value, Tensor):
        value = value.detach().cpu()
        value = (value.float() if value.dtype in (_C.bfloat16, _C.float16) else value).numpy()
    out = np.asarray(value)
    if out.dtype.kind not in "biuf":
        raise TypeError(f"plot.{name}: {what} should be numbers, got an array of {out.dtype}")
    return out.astype(np.float64) if out.dtype.kind == "f" else out


def wrong_shape(name: str, what: str, expected: str, got: tuple[int, ...]) -> Exception:
    return _C.ShapeError(f"plot.{name}: {what} should be {expected}, got shape {got}")
