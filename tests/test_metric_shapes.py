"""Metrics of classes over every shape that binary and multi-label outputs come in; scikit-learn as the oracle."""

from __future__ import annotations

import lamina
import numpy as np
import pytest
from lamina import metrics as M
from sklearn import metrics as S

G = np.random.default_rng(0)
TRUE = G.integers(0, 2, 60)
SURE = np.where(TRUE, 0.6 + 0.4 * G.random(60), 0.4 * G.random(60))  # a perfect model
LIKELY = np.clip(SURE + G.normal(0, 0.4, 60), 0, 1)
SHAPES = {
    "(N)": lambda p, t: (p, t),
    "(N, 1)": lambda p, t: (p[:, None], t),
    "(N, 1) twice": lambda p, t: (p[:, None], t[:, None]),
    "(N) and (N, 1)": lambda p, t: (p, t[:, None]),
    "(N, 2)": lambda p, t: (np.stack([1 - p, p], 1), t),
    "(N, 2) and (N, 1)": lambda p, t: (np.stack([1 - p, p], 1), t[:, None]),
    "floats": lambda p, t: (p[:, None].astype(np.float32), t[:, None].astype(np.float32)),
}
KINDS = {
    "accuracy": (M.Accuracy, lambda p, t: S.accuracy_score(t, p > 0.5)),
    "f1": (lambda: M.F1("binary"), lambda p, t: S.f1_score(t, p > 0.5)),
    "f1 macro": (M.F1, lambda p, t: S.f1_score(t, p > 0.5, average="macro")),
    "precision": (lambda: M.Precision("binary"), lambda p, t: S.precision_score(t, p > 0.5)),
    "recall": (lambda: M.Recall("binary"), lambda p, t: S.recall_score(t, p > 0.5)),
    "auc": (M.AUC, lambda p, t: S.roc_auc_score(t, p)),
    "average precision": (M.AveragePrecision, lambda p, t: S.average_precision_score(t, p)),
}


def value(metric, p, t):
    for rows in np.array_split(np.arange(len(p)), 3):
        metric.update(lamina.tensor(p[rows]), lamina.tensor(t[rows]))
    return metric.compute()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_binary_outputs_of_every_shape(kind, shape):
    make, oracle = KINDS[kind]
    for probabilities in (SURE, LIKELY):
        p, t = SHAPES[shape](probabilities, TRUE)
        assert value(make(), p, t) == pytest.approx(oracle(probabilities, TRUE), abs=1e-6)
    assert value(make(), *SHAPES[shape](SURE, TRUE)) == 1.0


@pytest.mark.parametrize("shape", SHAPES)
def test_matrices_and_calibration(shape):
    p, t = SHAPES[shape](LIKELY, TRUE)
    assert value(M.ConfusionMatrix(), p, t).tolist() == S.confusion_matrix(TRUE, LIKELY > 0.5).tolist()
    assert value(M.ECE(), p, t) == pytest.approx(value(M.ECE(), LIKELY, TRUE), abs=1e-6)
    if p.ndim == 2 and p.shape[1] == 1:
        logits = np.log(np.clip(p, 0.01, 0.99) / (1 - np.clip(p, 0.01, 0.99)))
        found = value(M.ECE(logits=True), logits, t)
        assert found == pytest.approx(value(M.ECE(), np.clip(LIKELY, 0.01, 0.99), TRUE), abs=1e-6)
        assert value(M.Accuracy(threshold=0.0), logits, t) == value(M.Accuracy(), p, t)


def test_several_labels_and_pixels():
    t, p = G.integers(0, 2, (40, 5)), G.random((40, 5))
    assert value(M.Accuracy(), p, t) == pytest.approx(((p > 0.5) == t).mean())
    assert value(M.F1("binary"), p, t) == pytest.approx(S.f1_score(t.ravel(), p.ravel() > 0.5))
    assert value(M.AUC(), p, t) == pytest.approx(S.roc_auc_score(t, p, average="micro"))
    mask, sure = G.integers(0, 2, (6, 4, 4)), G.random((6, 1, 4, 4))
    assert value(M.Accuracy(), sure, mask) == pytest.approx(((sure[:, 0] > 0.5) == mask).mean())
    assert value(M.Accuracy(), sure, mask[:, None]) == value(M.Accuracy(), sure, mask)


def test_fit_measures_what_a_binary_model_reaches():
    x = lamina.tensor(np.stack([SURE, 1 - SURE], 1), dtype=lamina.float32)
    y = lamina.tensor(TRUE)
    model = lamina.nn.Sequential(lamina.nn.Linear(2, 1), lamina.nn.Sigmoid())
    data = (x, y.float().unsqueeze(1))
    options = {"loss": "bce", "metrics": ["accuracy", "f1", "auc"], "lr": 0.1, "epochs": 40, "progress": False}
    record = lamina.fit(model, data, data, **options)[-1]
    assert record["val_accuracy"] == record["val_f1"] == record["val_auc"] == 1.0
    found = lamina.training.evaluate(model, (x, y), metrics=["accuracy", "f1", "auc"])
    assert found == {"accuracy": 1.0, "f1": 1.0, "auc": 1.0}


@pytest.mark.parametrize("metric", [M.Accuracy, M.F1, M.ConfusionMatrix, M.ECE, M.AUC, M.AveragePrecision])
@pytest.mark.parametrize(
    ("p", "t"),
    [((60, 3), (60, 2)), ((60,), (30,)), ((60, 1, 1), (60,)), ((60, 1), (30,)), ((60, 1), (30, 1)), ((60,), (60, 2))],
)
def test_shapes_that_cannot_be_meant_are_refused(metric, p, t):
    with pytest.raises(lamina.ShapeError, match=r"expected scores"):
        metric().update(lamina.full(p, 0.5), lamina.zeros(t, dtype=lamina.int64))
