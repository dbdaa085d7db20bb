"""Lines: the course of a training run, the range test of learning rates, a forecast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._figure import COLOURS, GREY, STYLES, Path, array, figure, finish, tidy, wrong_shape

_NOT_DRAWN = ("epoch", "step", "seconds", "joules")


def curves(history: Any, *, names: Any = None, path: Path = None, title: str | None = None) -> Any:
    """The quantities of a run over its epochs, one panel each; `val_x` is drawn beside `x`.

    history: a History, a list of dicts (one an epoch) or a dict of lists. Where an epoch has several records, steps take
    the place of epochs. names: the quantities to draw; all but times and counts unless given. Raises ValueError where there is nothing to draw.

    >>> import lamina
    >>> figure = lamina.plot.curves({"loss": [2.0, 1.0, 0.5], "val_loss": [2.1, 1.3, 1.0]})
    >>> len(figure.axes)
    1
    """
    table = _columns(history)
    known = [n for n in table if n not in _NOT_DRAWN]
    chosen = list(dict.fromkeys(n.removeprefix("val_") for n in (known if names is None else names)))
    for name in chosen:
        if name not in table and f"val_{name}" not in table:
            raise ValueError(f"plot.curves: the history has no {name!r}; it has {', '.join(known) or 'nothing'}")
    if not chosen:
        raise ValueError("plot.curves: the history has no records")
    chosen.sort(key=lambda n: (n == "lr", n != "loss"))
    unit = "step" if "step" in table and len(set(table.get("epoch", ()))) < len(table["step"]) else "epoch"
    epochs = table.get(unit) or range(1, 1 + max(len(values) for values in table.values()))
    columns = min(3, len(chosen))
    rows = -(-len(chosen) // columns)
    made, axes = figure(rows, columns, (4.8 * columns, 3.4 * rows))
    for axis, name in zip(axes.flat, chosen, strict=False):
        drawn = [pair for pair in ((name, "training", 0), (f"val_{name}", "validation", 1)) if pair[0] in table]
        for n, label, i in drawn:
            values = table[n]
            style = {"color": COLOURS[i], "linestyle": STYLES[i], "marker": "o" if len(values) <= 30 else ""}
            axis.plot(epochs[: len(values)], values, label=label, markersize=3.5, **style)
        shown = {"lr": "learning rate"}.get(name, name.replace("_", " "))
        tidy(axis, unit, shown if name in table else f"validation {shown}")
        axis.xaxis.get_major_locator().set_params(integer=True)
        if name == "lr" and min(table["lr"]) > 0 and max(table["lr"]) > 20 * min(table["lr"]):
            axis.set_yscale("log")
        if len(drawn) > 1:
            axis.legend(frameon=False)
    for axis in axes.flat[len(chosen) :]:
        axis.set_visible(False)
    return finish(made, path, title)


def _columns(history: Any) -> dict[str, list[float]]:
    if isinstance(history, Mapping):
        return {str(name): [float(v) for v in values] for name, values in history.items()}
    records = list(history)
    if not all(isinstance(record, Mapping) for record in records):
        raise TypeError("plot.curves: history should be a History, a list of dicts or a dict of lists")
    names = dict.fromkeys(str(name) for record in records for name in record)
    return {name: [float(record.get(name, float("nan"))) for record in records] for name in names}


def lr_find(found: Any, *, path: Path = None, title: str | None = None) -> Any:
    """The curve of a learning rate range test (what `lamina.lr_find` gives), with the rate that it suggests.

    >>> import lamina
    >>> found = lamina.tuning.LRFind([1e-3, 1e-2, 1e-1], [2.0, 1.0, 3.0], [2.0, 1.4, 2.1], 1e-2)
    >>> lamina.plot.lr_find(found).axes[0].get_xscale()
    'log'
    """
    made, ((axis,),) = figure()
    axis.plot(found.lrs, found.losses, color=GREY, alpha=0.35, linewidth=1, label="single batches")
    axis.plot(found.lrs, found.smoothed, color=COLOURS[0], linewidth=2, label="smoothed")
    if found.suggestion is not None:
        height = found.smoothed[found.lrs.index(found.suggestion)]
        axis.axvline(found.suggestion, color=COLOURS[1], linestyle="--", linewidth=1)
        axis.plot([found.suggestion], [height], "o", color=COLOURS[1], label=f"suggestion {found.suggestion:.1e}")
    axis.set_xscale("log")
    low, high = min(found.smoothed), max(found.smoothed[: max(2, len(found.smoothed) // 2)])
    room = 0.25 * max(high - low, 1e-12)
    axis.set_ylim(low - room, high + 2 * room)  # the rise at the end is not the point
    tidy(axis, "learning rate", "loss")
    axis.legend(frameon=False)
    return finish(made, path, title)


def forecast(
    history: Any,
    truth: Any,
    prediction: Any,
    *,
    lower: Any = None,
    upper: Any = None,
    path: Path = None,
    title: str | None = None,
) -> Any:
    """A series (T), what came after it (H, or None) and what was predicted (H), with a band from `lower` to `upper`.

    Of several series (T, F) each is drawn in a panel.

    >>> import lamina
    >>> lamina.plot.forecast([1.0, 2.0, 3.0], [4.0, 5.0], [3.9, 5.2]).axes[0].get_xlabel()
    'time step'
    """
    parts = {"history": history, "truth": truth, "prediction": prediction, "lower": lower, "upper": upper}
    series = {what: _series(what, value) for what, value in parts.items() if value is not None}
    if "prediction" not in series or "history" not in series:
        raise ValueError("plot.forecast: needs a history and a prediction")
    if ("lower" in series) != ("upper" in series):
        raise ValueError("plot.forecast: a band needs both lower and upper")
    count, steps = series["history"].shape[1], len(series["prediction"])
    for what, values in series.items():
        if values.shape[1] != count or (what != "history" and len(values) != steps):
            raise wrong_shape("forecast", what, f"({steps},) or ({steps}, {count}) as the prediction", values.shape)
    past = len(series["history"])
    made, axes = figure(count, 1, (8.0, 1.0 + 2.4 * count), sharex=True)
    ahead = list(range(past - 1, past + steps))
    for i, axis in enumerate(axes[:, 0]):
        last = series["history"][-1, i] if past else float("nan")

        def joined(what: str, i: int = i, last: float = last) -> list[float]:
            return [last, *series[what][:, i]]

        if "lower" in series:
            axis.fill_between(ahead, joined("lower"), joined("upper"), color=COLOURS[1], alpha=0.18, linewidth=0)
        axis.plot(range(past), series["history"][:, i], color=GREY, label="history")
        if "truth" in series:
            axis.plot(ahead, joined("truth"), color=COLOURS[0], label="truth")
        axis.plot(ahead, joined("prediction"), "--", color=COLOURS[1], label="prediction")
        axis.axvline(past - 1, color=GREY, linewidth=0.8, linestyle=":")
        tidy(axis, "time step" if i == count - 1 else "", "value" if count == 1 else f"series {i}")
    axes[0, 0].legend(frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return finish(made, path, title)


def _series(what: str, value: Any) -> Any:
    values = array("forecast", value, what).astype(float)
    if values.ndim not in (1, 2):
        raise wrong_shape("forecast", what, "(T,) or (T, F)", values.shape)
    return values.reshape(len(values), -1) if values.size else values.reshape(0, 1)
