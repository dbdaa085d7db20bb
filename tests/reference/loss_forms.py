"""NumPy twins of the margin, likelihood and alignment losses, and of embedding_bag."""

from __future__ import annotations

import itertools

import numpy as np

from . import op
from .loss import pairs, reduced
from .norm_forms import distance

WAYS = ("mean", "sum", "none")


def loss(name, samples, rtol=4.0, torch=None, **facts):
    return op(name, samples, rtol=rtol, torch=f"nn.functional.{name}" if torch is None else torch, **facts)


def signs(r, *shape):
    return r.bools(*shape).astype(np.float64) * 2 - 1


def constant(a):
    """Targets that want no gradient."""
    return a.astype(np.int64)


@loss(
    "huber_loss",
    lambda r: [
        (r(3, 4), r(3, 4)),
        *pairs(r, delta=0.5),
        *[(r(3, 4), r(3, 4), {"weight": r.positive(3, 4), "reduction": w}) for w in WAYS],
    ],
)
def huber_loss(x, target, reduction="mean", delta=1.0, weight=None):
    d = np.abs(x - target)
    rows = np.where(d < delta, 0.5 * d * d, delta * (d - 0.5 * delta))
    return reduced(rows * (1 if weight is None else weight), reduction)


@loss(
    "kl_div",
    lambda r: [
        *[(r(3, 4), r.positive(3, 4), {"reduction": w}) for w in (*WAYS, "batchmean")],
        (r(3, 4), r(3, 4), {"log_target": True, "reduction": "batchmean"}),
    ],
)
def kl_div(x, target, reduction="mean", log_target=False):
    rows = np.exp(target) * (target - x) if log_target else target * (np.log(target) - x)
    return rows.sum() / x.shape[0] if reduction == "batchmean" else reduced(rows, reduction)


@loss(
    "hinge_embedding_loss",
    lambda r: [(r(3, 4), constant(signs(r, 3, 4)), {"margin": 0.7, "reduction": w}) for w in WAYS],
)
def hinge_embedding_loss(x, target, margin=1.0, reduction="mean"):
    return reduced(np.where(target == 1, x, np.maximum(0, margin - x)), reduction)


@loss(
    "margin_ranking_loss",
    lambda r: (
        [(r(5), r(5), constant(signs(r, 5)), {"margin": 0.3, "reduction": w}) for w in WAYS]
        + [(r(2, 3), r(2, 3), constant(signs(r, 2, 3)))]
    ),
)
def margin_ranking_loss(a, b, target, margin=0.0, reduction="mean"):
    return reduced(np.maximum(0, -target * (a - b) + margin), reduction)


@loss("soft_margin_loss", lambda r: [(r(3, 4), constant(signs(r, 3, 4)), {"reduction": w}) for w in WAYS])
def soft_margin_loss(x, target, reduction="mean"):
    return reduced(np.log1p(np.exp(-target * x)), reduction)


@loss(
    "multi_margin_loss",
    lambda r: [
        (r(4, 5), r.ints(5, 4)),
        (r(5), r.ints(5)),
        (r(4, 5), r.ints(5, 4), {"p": 2, "margin": 0.5, "weight": r.positive(5), "reduction": "sum"}),
        (r(4, 5), r.ints(5, 4), {"reduction": "none"}),
    ],
)
def multi_margin_loss(x, target, p=1, margin=1.0, weight=None, reduction="mean"):
    rows = []
    for v, t in zip(np.atleast_2d(x), np.atleast_1d(target), strict=True):
        terms = np.maximum(0, margin - v[t] + v) ** p * (1 if weight is None else weight[t])
        rows.append((terms.sum() - terms[t]) / len(v))
    return reduced(np.array(rows) if x.ndim == 2 else rows[0] + np.zeros(()), reduction)


@loss(
    "multilabel_margin_loss",
    lambda r: (
        [(r(2, 4), np.array([[3, 0, -1, 1], [2, -1, 0, 0]]), {"reduction": w}) for w in WAYS]
        + [(r(4), np.array([1, 2, -1, 0]))]
    ),
)
def multilabel_margin_loss(x, target, reduction="mean"):
    rows = []
    for v, t in zip(np.atleast_2d(x), np.atleast_2d(target), strict=True):
        own = list(itertools.takewhile(lambda c: c >= 0, t))
        others = [i for i in range(len(v)) if i not in own]
        rows.append(sum(max(0.0, 1 - v[j] + v[i]) for j in own for i in others) / len(v))
    return reduced(np.array(rows) if x.ndim == 2 else rows[0] + np.zeros(()), reduction)


@loss(
    "multilabel_soft_margin_loss",
    lambda r: [
        (r(3, 4), r.ints(2, 3, 4)),
        (r(3, 4), r.ints(2, 3, 4), {"weight": r.positive(4), "reduction": "sum"}),
        (r(3, 4), r.ints(2, 3, 4), {"reduction": "none"}),
    ],
)
def multilabel_soft_margin_loss(x, target, weight=None, reduction="mean"):
    rows = target * np.logaddexp(0, -x) + (1 - target) * np.logaddexp(0, x)
    return reduced((rows * (1 if weight is None else weight)).mean(-1), reduction)


@loss(
    "triplet_margin_loss",
    lambda r: (
        [(r(4, 5), r(4, 5), r(4, 5), {"reduction": w}) for w in WAYS]
        + [(r(4, 5), r(4, 5), r(4, 5), {"margin": 2.0, "p": 3.0, "swap": True}), (r(5), r(5), r(5))]
    ),
    rtol=10,
)
def triplet_margin_loss(a, b, c, margin=1.0, p=2, eps=1e-6, swap=False, reduction="mean"):
    far = distance(a, c, p, eps)
    far = np.minimum(far, distance(b, c, p, eps)) if swap else far
    return reduced(np.maximum(0, margin + distance(a, b, p, eps) - far), reduction)


