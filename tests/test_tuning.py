"""The learning rate range test, k-fold splits and cross-validation."""

from __future__ import annotations

import collections
import math

import lamina
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lamina import nn
from lamina.tuning import _steepest, cross_validate, k_fold, lr_find
from lamina.utils.data import DataLoader, TensorDataset


def line(n=64):
    x = lamina.randn(n, 3, generator=lamina.Generator().manual_seed(1))
    return x, x @ lamina.tensor([[1.0], [-2.0], [0.5]]) + 0.3


def test_the_suggested_rate_trains_far_better_than_ones_at_the_ends():
    data = line()
    lamina.manual_seed(0)
    model = nn.Linear(3, 1)
    found = lr_find(model, data, loss="mse", optimizer="sgd", start=1e-6, batch_size=16)
    assert 1e-3 < found.suggestion < 1.0
    losses = {}
    for lr in (1e-6, found.suggestion):
        twin = nn.Linear(3, 1)
        twin.load_state_dict(model.state_dict())
        optimizer = lamina.optim.SGD(twin.parameters(), lr)
        for _ in range(50):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(twin(data[0]), data[1])
            loss.backward()
            optimizer.step()
        losses[lr] = loss.item()
    assert losses[found.suggestion] < 0.1 * losses[1e-6]


def test_rates_grow_by_one_factor_and_losses_are_smoothed():
    found = lr_find(nn.Linear(3, 1), line(), loss="mse", start=1e-5, end=1e-2, steps=31, smoothing=0.8)
    assert len(found.lrs) == len(found.losses) == len(found.smoothed) == 31
    np.testing.assert_allclose(found.lrs, np.geomspace(1e-5, 1e-2, 31), rtol=1e-12)
    mean = 0.0
    for i, (raw, smooth) in enumerate(zip(found.losses, found.smoothed, strict=True)):
        mean = 0.8 * mean + 0.2 * raw
        assert math.isclose(smooth, mean / (1 - 0.8 ** (i + 1)), rel_tol=1e-12)


def test_a_diverging_sweep_ends_early():
    found = lr_find(nn.Linear(3, 1), line(), loss="mse", optimizer="sgd", start=1e-3, end=1e6)
    assert len(found.lrs) < 100 and all(math.isfinite(v) for v in found.losses)
    assert found.suggestion is not None and found.suggestion < found.lrs[found.smoothed.index(min(found.smoothed))]


def test_the_steepest_descent_of_a_known_curve():
    lrs = [10**e for e in np.linspace(-6, 0, 61)]
    curve = [
        1 / (1 + math.exp(4 * (math.log10(v) + 3))) + (0.5 * (math.log10(v) + 1.5)) ** 2 * (v > 10**-1.5) for v in lrs
    ]
    assert math.isclose(_steepest(lrs, curve), 1e-3, rel_tol=0.2)
    assert _steepest(lrs, [1.0] * 61) is None and _steepest(lrs, list(range(61))) is None


def test_nothing_of_model_data_and_random_state_changes():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.3), nn.Linear(4, 1))
    model[1].eval()
    model(line()[0]).sum().backward()
    generator = lamina.Generator().manual_seed(5)
    loader = DataLoader(TensorDataset(*line()), 8, shuffle=True, generator=generator)
    before = {k: v.tolist() for k, v in model.state_dict().items()}
    grads = [p.grad for p in model.parameters()]
    values = [g.tolist() for g in grads]
    states = lamina.get_rng_state().tolist(), generator.get_state().tolist()
    a = lr_find(model, loader, loss="mse", steps=20)
    assert {k: v.tolist() for k, v in model.state_dict().items()} == before
    assert all(p.grad is g for p, g in zip(model.parameters(), grads, strict=True))
    assert [g.tolist() for g in grads] == values
    assert (lamina.get_rng_state().tolist(), generator.get_state().tolist()) == states
    assert model.training and not model[1].training
    b = lr_find(model, loader, loss="mse", steps=20)
    assert a == b


def test_models_have_their_own_loss_and_classes_of_optimizers():
    x, y = lamina.randn(20, 64), lamina.arange(20) % 10
    found = lr_find(lamina.models.MLP(), (x, y), optimizer=lamina.optim.SGD, steps=12)
    assert "rates from 1.00e-07" in repr(found)
    lr_find(lamina.models.MLP(), (x, y), optimizer=lambda params: lamina.optim.SGD(params, 1.0, 0.9), steps=12)


def test_errors_of_the_sweep():
    model, data = nn.Linear(3, 1), line()
    for options, message in (
        ({"start": 0.0}, "start < end"),
        ({"start": 2.0, "end": 1.0}, "start < end"),
        ({"end": math.inf}, "start < end"),
        ({"steps": 5}, "steps must be"),
        ({"smoothing": 1.0}, "smoothing"),
        ({"stop": 1.0}, "stop"),
        ({"optimizer": "sdg"}, "did you mean 'sgd'"),
        ({"loss": None}, "needs loss="),
    ):
        with pytest.raises(ValueError, match=message):
            lr_find(model, data, **{"loss": "mse", **options})
    with pytest.raises(TypeError, match="state of its own"):
        lr_find(model, data, loss="mse", optimizer=lamina.optim.SGD(model.parameters(), 0.1))
    with pytest.raises(ValueError, match="not a finite"):
        lr_find(model, (data[0] * math.nan, data[1]), loss="mse")
    with pytest.raises(ValueError, match="no rows"):
        lr_find(model, DataLoader(TensorDataset(lamina.zeros(0, 3), lamina.zeros(0, 1)), 4), loss="mse")

    class Two(nn.Linear):
        def training_step(self, batch, optimizers):
            return {}

    with pytest.raises(ValueError, match="several optimizers"):
        lr_find(Two(3, 1), data)


