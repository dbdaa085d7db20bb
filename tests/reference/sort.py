"""NumPy twins of sorting, selecting, quantiles, different elements and searching."""

import numpy as np

from . import op


def places(x, dim, descending=False):
    """Stable order; NumPy puts NaN last, as the largest."""
    if not descending:
        return np.argsort(x, dim, kind="stable")
    turned = np.flip(x, dim)
    n = x.shape[dim]
    return np.flip(n - 1 - np.argsort(turned, dim, kind="stable"), dim)


def at(x, index, dim):
    return np.take_along_axis(x, index, dim)


SORTS = lambda r: [
    (r.distinct(3, 7),),
    (r.distinct(3, 7), 0),
    (r.distinct(3, 7), 1, True),
    (r.distinct(2, 40, 3), 1, True),
    (r.distinct(600),),
    (r.distinct(0, 3), 1),
    (r.distinct(3, 0), 1),
    (np.argsort(r(3, 40)),),
]


@op("sort", SORTS)
def sort(x, dim=-1, descending=False):
    index = places(x, dim, descending)
    return at(x, index, dim), index


@op("argsort", SORTS, grad=False)
def argsort(x, dim=-1, descending=False):
    return places(x, dim, descending)


@op("msort", lambda r: [(r.distinct(5),), (r.distinct(5, 3),)])
def msort(x):
    return np.sort(x, 0)


@op(
    "topk",
    lambda r: [
        (r.distinct(3, 7), 2),
        (r.distinct(7, 3), 3, 0, False),
        (r.distinct(2, 900), 5),
        (r.distinct(2, 900), 899, 1, False),
        (r.distinct(4), 0),
        (r.distinct(4, 2), 2, -1, True, False),
    ],
)
def topk(x, k, dim=-1, largest=True, sorted=True):
    index = np.take(places(x, dim, largest), range(k), dim)
    return at(x, index, dim), index


def chosen(x, index, dim, keepdim):
    index = np.expand_dims(index, dim)
    value = at(x, index, dim)
    return (value, index) if keepdim else (np.squeeze(value, dim), np.squeeze(index, dim))


LINES = lambda r: [(r.distinct(3, 8), 1), (r.distinct(3, 8), 0, True), (r.distinct(2, 301, 3), 1), (r.distinct(7), -1)]


@op("kthvalue", lambda r: [(x, 2, *rest) for x, *rest in LINES(r)])
def kthvalue(x, k, dim=-1, keepdim=False):
    return chosen(x, np.take(places(x, dim), k - 1, dim), dim, keepdim)


def with_nan(x, *at):
    x = x.copy()
    for a in at:
        x.flat[a] = np.nan
    return x


