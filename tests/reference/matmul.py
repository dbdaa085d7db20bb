"""NumPy twins of matrix products. Sizes around the register tile (14 x 32) and the chunk of k (256) are among the samples."""

import numpy as np

from . import op


def products(r):
    shapes = [
        ((3, 4), (4, 5)),
        ((2, 3, 4), (4, 5)),
        ((2, 3, 4), (2, 4, 5)),
        ((3, 4), (2, 4, 5)),
        ((2, 1, 3, 4), (3, 4, 2)),
    ]
    shapes += [((4,), (4,)), ((4,), (4, 5)), ((3, 4), (4,)), ((4,), (2, 4, 5)), ((2, 3, 4), (4,))]
    shapes += [((0, 4), (4, 5)), ((3, 0), (0, 5)), ((15, 20), (20, 33)), ((2, 300), (300, 3)), ((1, 300), (300, 17))]
    return [(r(*a), r(*b)) for a, b in shapes]


@op("matmul", products)
def matmul(a, b):
    return np.matmul(a, b)


@op("mm", lambda r: [(r(3, 4), r(4, 5)), (r(0, 4), r(4, 5)), (r(17, 7), r(7, 1))], batch=True)
def mm(a, b):
    return a @ b


@op("bmm", lambda r: [(r(2, 3, 4), r(2, 4, 5)), (r(0, 3, 4), r(0, 4, 5)), (r(3, 16, 2), r(3, 2, 1))])
def bmm(a, b):
    return a @ b


@op("mv", lambda r: [(r(3, 4), r(4)), (r(20, 9), r(9)), (r(3, 0), r(0))], batch=True)
def mv(a, x):
    return a @ x


@op("dot", lambda r: [(r(4), r(4)), (r(0), r(0)), (r(600), r(600))], rtol=10)
def dot(a, b):
    return np.dot(a, b)


def added(r, *batch):
    out = []
    for d in [(*batch, 3, 5), (5,), (3, 1), ()]:
        for scale in [{}, {"beta": 0.5, "alpha": 2}, {"beta": 0}]:
            out.append(
                (r(*d), r(*batch, 3, 4), r(*batch, 4, 5), scale) if scale else (r(*d), r(*batch, 3, 4), r(*batch, 4, 5))
            )
    return out


@op("addmm", lambda r: added(r))
def addmm(x, a, b, beta=1, alpha=1):
    return beta * x + alpha * (a @ b)


@op("baddbmm", lambda r: added(r, 2))
def baddbmm(x, a, b, beta=1, alpha=1):
    return beta * x + alpha * (a @ b)


def layers(r):
    out = [(r(*x, 4), r(5, 4), r(5)) for x in [(3,), (), (2, 3), (2, 1, 3), (0,)]]
    return out + [
        (r(3, 4), r(5, 4)),
        (r(4), r(5, 4)),
        (r(3, 4), r(4)),
        (r(33, 20), r(15, 20), r(15)),
        (r(3, 0), r(5, 0), r(5)),
    ]


@op("linear", layers)
def linear(x, w, bias=None):
    y = x @ w.T
    return y if bias is None else y + bias