# -- folds ------------------------------------------------------------------------------------------------------------
@given(st.integers(2, 60), st.integers(2, 10), st.booleans(), st.integers(0, 5))
def test_each_row_is_held_out_once(n, k, shuffle, seed):
    if k > n:
        return
    folds = list(k_fold(n, k, shuffle=shuffle, seed=seed))
    assert len(folds) == k and sorted(row for _, held in folds for row in held) == list(range(n))
    sizes = [len(held) for _, held in folds]
    assert max(sizes) - min(sizes) <= 1 and sizes == sorted(sizes, reverse=True)
    for train, held in folds:
        assert sorted(train + held) == list(range(n)) and train == sorted(train) and held == sorted(held)
    if not shuffle:
        assert [row for _, held in folds for row in held] == list(range(n))
    assert folds == list(k_fold(n, k, shuffle=shuffle, seed=seed))


@given(st.lists(st.sampled_from("abc"), min_size=6, max_size=60), st.integers(2, 5), st.booleans())
def test_stratified_folds_share_every_label(labels, k, shuffle):
    folds = list(k_fold(len(labels), k, stratify=labels, shuffle=shuffle))
    assert sorted(row for _, held in folds for row in held) == list(range(len(labels)))
    for label, total in collections.Counter(labels).items():
        counts = [sum(labels[row] == label for row in held) for _, held in folds]
        assert sum(counts) == total and max(counts) - min(counts) <= 1
    sizes = [len(held) for _, held in folds]
    assert max(sizes) - min(sizes) <= 1


def test_seeds_kinds_of_data_and_errors():
    a, b, c = (list(k_fold(20, 4, seed=s)) for s in (0, 0, 1))
    assert a == b != c
    x, y = lamina.zeros(6, 2), lamina.tensor([0, 0, 0, 1, 1, 1])
    for data in (6, x, (x, y), TensorDataset(x, y), np.zeros((6, 2)), [0] * 6):
        assert [len(held) for _, held in k_fold(data, 3)] == [2, 2, 2]
    for stratify in (y, y.numpy(), y.tolist()):
        assert all(sum(y.tolist()[r] for r in held) == 1 for _, held in k_fold(6, 3, stratify=stratify))
    train, held = next(k_fold(x, 2))
    assert x[train].shape == (3, 2) and x[held].shape == (3, 2)
    for bad in (1, 7, True, 2.5):
        with pytest.raises(ValueError, match="k must be"):
            k_fold(6, bad)
    with pytest.raises(ValueError, match="5 labels for 6 rows"):
        k_fold(6, 2, stratify=[0] * 5)
    with pytest.raises(TypeError, match="number of rows"):
        k_fold(None)


# -- cross-validation -------------------------------------------------------------------------------------------------
def make_line():
    return nn.Linear(3, 1)


def test_cross_validation_is_training_and_evaluation_of_each_fold():
    data = line(30)
    state = lamina.get_rng_state().tolist()
    options = {"loss": "mse", "epochs": 20, "lr": 0.1, "batch_size": 8, "progress": False, "checks": False}
    found = cross_validate(make_line, data, 3, seed=4, **options)
    assert lamina.get_rng_state().tolist() == state
    assert len(found.scores) == len(found.histories) == 3 and found.mean("loss") < 0.1
    train, held = next(k_fold(30, 3, seed=4))
    lamina.manual_seed(4)
    model = make_line()
    lamina.Trainer(model, seed=4, **options).fit((data[0][train], data[1][train]))
    score = lamina.training.evaluate(model, (data[0][held], data[1][held]), loss="mse")
    assert score == found.scores[0]
    losses = [s["loss"] for s in found.scores]
    assert math.isclose(found.mean("loss"), np.mean(losses)) and math.isclose(found.std("loss"), np.std(losses, ddof=1))
    assert repr(found).splitlines()[0].split() == ["fold", "loss"] and len(repr(found).splitlines()) == 6
    assert cross_validate(make_line, data, 3, seed=4, **options).scores == found.scores


def test_cross_validation_of_models_and_datasets():
    x, y = lamina.datasets.digits()
    x, y = x[:200], y[:200]

    class Plain(lamina.utils.data.Dataset):
        def __len__(self):
            return 200

        def __getitem__(self, i):
            return x[i], y[i]

    def make():
        return lamina.models.MLP(lamina.models.MLPConfig(hidden=(32,)))

    options = {"epochs": 6, "lr": 5e-3, "progress": False, "stratify": y}
    a, b = (cross_validate(make, data, 2, **options) for data in ((x, y), Plain()))
    assert a.names() == ["loss", "accuracy"] and a.mean("accuracy") > 0.6
    assert a.scores == b.scores
    with pytest.raises(TypeError, match="loader"):
        cross_validate(make, DataLoader(TensorDataset(x, y)), 2)
