"""Streaming metrics against scikit-learn and hand-computed values; the value never depends on the batches."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import lamina
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lamina import metrics as M

try:
    import sklearn.metrics as sk
except ImportError:
    sk = None

needs_sklearn = pytest.mark.skipif(sk is None, reason="scikit-learn (extra 'sklearn') is not installed")


def rng(seed):
    return np.random.Generator(np.random.PCG64(seed))


# -- the same value for every way of cutting and merging ---------------------------------------------------------------
def class_data(g, n):
    return g.normal(size=(n, 4)).astype(np.float32), g.integers(0, 4, n)


def binary_data(g, n):
    return np.round(g.random(n), 2).astype(np.float32), g.integers(0, 2, n)


def number_data(g, n):
    scale = 10.0 ** g.integers(-8, 8, n)
    return g.normal(size=n) * scale, g.normal(size=n) * scale


def probability_data(g, n):
    p = g.random((n, 3)) + 1e-3
    return p / p.sum(1, keepdims=True), g.integers(0, 3, n)


def distance(p, t):
    return abs(p - t)


CASES = [
    (lambda: M.Accuracy(), class_data),
    (lambda: M.TopKAccuracy(2), class_data),
    (lambda: M.Precision("macro"), class_data),
    (lambda: M.Recall("weighted"), class_data),
    (lambda: M.F1("micro"), class_data),
    (lambda: M.F1("binary"), binary_data),
    (lambda: M.AUC(), binary_data),
    (lambda: M.AveragePrecision(), binary_data),
    (lambda: M.R2(), number_data),
    (lambda: M.MAE(), number_data),
    (lambda: M.MSE(), number_data),
    (lambda: M.RMSE(), number_data),
    (lambda: M.Perplexity(), class_data),
    (lambda: M.ECE(7), probability_data),
    (lambda: M.Mean(distance), number_data),
]


def name_of(case):
    return repr(case[0]()).partition("(function")[0]


@pytest.mark.parametrize("case", CASES, ids=name_of)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), cuts=st.lists(st.integers(1, 59), max_size=6), parts=st.integers(1, 3))
def test_batches_and_merges_do_not_change_a_bit(case, seed, cuts, parts):
    make, data = case
    p, t = data(rng(seed), 60)
    whole = make()
    whole.update(p, t)
    borders = [0, *sorted(set(cuts)), 60]
    pieces = [make() for _ in range(parts)]
    for i, (a, b) in enumerate(pairwise(borders)):
        pieces[i % parts].update(lamina.as_tensor(p[a:b]), lamina.as_tensor(t[a:b]))
    order = list(range(parts))
    random.Random(seed).shuffle(order)
    merged = make()
    for i in order:
        merged.merge(pieces[i])
    assert merged.compute() == whole.compute() or (math.isnan(merged.compute()) and math.isnan(whole.compute()))


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_reset_begins_anew_and_nothing_is_nan(case):
    make, data = case
    metric = make()
    assert math.isnan(metric.compute())
    metric.update(*data(rng(1), 30))
    metric.reset()
    assert math.isnan(metric.compute())
    metric.update(*data(rng(2), 30))
    fresh = make()
    fresh.update(*data(rng(2), 30))
    assert metric.compute() == fresh.compute()


def test_merge_needs_the_same_settings():
    with pytest.raises(ValueError, match=r"F1\.merge: needs a metric with the same settings, got F1\(average='macro'"):
        M.F1("micro").merge(M.F1("macro"))
    with pytest.raises(ValueError, match="same settings"):
        M.MAE().merge(M.MSE())


# -- scikit-learn ------------------------------------------------------------------------------------------------------
@needs_sklearn
@pytest.mark.parametrize("average", ["micro", "macro", "weighted", "none"])
@pytest.mark.parametrize("kind", ["Precision", "Recall", "F1"])
def test_classes_against_sklearn(kind, average):
    g = rng(3)
    t, p = g.integers(0, 5, 200), g.integers(0, 5, 200)
    t[t == 4] = 3  # class 4 has no rows, and 0 is never predicted
    p[p == 0] = 1
    metric = getattr(M, kind)(average)
    metric.update(lamina.as_tensor(p), lamina.as_tensor(t))
    function = {"Precision": sk.precision_score, "Recall": sk.recall_score, "F1": sk.f1_score}[kind]
    expected = function(t, p, average=None if average == "none" else average, zero_division=0)
    found = metric.compute()
    np.testing.assert_allclose(found.numpy() if average == "none" else found, expected, rtol=1e-14)


@needs_sklearn
def test_binary_against_sklearn():
    g = rng(4)
    t, score = g.integers(0, 2, 300), np.round(g.random(300), 1)
    said = score > 0.5
    for kind, function in (("Precision", sk.precision_score), ("Recall", sk.recall_score), ("F1", sk.f1_score)):
        metric = getattr(M, kind)("binary")
        metric.update(score, t)
        assert metric.compute() == pytest.approx(function(t, said), rel=1e-14)
        other = getattr(M, kind)("binary", positive=0)
        other.update(score, t)
        assert other.compute() == pytest.approx(function(t, said, pos_label=0), rel=1e-14)
    for metric, function in ((M.AUC(), sk.roc_auc_score), (M.AveragePrecision(), sk.average_precision_score)):
        metric.update(score, t)
        assert metric.compute() == pytest.approx(function(t, score), rel=1e-12)


@needs_sklearn
def test_matrix_top_k_and_regression_against_sklearn():
    g = rng(5)
    t, scores = g.integers(0, 6, 150), g.normal(size=(150, 6))
    matrix = M.ConfusionMatrix(6)
    matrix.update(lamina.as_tensor(scores), lamina.as_tensor(t))
    assert (matrix.compute().numpy() == sk.confusion_matrix(t, scores.argmax(1), labels=range(6))).all()
    top = M.TopKAccuracy(3)
    top.update(scores, t)
    assert top.compute() == pytest.approx(sk.top_k_accuracy_score(t, scores, k=3), rel=1e-14)
    y, p = g.normal(size=99) + 1e6, g.normal(size=99) + 1e6  # far from 0: naive sums of squares would cancel
    for metric, expected in (
        (M.R2(), sk.r2_score(y, p)),
        (M.MAE(), sk.mean_absolute_error(y, p)),
        (M.MSE(), sk.mean_squared_error(y, p)),
        (M.RMSE(), sk.mean_squared_error(y, p) ** 0.5),
    ):
        metric.update(p, y)
        assert metric.compute() == pytest.approx(expected, rel=1e-9)


# -- values by hand ----------------------------------------------------------------------------------------------------
def test_accuracy_of_scores_classes_probabilities_and_pixels():
    metric = M.Accuracy()
    metric.update(lamina.tensor([[[1.0, 0.0], [0.0, 1.0]]]), lamina.tensor([[0, 1]]))  # (N, C, T)
    assert metric.compute() == 1.0
    metric = M.Accuracy(threshold=0.0)
    metric.update(lamina.tensor([-3.0, 2.0, 5.0]), lamina.tensor([0, 1, 0]))
    assert metric.compute() == 2 / 3
    metric = M.Accuracy(ignore_index=-100)
    metric.update(lamina.tensor([1, 2, 3]), lamina.tensor([1, -100, 2]))
    assert metric.compute() == 0.5
    with pytest.raises(ValueError, match=r"reach from -3 to 2; hint: for logits give threshold=0\.0"):
        M.Accuracy().update(lamina.tensor([-3.0, 2.0]), lamina.tensor([0, 1]))
    with pytest.raises(lamina.ShapeError, match=r"Accuracy: expected scores .* got \(2, 3\) and \(3,\)"):
        M.Accuracy().update(lamina.zeros(2, 3), lamina.tensor([0, 1, 2]))


def test_top_k_breaks_ties_by_class():
    metric = M.TopKAccuracy(1)
    metric.update(lamina.zeros(2, 3), lamina.tensor([0, 1]))
    assert metric.compute() == 0.5
    with pytest.raises(ValueError, match="target holds class 3, there are 3"):
        metric.update(lamina.zeros(1, 3), lamina.tensor([3]))


def test_confusion_matrix_grows():
    metric = M.ConfusionMatrix()
    metric.update(lamina.tensor([0]), lamina.tensor([1]))
    metric.update(lamina.tensor([2]), lamina.tensor([2]))
    assert metric.compute().tolist() == [[0, 0, 0], [1, 0, 0], [0, 0, 1]]
    with pytest.raises(ValueError, match="average='binary' needs two classes, there are 3"):
        f1 = M.F1("binary")
        f1.update(lamina.tensor([2]), lamina.tensor([0]))
        f1.compute()


def test_auc_counts_pairs():
    g = rng(6)
    score, t = np.round(g.random(40), 1), g.integers(0, 2, 40)
    metric = M.AUC()
    metric.update(score, t)
    pairs = [(a > b) + 0.5 * (a == b) for a in score[t == 1] for b in score[t == 0]]
    assert metric.compute() == sum(pairs) / len(pairs)
    with pytest.raises(ValueError, match="labels should be 0 or 1"):
        metric.update(score, t + 1)
    with pytest.raises(ValueError, match="NaN"):
        metric.update(np.array([math.nan]), np.array([1]))


def test_r2_corners():
    for p, y, expected in (
        ([1.0, 1.0], [1.0, 1.0], 1.0),
        ([1.0, 2.0], [1.0, 1.0], 0.0),
        ([2.0, 1.0], [1.0, 2.0], -3.0),
    ):
        metric = M.R2()
        metric.update(lamina.tensor(p), lamina.tensor(y))
        assert metric.compute() == expected
    with pytest.raises(lamina.ShapeError, match="hint"):
        M.MSE().update(lamina.zeros(3, 1), lamina.zeros(3))


def test_perplexity_and_ignored_tokens():
    logits = lamina.tensor([[[0.0, 0.0], [9.0, 0.0], [0.0, 0.0]]])  # (N, T, C)
    metric = M.Perplexity(dim=-1)
    metric.update(logits, lamina.tensor([[0, -100, 1]]))
    assert metric.compute() == pytest.approx(2.0, rel=1e-7)


def test_ece_by_hand():
    metric = M.ECE(bins=2)
    metric.update(lamina.tensor([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]), lamina.tensor([0, 1, 1]))
    assert metric.compute() == pytest.approx(abs((0.9 + 0.6 + 0.8) - 2) / 3, rel=1e-7)
    logits = M.ECE(logits=True)
    logits.update(lamina.tensor([[0.0, math.log(3.0)]]), lamina.tensor([1]))
    assert logits.compute() == pytest.approx(0.25, rel=1e-6)
    binary = M.ECE(bins=10)
    binary.update(lamina.tensor([0.2, 0.9]), lamina.tensor([0, 0]))
    assert binary.compute() == pytest.approx((0.2 + 0.9) / 2, rel=1e-6)
    with pytest.raises(ValueError, match="logits=True"):
        M.ECE().update(lamina.tensor([[3.0, -1.0]]), lamina.tensor([0]))


def test_bleu_by_hand():
    # the example of the paper: "the" seven times, clipped by the two of the first reference
    metric = M.BLEU(order=1)
    metric.update(["the the the the the the the"], [["the cat is on the mat", "there is a cat on the mat"]])
    assert metric.compute() == pytest.approx(2 / 7)
    # brevity: 3 tokens against 4; precisions 3/3 and 2/2
    short = M.BLEU(order=2)
    short.update([["a", "b", "c"]], [[["a", "b", "c", "d"]]])
    assert short.compute() == pytest.approx(math.exp(1 - 4 / 3))
    # a corpus adds counts up, it does not take a mean of sentences
    corpus = M.BLEU(order=1)
    corpus.update(["a b", "c"], [["a x"], ["c"]])
    assert corpus.compute() == pytest.approx(2 / 3)
    for smoothing, expected in (
        ("none", 0.0),
        ("add", (2 / 3 * 1 / 3) ** 0.5),
        ("exp", (2 / 3 * 0.5 / 2) ** 0.5),
    ):
        metric = M.BLEU(order=2, smoothing=smoothing)
        metric.update(["a x b"], ["a b c"])
        assert metric.compute() == pytest.approx(expected)
    with pytest.raises(TypeError, match="token list goes into a list of its own"):
        metric.update([[1, 2]], [[1, 2]])
    with pytest.raises(ValueError, match="expected a list of sentences"):
        metric.update("a b", ["a b"])


def test_bleu_merges():
    sentences = [("a b c d e", ["a b c d f", "a b c"]), ("x y", ["x y z"]), ("p q r s", ["p q r s"])]
    whole, left, right = M.BLEU(), M.BLEU(), M.BLEU()
    whole.update([c for c, _ in sentences], [r for _, r in sentences])
    left.update([sentences[2][0]], [sentences[2][1]])
    right.update([c for c, _ in sentences[:2]], [r for _, r in sentences[:2]])
    assert left.merge(right).compute() == whole.compute() > 0


def test_mean_loss_weighs_rows_and_keeps_infinities():
    metric = M.MeanLoss()
    for loss, rows in ((0.1, 3), (0.2, 5), (1e300, 1), (-1e300, 1)):
        metric.update(loss, rows)
    assert metric.compute() == pytest.approx(1.3 / 10, rel=1e-15)
    metric.update(math.inf)
    assert metric.compute() == math.inf
    metric.update(math.nan)
    assert math.isnan(metric.compute())
    assert metric.from_state(metric.state()).state()[0] == metric.state()[0]


def test_arguments_are_checked_when_made():
    for make, message in (
        (lambda: M.F1("mean"), "F1: average must be one of binary, micro, macro, weighted, none, got 'mean'"),
        (lambda: M.TopKAccuracy(0), "k should be a positive"),
        (lambda: M.ECE(0), "bins should be a positive"),
        (lambda: M.BLEU(order=0), "order should be a positive"),
        (lambda: M.BLEU(smoothing="x"), "smoothing must be"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
