"""Windows, splits, scalers, baselines and errors of time series, and the series that comes with lamina."""

from __future__ import annotations

import lamina
import numpy as np
import pytest
from harness import to_numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from lamina import nn
from lamina import timeseries as ts
from lamina.utils.data import DataLoader


def table(rows=40, columns=3, seed=0, dtype="float64"):
    return lamina.tensor(
        (np.random.default_rng(seed).standard_normal((rows, columns)) * [1, 10, 1000][:columns] + 5).astype(dtype)
    )


@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 4), st.integers(0, 12), st.booleans())
@settings(max_examples=60, deadline=None)
def test_windows_are_slices(history, horizon, stride, more, flat):
    rows = history + horizon + more
    series = table(rows)[:, 0] if flat else table(rows)
    data = ts.windows(series, history, horizon, stride)
    starts = range(0, rows - history - horizon + 1, stride)
    assert len(data) == len(starts)
    batches = list(DataLoader(data, batch_size=3))
    x, y = lamina.cat([b[0] for b in batches]), lamina.cat([b[1] for b in batches])
    for i, start in enumerate(starts):
        past, future = series[start : start + history], series[start + history : start + history + horizon]
        assert bool((data[i][0] == past).all()) and bool((data[i][1] == future).all())
        assert bool((x[i] == past).all()) and bool((y[i] == future).all())


def test_targets_of_windows():
    data = ts.windows(table(), 4, 2, targets=[2, -3])
    x, y = data[5]
    assert x.shape == (4, 3) and bool((y == table()[9:11][:, [2, 0]]).all())


