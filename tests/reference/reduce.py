"""NumPy twins of reductions."""

import numpy as np

from . import op

DIMS = lambda r: [(r(3, 4),), (r(3, 4), 1), (r(2, 3, 4), (0, 2), True), (r(5, 37), -1), (r(),)]


@op("sum", lambda r: [*DIMS(r), (r(0, 3), 0), (r.ints(9, 3, 4), 0)])
def sum(x, dim=None, keepdim=False):
    return np.sum(x, dim, keepdims=keepdim)


@op("mean", DIMS)
def mean(x, dim=None, keepdim=False):
    return np.mean(x, dim, keepdims=keepdim)


def with_zero(x):
    x = x.copy()
    x.flat[1] = 0
    return x


@op(
    "prod",
    lambda r: [
        (r(3, 4),),
        (r(3, 4), 1),
        (r(2, 3, 4), 0, True),
        (with_zero(r(3, 4)), 1),
        (with_zero(r(4)),),
        (r.ints(4, 3, 4), 0),
    ],
)
def prod(x, dim=None, keepdim=False):
    return np.prod(x, dim, keepdims=keepdim)


VARS = lambda r: [
    (r(3, 4),),
    (r(3, 4), 1),
    (r(2, 3, 4), (0, 2), False),
    (r(5, 37), -1, {"keepdim": True}),
    (r(5, 37), 0, {"correction": 2}),
    (r(3, 4) + 1000, 1),
]


def correction_of(unbiased, correction):
    return (1 if unbiased in (None, True) else 0) if correction is None else correction


@op("var", VARS)
def var(x, dim=None, unbiased=None, keepdim=False, correction=None):
    return np.var(x, dim, keepdims=keepdim, ddof=correction_of(unbiased, correction))


@op("std", VARS)
def std(x, dim=None, unbiased=None, keepdim=False, correction=None):
    return np.std(x, dim, keepdims=keepdim, ddof=correction_of(unbiased, correction))


@op("var_mean", VARS)
def var_mean(x, dim=None, unbiased=None, keepdim=False, correction=None):
    return var(x, dim, unbiased, keepdim, correction), np.mean(x, dim, keepdims=keepdim)


def _truths(r):
    """Numbers whose truth is lost when they are cut to a byte or combined bit by bit."""
    wide = np.array([[1, 2, 4], [256, 1 << 32, -1 << 40], [0, 0, 1 << 32], [0, 0, 0]])
    return [(wide, 1), (wide,), (np.array([[0.5, np.nan], [1e-30, 0.0], [-0.0, 0.0]]), 1), (np.array([1, 2]),)]


@op("any", lambda r: _truths(r) + [(r.bools(3, 4),), (r.bools(3, 4), 1), (r(3, 4), 0, True), (r(0, 3), 0)], grad=False)
def any(x, dim=None, keepdim=False):
    return np.any(x, dim, keepdims=keepdim)


@op("all", lambda r: _truths(r) + [(r.bools(3, 4),), (r.bools(3, 4), 1), (r(3, 4), 0, True), (r(0, 3), 0)], grad=False)
def all(x, dim=None, keepdim=False):
    return np.all(x, dim, keepdims=keepdim)


EXTREMA = lambda r: [
    (r.distinct(3, 4),),
    (r.distinct(3, 4), 1),
    (r.distinct(2, 3, 4), (0, 2), True),
    (r.distinct(5, 37), -1),
]


@op("amax", EXTREMA)
def amax(x, dim=None, keepdim=False):
    return np.max(x, dim, keepdims=keepdim)


@op("amin", EXTREMA)
def amin(x, dim=None, keepdim=False):
    return np.min(x, dim, keepdims=keepdim)


PLACES = lambda r: [
    (r.distinct(3, 4), 1),
    (r.distinct(2, 3, 4), 0, True),
    (r.distinct(5, 70), -1),
    (r.distinct(2, 20, 3), 1),
]


def found(place, x, dim, keepdim):
    index = np.expand_dims(place(x, dim), dim)
    values = np.take_along_axis(x, index, dim)
    return (values, index) if keepdim else (values.squeeze(dim), index.squeeze(dim))


@op(
    "max",
    lambda r: [
        (r.distinct(3, 4),),
        (r.distinct(7),),
        (r.ints(50, 3, 4),),
        *PLACES(r),
        (r.distinct(3, 4), r.distinct(3, 4) + 0.01),
    ],
)
def max(x, dim=None, keepdim=False):
    if isinstance(dim, np.ndarray):
        return np.maximum(x, dim)
    return np.max(x) if dim is None else found(np.argmax, x, dim, keepdim)


@op(
    "min",
    lambda r: [
        (r.distinct(3, 4),),
        (r.distinct(7),),
        (r.ints(50, 3, 4),),
        *PLACES(r),
        (r.distinct(3, 4), r.distinct(3, 4) + 0.01),
    ],
)
def min(x, dim=None, keepdim=False):
    if isinstance(dim, np.ndarray):
        return np.minimum(x, dim)
    return np.min(x) if dim is None else found(np.argmin, x, dim, keepdim)


@op("argmax", lambda r: [(r.distinct(3, 4),), *PLACES(r), (r.ints(3, 4, 50), 1)], grad=False)
def argmax(x, dim=None, keepdim=False):
    return np.argmax(x, dim, keepdims=keepdim)


@op("argmin", lambda r: [(r.distinct(3, 4),), *PLACES(r), (r.ints(3, 4, 50), 1)], grad=False)
def argmin(x, dim=None, keepdim=False):
    return np.argmin(x, dim, keepdims=keepdim)


@op("logsumexp", lambda r: [(r(3, 4), 1), (r(2, 3, 4), (0, 2), True), (r(5, 37) * 20, -1), (r(3, 4) + 1000, (0, 1))])
def logsumexp(x, dim, keepdim=False):
    top = np.max(x, dim, keepdims=True)
    out = np.log(np.sum(np.exp(x - top), dim, keepdims=True)) + top
    return out if keepdim else np.squeeze(out, dim)


@op(
    "norm",
    lambda r: [
        (r(3, 4),),
        (r(3, 4), 2, 1),
        (r(3, 4), 1, 0, True),
        (r(3, 4), float("inf"), 1),
        (r(3, 4), -float("inf"), 1),
        (r(3, 4), 3.5, (0, 1)),
        (r(3, 4), 0, 1),
        (r(5, 37), "fro"),
        (np.abs(r(5, 7)) + 0.5, -1.5, 1),
    ],
)
def norm(x, p=2, dim=None, keepdim=False):
    a = np.abs(x)
    if p == "fro":
        p = 2
    if p == float("inf"):
        return np.max(a, dim, keepdims=keepdim)
    if p == -float("inf"):
        return np.min(a, dim, keepdims=keepdim)
    if p == 0:
        return np.sum(a != 0, dim, keepdims=keepdim).astype(float)
    return np.sum(a**p, dim, keepdims=keepdim) ** (1 / p)
