"""NumPy twins of indexing by tensors. In-place forms are tested in test_inplace.py."""

import numpy as np

from . import ELSEWHERE, op

for _name in (
    "index_put_",
    "index_add_",
    "index_copy_",
    "index_fill_",
    "scatter_",
    "scatter_add_",
    "masked_fill_",
    "clamp_",
    "div_",
):
    ELSEWHERE[_name] = "test_inplace.py"


def written(x, places, values, accumulate=False):
    y = np.array(x)
    if accumulate:
        np.add.at(y, places, values)
    else:
        y[places] = values
    return y


def along(x, dim, index):
    """The index tuple of gather and scatter: the position itself in every dim but dim."""
    grid = list(np.meshgrid(*[np.arange(n) for n in index.shape], indexing="ij")) if index.ndim else []
    if grid:
        grid[dim] = index
    return tuple(grid)


def lines(axis, dim, index):
    return (slice(None),) * (dim % axis) + (index,)


@op(
    "index_select",
    lambda r: [
        (r(5, 3), 0, r.ints(5, 4)),
        (r(2, 3, 4), -1, r.ints(4, 7)),
        (r(3, 40), 0, r.ints(3, 2)),
        (r(3), 0, r.ints(3, 0)),
    ],
)
def index_select(x, dim, index):
    return np.take(x, index, dim)


def _puts(r):
    return [
        (r(5, 3), [r.ints(5, 4)], r(4, 3), True),
        (r(5, 3), [np.array([0, 3, 1]), np.array([2, -1, 0])], r(3)),
        (r(4, 5), [r.ints(4, 2, 3), r.ints(5, 3)], r(2, 3), True),
        (r(2, 3), [r.bools(2, 3)], r(1)),
        (r(3, 60), [r.ints(3, 5)], r(60), True),
    ]


@op("index_put", _puts)
def index_put(x, indices, values, accumulate=False):
    return written(x, tuple(indices), values, accumulate)


@op("index_add", lambda r: [(r(5, 3), 0, r.ints(5, 4), r(4, 3)), (r(2, 4), 1, r.ints(4, 9), r(2, 9), {"alpha": -2.0})])
def index_add(x, dim, index, source, alpha=1.0):
    return written(x, lines(x.ndim, dim, index), alpha * source, True)


@op("index_copy", lambda r: [(r(5, 3), 0, np.array([4, 0]), r(2, 3)), (r(2, 4), -1, np.array([1]), r(2, 1))])
def index_copy(x, dim, index, source):
    return written(x, lines(x.ndim, dim, index), source)


@op("index_fill", lambda r: [(r(5, 3), 0, np.array([4, 0]), 2.5), (r(2, 4), -1, np.array([1]), r())])
def index_fill(x, dim, index, value):
    return written(x, lines(x.ndim, dim, index), value)


@op(
    "gather",
    lambda r: [
        (r(3, 4), 0, r.ints(3, 2, 4)),
        (r(3, 4), 1, r.ints(4, 3, 7)),
        (r(3, 4), -1, r.ints(4, 2, 2)),
        (r(4), 0, r.ints(4, 9)),
        (r(3, 4), 0, r.ints(3, 0, 4)),
    ],
)
def gather(x, dim, index):
    return x[along(x, dim, index)]


@op(
    "take_along_dim",
    lambda r: [(r(3, 4), r.ints(4, 3, 2), 1), (r(3, 4), r.ints(3, 1, 4), 0), (r(3, 4), r.ints(12, 2, 2))],
)
def take_along_dim(x, indices, dim=None):
    return np.take_along_axis(x, indices, dim) if dim is not None else x.ravel()[indices.ravel()]


def _order(r, high, *shape):
    """Indices without repeats along dim 0."""
    return np.stack([r.rng.permutation(high)[: shape[0]] for _ in range(int(np.prod(shape[1:])))], -1).reshape(shape)


@op(
    "scatter",
    lambda r: [
        (r(5, 3), 0, _order(r, 5, 4, 3), r(4, 3)),
        (r(5, 3), 0, _order(r, 5, 2, 2), 1.5),
        (r(3, 5), -1, _order(r, 5, 4, 3).T.copy(), r(3, 4)),
    ],
)
def scatter(x, dim, index, src):
    return written(x, along(x, dim, index), src)


@op(
    "scatter_add",
    lambda r: [
        (r(5, 3), 0, r.ints(5, 4, 3), r(4, 3)),
        (r(2, 3), 1, r.ints(3, 2, 30), r(2, 30)),
        (r(4), 0, r.ints(4, 0), r(0)),
    ],
)
def scatter_add(x, dim, index, src):
    return written(x, along(x, dim, index), src, True)


@op(
    "masked_select",
    lambda r: [
        (r(3, 4), r.bools(3, 4)),
        (r(3, 4), r.bools(4)),
        (r(), np.array(True)),
        (r(2, 3), np.zeros((2, 3), bool)),
        (r(3, 1), r.bools(1, 4)),
    ],
)
def masked_select(x, mask):
    x, mask = np.broadcast_arrays(x, mask)
    return x[mask]


@op(
    "masked_fill",
    lambda r: [
        (r(3, 4), r.bools(3, 4), 2.5),
        (r(3, 4), r.bools(4), r()),
        (r(3, 1), r.bools(3, 4), -7.0),
        (r(), np.array(True), 1.0),
    ],
)
def masked_fill(x, mask, value):
    return np.where(mask, value, x)


@op("one_hot", lambda r: [(r.ints(5, 3, 2), 5), (r.ints(5, 4), 7), (np.array([3, 0]),), (np.array(2), 4)], grad=False)
def one_hot(x, num_classes=-1):
    n = x.max() + 1 if num_classes == -1 else num_classes
    return np.eye(n, dtype=np.int64)[x]


@op("equal", lambda r: [(r(2, 3), r(2, 3)), (np.ones((2, 3)), np.ones((2, 3))), (r(2), r(3))], grad=False, torch="")
def equal(a, b):
    return np.array_equal(a, b)


def _near(r):
    x = r(3, 4)
    special = np.array([np.nan, np.inf, -np.inf, np.inf, 1.0])
    return [
        (x, x + 1e-9 * r(3, 4)),
        (x, x + r(3, 4)),
        (special, special),
        (special, special, 1e-5, 1e-8, True),
        (x, x + 0.1, {"atol": 0.2}),
    ]


@op("isclose", _near, grad=False, only=("float64",))
def isclose(a, b, rtol=1e-5, atol=1e-8, equal_nan=False):
    return np.isclose(a, b, rtol, atol, equal_nan)


@op("allclose", _near, grad=False, only=("float64",), torch="")
def allclose(a, b, rtol=1e-5, atol=1e-8, equal_nan=False):
    return np.allclose(a, b, rtol, atol, equal_nan)
