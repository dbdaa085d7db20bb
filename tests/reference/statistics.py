"""NumPy twins of further reductions, counts, differences and integrals."""

import numpy as np

from . import op
from .reduce import DIMS, VARS, std


@op(
    "count_nonzero",
    lambda r: [(r.ints(2, 3, 4),), (r.ints(2, 3, 4), 1), (r(2, 3, 4), (0, 2)), (r.bools(4),)],
    grad=False,
)
def count_nonzero(x, dim=None):
    return np.count_nonzero(x, dim)


@op("nansum", lambda r: [*DIMS(r), (r.ints(9, 3, 4), 0)])
def nansum(x, dim=None, keepdim=False):
    return np.sum(x, dim, keepdims=keepdim)


@op("nanmean", DIMS)
def nanmean(x, dim=None, keepdim=False):
    return np.mean(x, dim, keepdims=keepdim)


@op("std_mean", VARS)
def std_mean(x, dim=None, unbiased=None, keepdim=False, correction=None):
    return std(x, dim, unbiased, keepdim, correction), np.mean(x, dim, keepdims=keepdim)


@op("aminmax", lambda r: [(r.distinct(3, 4),), (r.ints(9, 3, 4),), (r.distinct(3, 4), {"dim": 1})])
def aminmax(x, dim=None, keepdim=False):
    return np.min(x, dim, keepdims=keepdim), np.max(x, dim, keepdims=keepdim)


@op(
    "bincount",
    lambda r: [(r.ints(9, 40),), (r.ints(9, 40), r(40)), (r.ints(9, 4), None, 20), (r.ints(9, 0),)],
    grad=False,
)
def bincount(x, weights=None, minlength=0):
    return np.bincount(x, weights, minlength)


@op(
    "histc",
    lambda r: [(r(50), 7), (r(50), 5, -1.0, 1.0), (r(3, 4), 4, 0, 0), (np.ones(3), 4)],
    grad=False,
    only=("float64", "float32"),
)
def histc(x, bins=100, min=0, max=0):
    low, high = (x.min(), x.max()) if min == max else (min, max)
    if low == high:
        low, high = low - 1, high + 1
    return np.histogram(x, bins, (low, high))[0].astype(float)


@op(
    "histogram",
    lambda r: [
        (r(50), 7),
        (r(50), 5, {"range": (-1.0, 1.0)}),
        (r(50), np.array([-1.0, 0.0, 0.5, 2.0])),
        (r(50), 4, {"density": True}),
    ],
    grad=False,
    only=("float64",),
)
def histogram(x, bins, range=None, density=False):
    counts, edges = np.histogram(x, bins, range, density)
    return counts.astype(float), edges


@op(
    "diff",
    lambda r: [
        (r(7),),
        (r(3, 5), 2),
        (r(3, 5), 1, 0),
        (r(3, 5), 1, 1, r(3, 1), r(3, 2)),
        (r.ints(9, 5),),
        (r.bools(6),),
        (r(3), 5),
        (r(3, 2), 0),
    ],
)
def diff(x, n=1, dim=-1, prepend=None, append=None):
    if n > x.shape[dim]:
        return x.take([], dim)
    extra = {k: v for k, v in (("prepend", prepend), ("append", append)) if v is not None}
    return np.diff(x, n, dim, **extra)


def slabs(y, x, dx, dim):
    y = np.moveaxis(y, dim, -1)
    step = 1.0 if dx is None else dx
    if x is not None:
        step = np.diff(np.moveaxis(x, dim, -1) if x.ndim > 1 else x)
    return np.moveaxis((y[..., 1:] + y[..., :-1]) / 2 * step, -1, dim)


INTEGRALS = lambda r: [
    (r(7),),
    (r(3, 5), {"dim": 0}),
    (r(3, 5), r(5)),
    (r(3, 5), r(3, 5)),
    (r(3, 5), {"dx": 0.5}),
    (r(3, 5), r(3), {"dim": 0}),
]


@op("trapezoid", INTEGRALS)
def trapezoid(y, x=None, dx=None, dim=-1):
    return slabs(y, x, dx, dim).sum(dim)


@op("cumulative_trapezoid", INTEGRALS)
def cumulative_trapezoid(y, x=None, dx=None, dim=-1):
    return slabs(y, x, dx, dim).cumsum(dim)
