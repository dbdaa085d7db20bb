"""The estimators: every check of scikit-learn, its tools, and what they promise themselves."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings

import lamina
import numpy as np
import pytest
from lamina import nn
from lamina.sklearn import LaminaClassifier, LaminaRegressor
from sklearn.base import clone
from sklearn.datasets import load_digits, make_moons
from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

NEEDS_MORE = {
    "check_array_api_input",
    "check_classifier_data_not_an_array",
    "check_regressor_data_not_an_array",
    "check_sample_weights_pandas_series",
}

WEIGHT_CHECKS = ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data")


@pytest.mark.slow
@pytest.mark.parametrize("kind", [LaminaClassifier, LaminaRegressor])
def test_every_check_of_scikit_learn_passes(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = dict.fromkeys(
            WEIGHT_CHECKS, "a row of weight 2 is drawn once, not twice: other batches, as in MLPClassifier"
        )
        results = check_estimator(kind(), on_fail=None, on_skip=None, expected_failed_checks=known)
    wrong = {r["check_name"]: repr(r["exception"]) for r in results if r["status"] == "failed"}
    assert not wrong and len(results) > 45
    skipped = {r["check_name"] for r in results if r["status"] == "skipped"}
    assert skipped <= NEEDS_MORE  # pandas, and a setting of SciPy


def test_a_pipeline_in_a_grid_search():
    x, y = load_digits(return_X_y=True)
    x, y = x[:400], y[:400].astype(str)
    pipeline = make_pipeline(StandardScaler(), LaminaClassifier(epochs=8, random_state=0))
    grid = {"laminaclassifier__hidden": [(8,), (64,)], "laminaclassifier__lr": [1e-4, 1e-2]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(x, y)
    assert search.best_params_["laminaclassifier__hidden"] == (64,) and search.best_score_ > 0.85
    assert set(search.predict(x)) <= set(y)
    assert cross_val_score(LaminaClassifier(epochs=25, random_state=0), x, y, cv=3).mean() > 0.85


def test_probabilities_classes_and_labels_of_any_kind():
    x, y = make_moons(200, noise=0.1, random_state=0)
    model = LaminaClassifier(epochs=120, random_state=1).fit(x, y)
    assert model.score(x, y) > 0.97
    p = model.predict_proba(x)
    assert p.shape == (200, 2) and p.dtype == np.float64
    np.testing.assert_allclose(p.sum(1), 1, rtol=1e-12)
    for labels in (y * 10 - 5, np.where(y, "yes", "no"), y.astype(bool)):
        twin = LaminaClassifier(epochs=120, random_state=1).fit(x, labels)
        assert twin.predict_proba(x).tolist() == p.tolist()
        assert twin.predict(x).tolist() == twin.classes_[p.argmax(1)].tolist()


def test_the_same_seed_gives_the_same_bits():
    x, y = make_moons(100, noise=0.1, random_state=0)
    state = lamina.get_rng_state().tolist()
    a, b, c = (LaminaClassifier(epochs=5, dropout=0.2, random_state=s).fit(x, y).predict_proba(x) for s in (0, 0, 1))
    assert a.tolist() == b.tolist() != c.tolist()
    assert lamina.get_rng_state().tolist() == state
    model = LaminaClassifier(epochs=5, random_state=np.random.RandomState(3)).fit(x, y)
    rows = [model.predict_proba(x[i : i + 1])[0].tolist() for i in range(100)]
    assert rows == model.predict_proba(x).tolist()


def test_a_module_of_ones_own():
    x, y = load_digits(return_X_y=True)
    x, y = x[:500], y[:500]

    def images(inputs, outputs):
        assert (inputs, outputs) == (64, 10)
        conv = nn.Conv2d(1, 8, 3, padding=1)
        return nn.Sequential(nn.Unflatten(1, (1, 8, 8)), conv, nn.ReLU(), nn.Flatten(), nn.Linear(512, outputs))

    model = LaminaClassifier(images, epochs=8, random_state=0)
    train_x, test_x, train_y, test_y = train_test_split(x, y, random_state=0)
    assert model.fit(train_x, train_y).score(test_x, test_y) > 0.9
    assert isinstance(model.module_[1], nn.Conv2d) and clone(model).get_params()["module"] is images


def test_early_stopping_and_history():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((120, 5)), rng.integers(0, 2, 120)  # nothing to learn
    model = LaminaClassifier(epochs=300, early_stopping=3, random_state=0, lr=0.02).fit(x, y)
    assert model.n_iter_ == len(model.history_) < 100 and "val_loss" in model.history_.names()
    assert LaminaClassifier(epochs=3, random_state=0).fit(x, y).n_iter_ == 3


def test_regression_of_one_and_of_several_targets():
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, (300, 2))
    y = np.stack([1e4 * np.sin(x[:, 0]), x[:, 1] ** 2 - 7], 1)
    model = LaminaRegressor(random_state=0).fit(x, y)
    assert model.predict(x).shape == (300, 2) and model.score(x, y) > 0.99
    single = LaminaRegressor(random_state=0).fit(x, y[:, 0])
    assert single.predict(x).shape == (300,) and single.score(x, y[:, 0]) > 0.99
    constant = LaminaRegressor(epochs=2, random_state=0).fit(x, np.full(300, 3.0))
    assert np.abs(constant.predict(x) - 3).max() < 1
    raw = LaminaRegressor(standardize=False, random_state=0, epochs=200).fit(x, y[:, 1])
    assert raw.mean_ is None and raw.target_mean_ is None and raw.score(x, y[:, 1]) > 0.5


def test_weights_of_rows_and_classes():
    x, y = make_moons(120, noise=0.3, random_state=0)
    options = {"epochs": 6, "random_state": 0}
    plain = LaminaClassifier(**options).fit(x, y)
    assert (LaminaClassifier(**options).fit(x, y, np.full(120, 7.0)).predict_proba(x) == plain.predict_proba(x)).all()
    kept = np.arange(120) % 3 != 0
    without = LaminaClassifier(**options).fit(x[kept], y[kept]).predict_proba(x)
    assert (LaminaClassifier(**options).fit(x, y, kept.astype(float)).predict_proba(x) == without).all()
    heavy = LaminaClassifier(**options).fit(x, y, np.where(y == 1, 50.0, 1.0))
    by_class = LaminaClassifier(class_weight={0: 1.0, 1: 50.0}, **options).fit(x, y)
    assert (heavy.predict_proba(x) == by_class.predict_proba(x)).all()
    assert heavy.predict(x).mean() > plain.predict(x).mean() + 0.1
    few = np.concatenate([np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:6]])
    shares = [
        LaminaClassifier(class_weight=c, **options).fit(x[few], y[few]).predict(x).mean() for c in (None, "balanced")
    ]
    assert shares[1] > shares[0]
    assert heavy.score(x, y, np.where(y == 1, 50.0, 1.0)) > heavy.score(x, y)

    g = np.random.default_rng(0)
    z, full = g.uniform(-1, 1, (80, 1)), {"epochs": 150, "random_state": 0, "batch_size": 160, "lr": 0.01}
    t = np.where(np.arange(80) % 2, 1.0, -1.0) + 0 * z[:, 0]
    weight = np.where(np.arange(80) % 2, 3.0, 1.0)
    assert abs(LaminaRegressor(**full).fit(z, t, weight).predict(z).mean() - 0.5) < 0.1  # the weighted mean
    twice = np.repeat(np.arange(80), weight.astype(int))
    same = LaminaRegressor(**full).fit(z[twice], t[twice]).predict(z)  # one batch: repeated rows are heavy rows
    np.testing.assert_allclose(LaminaRegressor(**full).fit(z, t, weight).predict(z), same, atol=0.05)
    both = LaminaRegressor(**options).fit(z, np.stack([t, z[:, 0]], 1), weight)
    assert both.predict(z).shape == (80, 2) and both.score(z, np.stack([t, z[:, 0]], 1), weight) < 1
    assert len(LaminaClassifier(epochs=2, early_stopping=1).fit(x, y, g.random(120)).history_["val_loss"]) <= 2
    for bad in (np.zeros(120), -np.ones(120), np.ones(3), np.full(120, np.nan)):
        with pytest.raises(ValueError, match=r"weight|shape"):
            LaminaClassifier(epochs=1).fit(x, y, bad)


def test_weights_in_scikit_learns_own_tools():
    x, y = make_moons(120, noise=0.2, random_state=0)
    boosted = AdaBoostClassifier(LaminaClassifier(epochs=15, random_state=0), n_estimators=3).fit(x, y)
    assert boosted.score(x, y) > 0.8
    assert AdaBoostRegressor(LaminaRegressor(epochs=5, random_state=0), n_estimators=2).fit(x, y).predict(x).shape == (
        120,
    )
    search = GridSearchCV(LaminaClassifier(epochs=2, random_state=0), {"class_weight": [None, "balanced"]}, cv=2)
    assert search.fit(x, y, sample_weight=np.where(y, 2.0, 1.0)).best_params_["class_weight"] in (None, "balanced")
    assert clone(LaminaClassifier(class_weight={0: 2.0})).get_params()["class_weight"] == {0: 2.0}


def test_pickles_and_errors():
    x, y = make_moons(60, random_state=0)
    model = LaminaClassifier(epochs=3, random_state=0).fit(x, y)
    assert pickle.loads(pickle.dumps(model)).predict_proba(x).tolist() == model.predict_proba(x).tolist()
    for call in (LaminaClassifier().predict, LaminaClassifier().predict_proba, LaminaRegressor().predict):
        with pytest.raises(NotFittedError):
            call(x)
    with pytest.raises(ValueError, match="2 features"):
        model.predict(x[:, :1])
    with pytest.raises(ValueError, match="Unknown label type"):
        LaminaClassifier().fit(x, x[:, 0])
    for options, message in (({"epochs": 0}, "epochs"), ({"optimizer": "sdg"}, "sgd"), ({"hidden": (0,)}, "hidden")):
        with pytest.raises(ValueError, match=message):
            LaminaClassifier(**options).fit(x, y)


def test_without_scikit_learn_the_import_says_what_to_install():
    code = "import sys; sys.modules['sklearn'] = None\nimport lamina\ntry: lamina.sklearn\nexcept ImportError as e: print(e)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert 'pip install "lamina[sklearn]"' in out.stdout, out.stderr