@loss(
    "cosine_embedding_loss",
    lambda r: (
        [(r(4, 5), r(4, 5), constant(signs(r, 4)), {"margin": 0.2, "reduction": w}) for w in WAYS]
        + [(r(5), r(5), np.array(1))]
    ),
)
def cosine_embedding_loss(a, b, target, margin=0.0, reduction="mean"):
    c = (a * b).sum(-1) / np.sqrt(((a * a).sum(-1) + 1e-12) * ((b * b).sum(-1) + 1e-12))
    return reduced(np.where(target == 1, 1 - c, np.maximum(0, c - margin)), reduction)


@loss(
    "gaussian_nll_loss",
    lambda r: [
        (r(3, 4), r(3, 4), r.positive(3, 4)),
        (r(3, 4), r(3, 4), r.positive(3, 1), {"full": True, "reduction": "sum"}),
        (r(3, 4), r(3, 4), r.positive(3), {"reduction": "none"}),
        (r(3, 4), r(3, 4), 2.0),
    ],
)
def gaussian_nll_loss(x, target, var, full=False, eps=1e-6, reduction="mean"):
    var = var if np.ndim(var) in (0, x.ndim) else var[..., None]
    rows = 0.5 * (np.log(np.maximum(var, eps)) + (x - target) ** 2 / np.maximum(var, eps))
    return reduced(rows + (0.5 * np.log(2 * np.pi) if full else 0), reduction)


@loss(
    "poisson_nll_loss",
    lambda r: [
        (r(3, 4), r.positive(3, 4)),
        (r(3, 4), r.positive(3, 4), {"full": True, "reduction": "sum"}),
        (r.positive(3, 4), r.positive(3, 4), {"log_input": False, "reduction": "none"}),
    ],
)
def poisson_nll_loss(x, target, log_input=True, full=False, reduction="mean", eps=1e-8):
    rows = np.exp(x) - target * x if log_input else x - target * np.log(x + eps)
    if full:
        safe = np.where(target > 1, target, 1.0)
        rows = rows + np.where(target > 1, safe * np.log(safe) - safe + 0.5 * np.log(2 * np.pi * safe), 0)
    return reduced(rows, reduction)


def _merge(path, blank):
    return tuple(k for k, _ in itertools.groupby(path) if k != blank)


# PyTorch's gradient is that of the logits before log_softmax; tests/test_neural.py compares it there.
@loss(
    "ctc_loss",
    lambda r: (
        [(r(4, 2, 3), np.array([[1, 2], [2, 2]]), (4, 3), (2, 1), {"reduction": w}) for w in WAYS]
        + [
            (r(4, 3), np.array([1, 1]), (4,), (2,), 0),
            (r(4, 2, 3), np.array([0, 1, 0]), np.array([4, 4]), np.array([2, 1]), 2, "sum"),
            (r(3, 1, 3), np.array([[1]]), (3,), (0,), 0, "sum"),
        ]
    ),
    rtol=10,
    torch="",
)
def ctc_loss(lp, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False):
    single = lp.ndim == 2
    lp = lp[:, None] if single else lp
    rows, start = [], 0
    for n, (steps, count) in enumerate(zip(input_lengths, target_lengths, strict=True)):
        wanted = tuple(targets[start : start + count] if targets.ndim == 1 else targets[n, :count])
        start += count
        total = sum(
            np.exp(sum(lp[t, n, c] for t, c in enumerate(path)))
            for path in itertools.product(range(lp.shape[2]), repeat=int(steps))
            if _merge(path, blank) == wanted
        )
        rows.append(-np.log(total))
    rows = np.array(rows)
    if reduction == "mean":
        return (rows / np.maximum(np.array(target_lengths), 1)).mean()
    return rows.sum() if reduction == "sum" else rows[0] if single else rows


def _bags(r):
    flat, offsets = r.ints(6, 7), np.array([0, 3, 3, 5])
    table = r.distinct(6, 4)
    cases = [(r.ints(6, 3, 4), table, {"mode": mode}) for mode in ("sum", "mean", "max")]
    cases += [(flat, table, offsets, {"mode": mode}) for mode in ("sum", "mean", "max")]
    cases += [(flat, table, offsets, {"mode": mode, "padding_idx": int(flat[1])}) for mode in ("sum", "mean", "max")]
    cases += [(flat, table, np.array([0, 3, 7]), {"include_last_offset": True})]
    return [*cases, (flat, table, offsets, {"mode": "sum", "per_sample_weights": r(7)})]


@op("embedding_bag", _bags, rtol=4, torch="nn.functional.embedding_bag")
def embedding_bag(
    index,
    table,
    offsets=None,
    max_norm=None,
    norm_type=2.0,
    scale_grad_by_freq=False,
    mode="mean",
    sparse=False,
    per_sample_weights=None,
    include_last_offset=False,
    padding_idx=None,
):
    if index.ndim == 2:
        bags = [[(i, 1.0) for i in row] for row in index]
    else:
        ends = [*offsets[1:]] if include_last_offset else [*offsets[1:], len(index)]
        weights = np.ones(len(index)) if per_sample_weights is None else per_sample_weights
        bags = [[(index[k], weights[k]) for k in range(a, b)] for a, b in zip(offsets, ends, strict=False)]
    y = np.zeros((len(bags), table.shape[1]))
    for b, bag in enumerate(bags):
        rows = [table[i] * w for i, w in bag if i != padding_idx]
        if rows:
            y[b] = {"sum": np.sum, "mean": np.mean, "max": np.max}[mode](rows, axis=0)
    return y
