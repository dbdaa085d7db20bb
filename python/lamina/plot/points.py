"""The latent space of a model as a cloud of points."""

from __future__ import annotations

from typing import Any

from ._figure import COLOURS, SCALE, Path, array, figure, finish, tidy, wrong_shape

_MARKERS = "osD^vP*X"


def latent(z: Any, labels: Any = None, *, path: Path = None, title: str | None = None) -> Any:
    """Points z (N, D) in the plane; wider than 2 they are projected on their two principal components.

    labels (N): strings, bools or whole numbers (up to 16 different ones) give a colour and a marker each, other numbers
    a colour scale. The sign of a component is such that its largest entry is positive.

    >>> import lamina
    >>> figure = lamina.plot.latent(lamina.randn(20, 5), [0, 1] * 10)
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['0', '1']
    """
    import numpy as np

    points = array("latent", z, "z").astype(float)
    if points.ndim != 2 or not points.shape[1]:
        raise wrong_shape("latent", "z", "(N, D)", points.shape)
    if not np.isfinite(points).all():
        raise ValueError("plot.latent: z holds NaN or infinity")
    names = ["z1", "z2"]
    if points.shape[1] > 2:
        points, names = _components(points)
    elif points.shape[1] == 1:
        points, names = np.column_stack([points, np.zeros(len(points))]), ["z1", ""]
    made, ((axis,),) = figure(size=(6.2, 5.0))
    size = 24 if len(points) <= 500 else 8
    if labels is None:
        axis.scatter(*points.T, s=size, color=COLOURS[0], alpha=0.7, linewidths=0)
    else:
        marks = np.asarray(labels.detach().cpu().numpy() if hasattr(labels, "detach") else labels)
        if marks.shape != points.shape[:1]:
            raise wrong_shape("latent", "labels", f"({len(points)},)", marks.shape)
        kinds = np.unique(marks)
        if len(kinds) > 16 or marks.dtype.kind == "f":
            if marks.dtype.kind not in "biuf":
                raise ValueError(f"plot.latent: {len(kinds)} different labels; at most 16 can be told apart")
            cloud = axis.scatter(*points.T, c=marks, s=size, cmap=SCALE, alpha=0.85, linewidths=0)
            made.colorbar(cloud, ax=axis, label="label")
        else:
            for i, kind in enumerate(kinds):
                style = {"color": COLOURS[i % 8], "marker": _MARKERS[i % 8] if i < 8 else _MARKERS[(i + 3) % 8]}
                axis.scatter(*points[marks == kind].T, s=size, alpha=0.75, linewidths=0, label=str(kind), **style)
            axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), markerscale=1.4)
    tidy(axis, *names)
    return finish(made, path, title)


def _components(points: Any) -> tuple[Any, list[str]]:
    import numpy as np

    centred = points - points.mean(0)
    _, scale, rows = np.linalg.svd(centred, full_matrices=False)
    rows = rows[:2] * np.sign(rows[:2][np.arange(len(rows[:2])), np.abs(rows[:2]).argmax(1)])[:, None]
    share = scale**2 / max(float((scale**2).sum()), 1e-300)
    out = np.zeros((len(points), 2))
    out[:, : len(rows)] = centred @ rows.T
    return out, [f"component {i + 1} ({share[i]:.0%} of the variance)" if i < len(share) else "" for i in range(2)]
