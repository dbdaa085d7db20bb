"""NumPy twins of reducing by index, flat places and masks."""

import numpy as np

from . import ELSEWHERE, op
from .index import along

for _name in ("scatter_reduce_", "index_reduce_", "put_", "masked_scatter_"):
    ELSEWHERE[_name] = "test_scan_sort.py"

COMBINE = {"sum": np.add, "mean": np.add, "prod": np.multiply, "amax": np.maximum, "amin": np.minimum}
START = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "amax": -np.inf, "amin": np.inf}


def zero_at(x, *places):
    x = x.copy()
    for p in places:
        x.flat[p] = 0
    return x


def _reductions(r):
    out = []
    for how in COMBINE:
        out.append((r.distinct(5, 3), 0, r.ints(5, 9, 3), r.distinct(9, 3) + 0.01, how))
        out.append((r.distinct(4, 5), 1, r.ints(5, 3, 7), r.distinct(3, 7) + 0.01, how, {"include_self": False}))
    return out


@op("scatter_reduce", _reductions)
def scatter_reduce(x, dim, index, src, reduce, include_self=True):
    y, places = x.copy(), along(x, dim, index)
    part = src[tuple(slice(n) for n in index.shape)]
    if not include_self:
        y[places] = START[reduce]
    COMBINE[reduce].at(y, places, part)
    if reduce == "mean":
        n = np.ones_like(x)
        if not include_self:
            n[places] = 0
        np.add.at(n, places, 1)
        y = y / n
    return y


def _slices(r):
    out = []
    for how in ("prod", "mean", "amax", "amin"):
        out.append((r.distinct(4, 5), 0, r.ints(4, 6), r.distinct(6, 5) + 0.01, how))
        out.append((r.distinct(4, 5), 1, r.ints(5, 6), r.distinct(4, 6) + 0.01, how, {"include_self": False}))
    return out


@op("index_reduce", _slices)
def index_reduce(x, dim, index, source, reduce, include_self=True):
    line = [1] * x.ndim
    line[dim] = len(index)
    return scatter_reduce(x, dim, np.broadcast_to(index.reshape(line), source.shape), source, reduce, include_self)


@op("take", lambda r: [(r(3, 4), r.ints(12, 2, 5)), (r(3, 4), np.array([-1, 0])), (r(3, 4), r.ints(3, 0))])
def take(x, index):
    return np.take(x, index)


@op("put", lambda r: [(r(3, 4), np.array([0, 5, -1]), r(3)), (r(3, 4), r.ints(12, 2, 5), r(2, 5), True)])
def put(x, index, source, accumulate=False):
    y = x.copy().ravel()
    if accumulate:
        np.add.at(y, index.ravel(), source.ravel())
    else:
        y[index.ravel()] = source.ravel()
    return y.reshape(x.shape)


@op(
    "masked_scatter",
    lambda r: [(r(3, 4), r.bools(3, 4), r(12)), (r(3, 4), r.bools(4), r(3, 5)), (r(2), np.zeros(2, bool), r(1))],
)
def masked_scatter(x, mask, source):
    mask = np.broadcast_to(mask, x.shape)
    y = x.copy()
    y[mask] = source.ravel()[: mask.sum()]
    return y


@op("argwhere", lambda r: [(r.ints(2, 3, 4),), (r.bools(5),), (r(2, 2),)], grad=False)
def argwhere(x):
    return np.argwhere(x)