@given(st.integers(3, 200), st.floats(0, 0.4), st.floats(0, 0.4), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_splits_keep_the_order_of_time(rows, validation, test, history):
    series = lamina.arange(rows)
    try:
        train, val, held = ts.time_split(series, validation, test, history)
    except ValueError:
        assert rows - 2 * int(rows * 0.4 + 1) < max(1, history)
        return
    own = [train.tolist(), val.tolist()[history:], held.tolist()[history:]]
    assert own[0] + own[1] + own[2] == list(range(rows))
    assert abs(len(own[1]) - rows * validation) <= 1 and abs(len(own[2]) - rows * test) <= 1
    assert val.tolist()[:history] == own[0][len(own[0]) - history :]


@given(st.integers(0, 99), st.integers(1, 3), st.sampled_from(["standard", "minmax", "range"]))
@settings(max_examples=40, deadline=None)
def test_scalers_and_their_inverse(seed, columns, kind):
    series = table(30, columns, seed)
    make = {"standard": ts.Standardizer, "minmax": ts.MinMaxScaler, "range": lambda c: ts.MinMaxScaler(c, (-1.0, 3.0))}
    scaler = make[kind](columns).fit(series[:20])
    scaled = scaler(series)
    assert np.allclose(to_numpy(scaler.inverse(scaled)), to_numpy(series), rtol=1e-12, atol=1e-9)
    seen = to_numpy(scaled)[:20]
    if kind == "standard":
        assert np.allclose(seen.mean(0), 0, atol=1e-12) and np.allclose(seen.std(0), 1)
    else:
        low, high = (-1, 3) if kind == "range" else (0, 1)
        assert np.allclose(seen.min(0), low) and np.allclose(seen.max(0), high)
    last = scaler.inverse(scaled[:, -1:], columns=[-1])
    assert np.allclose(to_numpy(last), to_numpy(series[:, -1:]))
    changed = lamina.cat([series[:20], series[20:] * 100])
    assert bool((make[kind](columns).fit(changed[:20])(series) == scaled).all())  # nothing later was seen


def test_constant_columns_are_only_shifted():
    series = lamina.full((7, 2), 0.1, dtype=lamina.float64)
    for scaler in (ts.Standardizer(2), ts.MinMaxScaler(2)):
        out = scaler.fit(series)(series + 1)
        assert np.allclose(to_numpy(out), 1) and np.allclose(to_numpy(scaler.inverse(out)), 1.1)


def test_scalers_are_saved_with_a_model(tmp_path):
    model = nn.Sequential(ts.Standardizer(3).fit(table()), nn.Linear(3, 1).double())
    lamina.save(model, tmp_path / "m")
    other = nn.Sequential(ts.Standardizer(3), nn.Linear(3, 1).double())
    with pytest.raises(RuntimeError, match="not fitted"):
        other(table())
    other.load_state_dict(lamina.load(tmp_path / "m"))
    assert bool((other(table()) == model(table())).all())
    flat = ts.Standardizer().fit(table()[:, 0])
    assert flat(table(6, 1).float()).dtype == lamina.float32 and flat(lamina.zeros(2, 5)).shape == (2, 5)


def test_baselines():
    x = lamina.arange(24).reshape(2, 12)
    assert ts.naive(x, 3).tolist() == [[11] * 3, [23] * 3]
    assert ts.seasonal_naive(x, 6, 4).tolist()[0] == [8, 9, 10, 11, 8, 9]
    assert ts.seasonal_naive(x.unsqueeze(2), 6, 4)[:, :, 0].tolist() == ts.seasonal_naive(x, 6, 4).tolist()


@given(st.integers(1, 5), st.integers(1, 3), st.integers(0, 50))
@settings(max_examples=30, deadline=None)
def test_errors_are_their_formulas(season, columns, seed):
    rng = np.random.default_rng(seed)
    train, p, t = rng.standard_normal((20, columns)), *rng.standard_normal((2, 6, 4, columns))
    step = np.abs(train[season:] - train[:-season]).mean(0)
    want = (np.abs(p - t).mean((0, 1)) / step).mean()
    p, t, train = lamina.tensor(p), lamina.tensor(t), lamina.tensor(train)
    assert abs(ts.mase(p, t, train, season).item() - want) < 1e-12
    assert (
        abs(
            ts.mase(p[:, :, 0], t[:, :, 0], train[:, 0], season).item()
            - np.abs(to_numpy(p - t)[:, :, 0]).mean() / step[0]
        )
        < 1e-12
    )
    want = np.mean(200 * np.abs(to_numpy(p - t)) / (np.abs(to_numpy(p)) + np.abs(to_numpy(t))))
    assert abs(ts.smape(p, t).item() - want) < 1e-10
    assert ts.smape(p, p).item() == 0 and ts.smape(p, -p).item() == pytest.approx(200)


def test_elnino():
    series = lamina.datasets.elnino()
    assert series.dtype == lamina.float32 and series.shape == (732,) and bool(series.isfinite().all())
    assert 18 < series.amin().item() < series.amax().item() < 30
    assert series[[0, 11, 731]].tolist() == pytest.approx([23.11, 21.8, 22.07], abs=1e-5)
    train, _, test = ts.time_split(series, 60, 60, history=24)
    x, y = ts.windows(test, 24, 12).tensors
    year = ts.mase(ts.seasonal_naive(x, 12, 12), y, train, season=12).item()
    assert 0.3 < year < ts.mase(ts.naive(x, 12), y, train, season=12).item()


@pytest.mark.parametrize(
    ("make", "error", "word"),
    [
        (lambda: ts.windows(table(4), 4, 1), lamina.ShapeError, "too few"),
        (lambda: ts.windows(table(), 0), ValueError, "history"),
        (lambda: ts.windows(table(), 2, 1, 0), ValueError, "stride"),
        (lambda: ts.windows(table(), 2, targets=[3]), ValueError, "targets"),
        (lambda: ts.windows(table()[:, 0], 2, targets=[0]), ValueError, "targets"),
        (lambda: ts.windows(lamina.zeros(2, 3, 4), 1), lamina.ShapeError, "series"),
        (lambda: ts.windows([1, 2], 1), TypeError, "Tensor"),
        (lambda: ts.time_split(table(), 1.5), ValueError, "validation"),
        (lambda: ts.time_split(table(), 20, 20), ValueError, "leave 0"),
        (lambda: ts.Standardizer(2).fit(table()), lamina.ShapeError, "3"),
        (lambda: ts.Standardizer(1).fit(lamina.tensor([1.0, float("nan")])), ValueError, "finite"),
        (lambda: ts.Standardizer(1).fit(lamina.tensor([1e300, -1e300], dtype=lamina.float64)), ValueError, "overflow"),
        (lambda: ts.Standardizer(3).fit(table())(table()[:, :2]), lamina.ShapeError, "3"),
        (lambda: ts.Standardizer(3).fit(table())(lamina.arange(3)), lamina.DtypeError, "floats"),
        (lambda: ts.MinMaxScaler(1, (1.0, 0.0)), ValueError, "feature_range"),
        (lambda: ts.naive(lamina.zeros(3), 1), lamina.ShapeError, "history"),
        (lambda: ts.seasonal_naive(lamina.zeros(1, 3), 1, 4), ValueError, "longer"),
        (lambda: ts.mase(lamina.zeros(2), lamina.zeros(3), table()), lamina.ShapeError, "one shape"),
        (lambda: ts.mase(lamina.zeros(2), lamina.zeros(2), lamina.ones(9)), ValueError, "repeats"),
        (lambda: ts.mase(lamina.zeros(2), lamina.zeros(2), lamina.rand(4), 4), ValueError, "season"),
    ],
)
def test_wrong_arguments(make, error, word):
    with pytest.raises(error, match=word):
        make()