@op("median", lambda r: [(r.distinct(3, 4),), (r.distinct(7),), *LINES(r)])
def median(x, dim=None, keepdim=False):
    if dim is None:
        return np.sort(x.ravel())[(x.size - 1) // 2]
    return chosen(x, np.take(places(x, dim), (x.shape[dim] - 1) // 2, dim), dim, keepdim)


@op("nanmedian", lambda r: [(r.distinct(3, 4),), (r.distinct(7),), *LINES(r)])
def nanmedian(x, dim=None, keepdim=False):
    return median(x, dim, keepdim)


@op("mode", lambda r: [(r.ints(4, 3, 9), 1), (r.ints(4, 9, 3), 0, True), (r.ints(2, 9),), (r.ints(9, 2, 15, 3), 1)])
def mode(x, dim=-1, keepdim=False):
    def last_most_frequent(line):
        values, counts = np.unique(line, return_counts=True)
        return np.flatnonzero(line == values[np.argmax(counts)])[-1]

    return chosen(x, np.apply_along_axis(last_most_frequent, dim, x), dim, keepdim)


QUANTILES = lambda r: [
    (r.distinct(3, 7), 0.3),
    (r.distinct(3, 7), 0.3, 1),
    (r.distinct(3, 7), np.array([0.1, 0.26, 0.9]), 0),
    (r.distinct(3, 7), np.array([0.27, 0.91]), 1, True),
    (r.distinct(3, 7), np.array([0.27, 0.91]), None, True),
    (r.distinct(3, 7), 0.37, 1, True),
    *[
        (r.distinct(11), np.array([0.13, 0.58]), 0, False, {"interpolation": how})
        for how in ("lower", "higher", "midpoint", "nearest")
    ],
]


@op("quantile", QUANTILES, only=("float64", "float32"), rtol=10)
def quantile(x, q, dim=None, keepdim=False, interpolation="linear"):
    return np.quantile(x, q, dim, method=interpolation, keepdims=keepdim)


@op("nanquantile", QUANTILES, only=("float64", "float32"), rtol=10)
def nanquantile(x, q, dim=None, keepdim=False, interpolation="linear"):
    return np.quantile(x, q, dim, method=interpolation, keepdims=keepdim)


def several(out):
    return list(out) if isinstance(out, (tuple, list)) else out


@op(
    "unique",
    lambda r: [
        (r.ints(5, 9),),
        (r.ints(5, 3, 9), True, True, True),
        (r.ints(5, 9), True, False, True),
        (r.ints(2, 9, 2), True, True, True, 0),
        (r.ints(2, 2, 9), True, True, False, 1),
        (r.ints(5, 0), True, True, True),
        (r.bools(7),),
        (np.round(r(40)), True, True, True),
    ],
    grad=False,
)
def unique(x, sorted=True, return_inverse=False, return_counts=False, dim=None):
    out = several(np.unique(x, False, return_inverse, return_counts, dim))
    if return_inverse:
        out[1] = out[1].reshape(x.shape if dim is None else -1)
    return out


@op(
    "unique_consecutive",
    lambda r: [
        (r.ints(2, 9),),
        (r.ints(2, 3, 9), True, True),
        (r.ints(2, 9), {"return_counts": True}),
        (r.ints(2, 9, 1), True, True, 0),
        (r.ints(2, 0), True, True),
    ],
    grad=False,
)
def unique_consecutive(x, return_inverse=False, return_counts=False, dim=None):
    rows = x.reshape(-1, 1) if dim is None else np.moveaxis(x, dim, 0).reshape(x.shape[dim], -1)
    fresh = np.ones(len(rows), bool)
    fresh[1:] = (rows[1:] != rows[:-1]).any(1)
    out = [x.ravel()[fresh] if dim is None else np.compress(fresh, x, dim)]
    if return_inverse:
        out.append((np.cumsum(fresh) - 1).reshape(x.shape if dim is None else -1))
    if return_counts:
        out.append(np.diff(np.append(np.flatnonzero(fresh), len(rows))))
    return out if len(out) > 1 else out[0]


def _searches(r):
    line = np.sort(np.round(r(9) * 4) / 4)
    rows = np.sort(np.round(r(2, 9) * 4) / 4)
    found = np.round(r(2, 5) * 4) / 4
    return [
        (line, found),
        (line, found, {"out_int32": True, "right": True}),
        (line, found, {"side": "right"}),
        (rows, found),
        (line, 0.25),
        (np.sort(r.ints(9, 20)), r.ints(9, 3, 3)),
    ]


@op("searchsorted", _searches, grad=False)
def searchsorted(line, values, out_int32=False, right=False, side=None):
    side = "right" if right or side == "right" else "left"
    if line.ndim == 1:
        return np.searchsorted(line, values, side)
    return np.stack([np.searchsorted(a, v, side) for a, v in zip(line, values, strict=True)])


@op(
    "bucketize",
    lambda r: [(r(3), np.sort(r(9))), (r(2, 3), np.sort(r(4)), {"out_int32": True, "right": True})],
    grad=False,
)
def bucketize(values, line, out_int32=False, right=False):
    return np.searchsorted(line, values, "right" if right else "left")
