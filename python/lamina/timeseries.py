"""Time series: windows, splits by time, scalers, baselines and errors of forecasts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import lamina

from . import nn
from ._operands import need_tensors
from .utils.data import TensorDataset

if TYPE_CHECKING:
    from ._C import Tensor


def _count(op: str, what: str, value: Any, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{op}: {what} must be an int of at least {least}, got {value!r}")
    return value


def _series(op: str, series: Any) -> Tensor:
    need_tensors(op, series=series)
    if series.dim() not in (1, 2):
        raise lamina.ShapeError(f"{op}: expected a series (T) or (T, columns), got shape {tuple(series.shape)}")
    found: Tensor = series
    return found


def windows(
    series: Tensor, history: int, horizon: int = 1, stride: int = 1, targets: Sequence[int] | None = None
) -> TensorDataset:
    """All pairs (history rows, the horizon rows after them) of a series, `stride` rows apart, as a TensorDataset.

    (T) gives items (history), (horizon); (T, F) gives (history, F), (horizon, F), or only the columns `targets` of the
    horizon. Items are views: the series is stored once.

    >>> import lamina
    >>> data = lamina.timeseries.windows(lamina.arange(10), history=4, horizon=2, stride=3)
    >>> [(x.tolist(), y.tolist()) for x, y in data]
    [([0, 1, 2, 3], [4, 5]), ([3, 4, 5, 6], [7, 8])]
    """
    series = _series("windows", series)
    history, horizon = _count("windows", "history", history), _count("windows", "horizon", horizon)
    length, rows = history + horizon, int(series.shape[0])
    if rows < length:
        raise lamina.ShapeError(f"windows: {rows} rows are too few for history {history} and horizon {horizon}")
    pieces = series.unfold(0, length, _count("windows", "stride", stride))  # (N, length) or (N, F, length)
    if series.dim() == 1:
        if targets is not None:
            raise ValueError("windows: targets are columns of a series (T, columns), got a series (T)")
        return TensorDataset(pieces[:, :history], pieces[:, history:])
    past, future = pieces[:, :, :history].transpose(1, 2), pieces[:, :, history:].transpose(1, 2)
    if targets is not None:
        columns = [int(c) for c in targets]
        if not columns or not all(-series.shape[1] <= c < series.shape[1] for c in columns):
            raise ValueError(f"windows: targets must be columns of {series.shape[1]}, got {targets!r}")
        chosen = series.index_select(1, lamina.tensor([c % series.shape[1] for c in columns]))
        future = chosen.unfold(0, length, stride)[:, :, history:].transpose(1, 2)
    return TensorDataset(past, future)


def time_split(
    series: Tensor, validation: float = 0.15, test: float = 0.15, history: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """(training, validation, test) part of a series (T) or (T, columns), in the order of time.

    `validation` and `test` are shares of the rows, or counts when they are ints. The later two parts begin `history`
    rows early, so that their first window forecasts their first own row; nothing that is forecast is in two parts.

    >>> import lamina
    >>> [part.tolist() for part in lamina.timeseries.time_split(lamina.arange(10), 2, 2, history=1)]
    [[0, 1, 2, 3, 4, 5], [5, 6, 7], [7, 8, 9]]
    """
    series = _series("time_split", series)
    rows, sizes = int(series.shape[0]), []
    for what, value in (("validation", validation), ("test", test)):
        if isinstance(value, int) and not isinstance(value, bool):
            sizes.append(_count("time_split", what, value, 0))
        elif isinstance(value, float) and 0 <= value < 1:
            sizes.append(math.ceil(rows * value))
        else:
            raise ValueError(f"time_split: {what} must be a share in [0, 1) or a count, got {value!r}")
    _count("time_split", "history", history, 0)
    first, second = rows - sum(sizes), rows - sizes[1]
    if first < max(1, history):
        raise ValueError(f"time_split: {rows} rows leave {first} to train on, history needs {max(1, history)}")
    return series[:first], series[first - history : second], series[second - history :]


class _Scaler(nn.Module):
    """(x - shift) / scale for each column."""

    shift: Tensor
    scale: Tensor
    rows: Tensor

    def __init__(self, columns: int = 1) -> None:
        super().__init__()
        self.columns = _count(type(self).__name__, "columns", columns)
        self.register_buffer("shift", lamina.zeros(columns, dtype=lamina.float64))
        self.register_buffer("scale", lamina.ones(columns, dtype=lamina.float64))
        self.register_buffer("rows", lamina.zeros((), dtype=lamina.int64))  # that were seen; 0: not fitted

    def _statistics(self, table: Tensor) -> tuple[Tensor, Tensor]:
        raise NotImplementedError

    def fit(self, series: Tensor) -> Any:
        """Measures a series (T) or (T, columns): the training part alone. Gives back the scaler."""
        name = type(self).__name__
        table = _series(name, series).detach().to(lamina.float64).reshape(len(series), -1)
        if table.shape[1] != self.columns:
            raise lamina.ShapeError(
                f"{name}: made for {self.columns} columns, the series has {table.shape[1]}; hint: {name}(columns)"
            )
        if not len(table) or not bool(table.isfinite().all()):
            raise ValueError(f"{name}: a series to fit needs rows, and finite numbers only")
        shift, scale = self._statistics(table)
        if not bool((shift.isfinite() & scale.isfinite()).all()):
            raise ValueError(f"{name}: the series has values whose squares overflow")
        self.shift.copy_(shift)
        constant = (table.amax(0) == table.amin(0)) | (scale == 0)  # such a column is only shifted
        self.scale.copy_(lamina.where(constant, lamina.ones_like(scale), scale))
        self.rows.fill_(len(table))
        return self

    def _chosen(self, x: Tensor, columns: Sequence[int] | None) -> tuple[Tensor, Tensor]:
        name = type(self).__name__
        need_tensors(name, x=x)
        if not self.rows.item():
            raise RuntimeError(f"{name}: not fitted; hint: {name}(columns).fit(training part)")
        if not x.is_floating_point():
            raise lamina.DtypeError(f"{name}: expected floats, got {x.dtype}")
        shift, scale = self.shift, self.scale
        if columns is not None:
            index = lamina.tensor([range(self.columns)[c] for c in columns])
            shift, scale = shift.index_select(0, index), scale.index_select(0, index)
        if len(shift) > 1 and (x.dim() < 1 or x.shape[-1] != len(shift)):
            raise lamina.ShapeError(f"{name}: expected (*, {len(shift)}), got shape {tuple(x.shape)}")
        return shift.to(x.dtype), scale.to(x.dtype)

    def forward(self, x: Tensor, columns: Sequence[int] | None = None) -> Tensor:
        shift, scale = self._chosen(x, columns)
        return (x - shift) / scale

    def inverse(self, x: Tensor, columns: Sequence[int] | None = None) -> Tensor:
        """Back in the units of the series; `columns` says which ones x holds, when not all."""
        shift, scale = self._chosen(x, columns)
        return x * scale + shift

    def extra_repr(self) -> str:
        return f"columns={self.columns}"


class Standardizer(_Scaler):
    """Mean 0 and standard deviation 1 in each column of what `fit` saw: (*, columns) -> (*, columns).

    What was measured is kept in buffers, so it is saved with a model.

    >>> import lamina
    >>> scaler = lamina.timeseries.Standardizer(2).fit(lamina.tensor([[1.0, 10.0], [3.0, 30.0]]))
    >>> scaler(lamina.tensor([[5.0, 10.0]])).tolist()
    [[3.0, -1.0]]
    >>> scaler.inverse(lamina.tensor([[3.0]]), columns=[0]).tolist()
    [[5.0]]
    """

    def _statistics(self, table: Tensor) -> tuple[Tensor, Tensor]:
        return table.mean(0), table.std(0, correction=0)


class MinMaxScaler(_Scaler):
    """The smallest and the largest value of each column to the ends of `feature_range`: (*, columns) -> (*, columns).

    >>> import lamina
    >>> scaler = lamina.timeseries.MinMaxScaler().fit(lamina.tensor([10.0, 20.0]))
    >>> scaler(lamina.tensor([15.0, 30.0])).tolist()
    [0.5, 2.0]
    """

    def __init__(self, columns: int = 1, feature_range: tuple[float, float] = (0.0, 1.0)) -> None:
        super().__init__(columns)
        low, high = feature_range
        if not -math.inf < low < high < math.inf:
            raise ValueError(f"MinMaxScaler: feature_range must be two rising numbers, got {feature_range!r}")
        self.feature_range = (float(low), float(high))

    def _statistics(self, table: Tensor) -> tuple[Tensor, Tensor]:
        low, high = self.feature_range
        smallest, scale = table.amin(0), (table.amax(0) - table.amin(0)) / (high - low)
        flat = lamina.where(scale > 0, scale, lamina.ones_like(scale))
        return smallest - low * flat, scale

    def extra_repr(self) -> str:
        return f"columns={self.columns}, feature_range={self.feature_range}"


def _past(op: str, history: Tensor, horizon: int) -> Tensor:
    need_tensors(op, history=history)
    _count(op, "horizon", horizon)
    if history.dim() not in (2, 3) or history.shape[1] == 0:
        raise lamina.ShapeError(f"{op}: expected (N, history) or (N, history, F), got shape {tuple(history.shape)}")
    return history


def naive(history: Tensor, horizon: int) -> Tensor:
    """The last value again and again: (N, history) or (N, history, F) -> (N, horizon) or (N, horizon, F).

    >>> import lamina
    >>> lamina.timeseries.naive(lamina.tensor([[1, 2, 3]]), 2).tolist()
    [[3, 3]]
    """
    return seasonal_naive(_past("naive", history, horizon), horizon, 1)


def seasonal_naive(history: Tensor, horizon: int, season: int) -> Tensor:
    """The last season again and again: (N, history) or (N, history, F) -> (N, horizon) or (N, horizon, F).

    >>> import lamina
    >>> lamina.timeseries.seasonal_naive(lamina.tensor([[1, 2, 3]]), 3, season=2).tolist()
    [[2, 3, 2]]
    """
    rows = int(_past("seasonal_naive", history, horizon).shape[1])
    if _count("seasonal_naive", "season", season) > rows:
        raise ValueError(f"seasonal_naive: a season of {season} is longer than the history of {rows}")
    return history.index_select(1, lamina.arange(horizon) % season + (rows - season))


def _pair(op: str, prediction: Tensor, target: Tensor) -> None:
    need_tensors(op, prediction=prediction, target=target)
    if prediction.shape != target.shape or not prediction.numel():
        raise lamina.ShapeError(
            f"{op}: prediction {tuple(prediction.shape)} and target {tuple(target.shape)} must have one shape, not empty"
        )


def mase(prediction: Tensor, target: Tensor, train: Tensor, season: int = 1) -> Tensor:
    """Mean absolute scaled error: that of the forecast in units of the seasonal naive one's over the training part.

    prediction and target are (N, horizon) with train (T), or (N, horizon, F) with train (T, F), of which the mean over
    the columns is taken. Below 1 is better than the naive forecast one step ahead. (Hyndman and Koehler 2006,
    doi:10.1016/j.ijforecast.2006.03.001.)

    >>> import lamina
    >>> train = lamina.tensor([1.0, 3.0, 5.0])
    >>> lamina.timeseries.mase(lamina.tensor([[6.0]]), lamina.tensor([[7.0]]), train).item()
    0.5
    """
    _pair("mase", prediction, target)
    train = _series("mase", train)
    if _count("mase", "season", season) >= len(train):
        raise ValueError(f"mase: a season of {season} needs more than {len(train)} rows to train on")
    if train.dim() == 2 and prediction.shape[-1] != train.shape[1]:
        raise lamina.ShapeError(
            f"mase: prediction {tuple(prediction.shape)} and train {tuple(train.shape)} differ in columns"
        )
    step = (train[season:] - train[:-season]).abs().mean(0)
    if bool((step == 0).any()):
        raise ValueError(
            f"mase: the training part repeats itself every {season} rows; there is no error to compare with"
        )
    error = (prediction - target).abs()
    return (error.reshape(-1, train.shape[1]).mean(0) / step).mean() if train.dim() == 2 else error.mean() / step


def smape(prediction: Tensor, target: Tensor) -> Tensor:
    """Symmetric mean absolute percentage error, 0 to 200: the mean of 200 |p - t| / (|p| + |t|), 0 where both are 0.

    (Makridakis 1993, doi:10.1016/0169-2070(93)90079-3.)

    >>> import lamina
    >>> lamina.timeseries.smape(lamina.tensor([3.0, 0.0]), lamina.tensor([1.0, 0.0])).item()
    50.0
    """
    _pair("smape", prediction, target)
    size = prediction.abs() + target.abs()
    return ((prediction - target).abs() / lamina.where(size > 0, size, lamina.ones_like(size))).mean() * 200.0
