"""NumPy twins of losses and of embedding."""

import numpy as np

from . import ELSEWHERE, op
from .softmax import log_softmax

ELSEWHERE["sgd_step"] = ELSEWHERE["adam_step"] = "tests/test_optim.py"


def reduced(loss, reduction):
    return loss if reduction == "none" else loss.mean() if reduction == "mean" else loss.sum()


def one_hot(target, classes, dim):
    return np.moveaxis(np.eye(classes)[np.clip(target, 0, classes - 1)], -1, dim)


def line_of(v, x, dim):
    return v.reshape([-1 if d == dim else 1 for d in range(x.ndim)])


def class_loss(x, target, weight, ignore_index, reduction, smoothing, log):
    dim, classes = (0 if x.ndim == 1 else 1), x.shape[0 if x.ndim == 1 else 1]
    w = line_of(np.ones(classes) if weight is None else weight, x, dim)
    hit, keep = one_hot(target, classes, dim), target != ignore_index
    wt = (hit * w).sum(dim) * keep
    loss = -(hit * log).sum(dim) * wt * (1 - smoothing) - (w * log).sum(dim) * keep * smoothing / classes
    return loss.sum() / wt.sum() if reduction == "mean" else reduced(loss, reduction)


def with_ignored(t, index=-100):
    t = t.copy()
    t.flat[1] = index
    return t


@op(
    "cross_entropy",
    lambda r: [
        (r(4, 5), r.ints(5, 4)),
        (r(5), r.ints(5)),
        (r(4, 5) * 5, with_ignored(r.ints(5, 4)), {"weight": r.positive(5)}),
        (r(2, 5, 3, 4), with_ignored(r.ints(5, 2, 3, 4), 2), {"ignore_index": 2, "reduction": "sum"}),
        (r(6, 37), r.ints(37, 6), {"label_smoothing": 0.1, "reduction": "none"}),
        (r(6, 37), with_ignored(r.ints(37, 6)), {"label_smoothing": 0.3, "weight": r.positive(37)}),
        (r(4, 5), r.positive(4, 5)),
        (r(2, 5, 3), r.positive(2, 5, 3), {"label_smoothing": 0.1, "weight": r.positive(5), "reduction": "sum"}),
    ],
    rtol=2,
)
def cross_entropy(x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    dim = 0 if x.ndim == 1 else 1
    log = log_softmax(x, dim)
    if target.dtype.kind == "i":
        return class_loss(x, target, weight, ignore_index, reduction, label_smoothing, log)
    p = target * (1 - label_smoothing) + label_smoothing / x.shape[dim]
    return reduced(-(log * p * (1 if weight is None else line_of(weight, x, dim))).sum(dim), reduction)


@op(
    "nll_loss",
    lambda r: [
        (r(4, 5), r.ints(5, 4)),
        (r(5), r.ints(5)),
        (r(4, 5), with_ignored(r.ints(5, 4)), {"weight": r.positive(5)}),
        (r(2, 5, 3), r.ints(5, 2, 3), {"reduction": "none"}),
        (r(4, 5), r.ints(5, 4), {"reduction": "sum"}),
    ],
)
def nll_loss(x, target, weight=None, ignore_index=-100, reduction="mean"):
    return class_loss(x, target, weight, ignore_index, reduction, 0, x)


def pairs(r, **extra):
    return [(r(3, 4), r(3, 4), {"reduction": how, **extra}) for how in ("mean", "sum", "none")]


@op("mse_loss", lambda r: [(r(3, 4), r(3, 4)), *pairs(r)])
def mse_loss(x, target, reduction="mean"):
    return reduced((x - target) ** 2, reduction)


@op("l1_loss", lambda r: [(r(3, 4), r(3, 4)), *pairs(r)])
def l1_loss(x, target, reduction="mean"):
    return reduced(np.abs(x - target), reduction)


@op("smooth_l1_loss", lambda r: [(r(3, 4), r(3, 4)), *pairs(r), *pairs(r, beta=0.3), (r(3, 4), r(3, 4), {"beta": 0.0})])
def smooth_l1_loss(x, target, reduction="mean", beta=1.0):
    d = np.abs(x - target)
    return reduced(np.where(d < beta, 0.5 * d * d / (beta or 1), d - 0.5 * beta), reduction)


@op(
    "binary_cross_entropy",
    lambda r: [
        (r.uniform(0.05, 0.95, 3, 4), r.uniform(0, 1, 3, 4)),
        (r.uniform(0.05, 0.95, 3, 4), r.uniform(0, 1, 3, 4), {"weight": r.positive(4), "reduction": "sum"}),
        (r.uniform(0.05, 0.95, 5), r.uniform(0, 1, 5), {"reduction": "none"}),
    ],
    rtol=2,
)
def binary_cross_entropy(x, target, weight=None, reduction="mean"):
    loss = -(target * np.log(x) + (1 - target) * np.log1p(-x))
    return reduced(loss * (1 if weight is None else weight), reduction)


@op(
    "binary_cross_entropy_with_logits",
    lambda r: [
        (r(3, 4) * 3, r.uniform(0, 1, 3, 4)),
        (r(3, 4) * 3, r.uniform(0, 1, 3, 4), {"weight": r.positive(4), "reduction": "sum"}),
        (r(3, 4) * 3, r.uniform(0, 1, 3, 4), {"pos_weight": r.positive(4), "reduction": "none"}),
    ],
    rtol=2,
    torch="nn.functional.binary_cross_entropy_with_logits",
)
def binary_cross_entropy_with_logits(x, target, weight=None, reduction="mean", pos_weight=None):
    log, other = -np.logaddexp(0, -x), -np.logaddexp(0, x)
    loss = -(target * log * (1 if pos_weight is None else pos_weight) + (1 - target) * other)
    return reduced(loss * (1 if weight is None else weight), reduction)


@op(
    "embedding",
    lambda r: [(r.ints(5, 3), r(5, 4)), (r.ints(5, 2, 7), r(5, 4)), (r.ints(5, 0), r(5, 4))],
    torch="nn.functional.embedding",
)
def embedding(index, weight, padding_idx=None):
    return weight[index]
