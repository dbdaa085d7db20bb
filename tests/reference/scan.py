"""NumPy twins of running sums, products, extrema and log-sum-exps."""

import numpy as np

from . import ELSEWHERE, op

for _name in ("cumsum_", "cumprod_"):
    ELSEWHERE[_name] = "test_scan_sort.py"


def lines(r):
    return [(r(3, 4), 0), (r(3, 4), -1), (r(2, 20, 70), 1), (r(2, 3, 9), 1), (r(0, 3), 0), (r(), 0)]


def with_zeros(x, *places):
    x = x.copy()
    for p in places:
        x.flat[p] = 0
    return x


@op("cumsum", lambda r: [*lines(r), (r(2000), 0), (r.ints(9, 3, 2), 1), (r.ints(9, 9, 30), 0)], rtol=10)
def cumsum(x, dim):
    return np.cumsum(x, dim).reshape(x.shape)


@op(
    "cumprod",
    lambda r: [
        *[(np.asarray(1 + 0.1 * x), d) for x, d in lines(r)],
        (with_zeros(r(7), 2), 0),
        (with_zeros(r(3, 7), 2, 4, 8), 1),
        (with_zeros(r(5, 3), 0, 12), 0),
        (r.ints(3, 3, 5), 1),
    ],
    rtol=10,
)
def cumprod(x, dim):
    return np.cumprod(x, dim).reshape(x.shape)


def running(x, dim, better):
    if x.ndim == 0:
        return x.copy(), np.zeros((), np.int64)
    v = np.moveaxis(x, dim, 0)
    values, places = v.copy(), np.zeros(v.shape, np.int64)
    for i in range(1, len(v)):
        take = better(v[i], values[i - 1])
        values[i] = np.where(take, v[i], values[i - 1])
        places[i] = np.where(take, i, places[i - 1])
    return np.moveaxis(values, 0, dim), np.moveaxis(places, 0, dim)


@op("cummax", lambda r: [*lines(r), (r.ints(4, 3, 9), 1), (r.ints(4, 20, 9), 0)])
def cummax(x, dim):
    return running(x, dim, lambda new, old: new >= old)


@op("cummin", lambda r: [*lines(r), (r.ints(4, 3, 9), 1), (r.ints(4, 20, 9), 0)])
def cummin(x, dim):
    return running(x, dim, lambda new, old: new <= old)


@op("logcumsumexp", lambda r: [*lines(r), (r(3, 9) * 20, 1), (r(30) + 800, 0)], rtol=10)
def logcumsumexp(x, dim):
    return np.logaddexp.accumulate(x, dim) if x.ndim else x
