"""NumPy twins of the further products, distances, vector norms and combinations."""

import itertools

import numpy as np

from . import ELSEWHERE, op

for _name in ("addmm_", "baddbmm_", "addmv_", "addr_", "addbmm_"):
    ELSEWHERE[_name] = "test_products.py"

EQUATIONS = [
    ("ij,jk->ik", (3, 4), (4, 5)),
    ("ij,jk", (3, 4), (4, 5)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
    ("ij->ji", (3, 4)),
    ("ij->", (3, 4)),
    ("ij->j", (3, 4)),
    ("ii->i", (4, 4)),
    ("ii", (4, 4)),
    ("iij->ji", (3, 3, 2)),
    ("...ij,...jk->...ik", (2, 3, 4), (4, 5)),
    ("...ij,...jk", (2, 1, 3, 4), (6, 4, 5)),
    ("i...j->j...", (2, 3, 4)),
    ("i,j->ij", (3,), (4,)),
    ("ij,ij->ij", (3, 4), (3, 4)),
    ("ij,ij->", (3, 4), (3, 4)),
    ("bij,bij->b", (2, 3, 4), (2, 3, 4)),
    ("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4)),
    ("bn,anm,bm->ba", (2, 3), (4, 3, 5), (2, 5)),
    ("ij,jk,kl,lm->im", (2, 3), (3, 4), (4, 5), (5, 2)),
    ("ab,cd->dbca", (2, 3), (4, 5)),
    ("ijk,il->jl", (2, 3, 4), (2, 5)),
    ("aB,Bc -> a c", (2, 3), (3, 4)),
    ("ij,jk->ik", (3, 0), (0, 5)),
    ("i,i->i", (300,), (300,)),
    (",ij->ij", (), (2, 3)),
]


@op("einsum", lambda r: [(e, *(r(*s) for s in shapes)) for e, *shapes in EQUATIONS], rtol=10)
def einsum(equation, *operands):
    return np.einsum(equation.replace(" ", ""), *operands)


@op("outer", lambda r: [(r(3), r(4)), (r(0), r(4)), (r(17), r(33))], batch=True)
def outer(a, b):
    return np.outer(a, b)


@op("inner", lambda r: [(r(3), r(3)), (r(2, 3), r(4, 3)), (r(2, 5, 3), r(3)), (r(), r(2, 3)), (r(0, 3), r(2, 3))])
def inner(a, b):
    return np.inner(a, b)


def contractions(r):
    return [
        (r(2, 3, 4), r(3, 4, 5)),
        (r(2, 3, 4), r(4, 5), 1),
        (r(2, 3), r(4), 0),
        (r(2, 3, 4), r(4, 3, 5), ([1, 2], [1, 0])),
        (r(2, 3), r(2, 3), {"dims": ([0, 1], [0, 1])}),
        (r(2, 3, 4), r(4, 2), ([-1, 0], [0, 1])),
    ]


@op("tensordot", contractions)
def tensordot(a, b, dims=2):
    return np.tensordot(a, b, dims)


@op("kron", lambda r: [(r(2, 3), r(4, 5)), (r(2), r(3, 2)), (r(2, 3, 1), r(2)), (r(), r(3)), (r(0, 2), r(2, 2))])
def kron(a, b):
    return np.kron(a, b)


def scaled(r, shapes, *operands):
    out = []
    for shape in shapes:
        for scale in ({}, {"beta": 0.5, "alpha": 2}, {"beta": 0}):
            args = (r(*shape), *(r(*s) for s in operands))
            out.append((*args, scale) if scale else args)
    return out


@op("addmv", lambda r: scaled(r, [(3,), (1,), ()], (3, 4), (4,)))
def addmv(x, a, v, beta=1, alpha=1):
    return beta * x + alpha * (a @ v)


@op("addr", lambda r: scaled(r, [(3, 4), (4,), ()], (3,), (4,)))
def addr(x, a, b, beta=1, alpha=1):
    return beta * x + alpha * np.outer(a, b)


@op("addbmm", lambda r: scaled(r, [(3, 5), (5,), ()], (2, 3, 4), (2, 4, 5)))
def addbmm(x, a, b, beta=1, alpha=1):
    return beta * x + alpha * (a @ b).sum(0)


@op("chain_matmul", lambda r: [(r(2, 3), r(3, 4), r(4, 5)), (r(2, 3), r(3, 4)), (r(5, 1), r(1, 6), r(6, 2), r(2, 7))])
def chain_matmul(*matrices):
    return np.linalg.multi_dot(matrices)


def chains(r):
    return [([r(2, 3), r(3, 4), r(4, 5)],), ([r(3), r(3, 4), r(4)],), ([r(3), r(3, 4)],), ([r(4, 3), r(3, 2), r(2)],)]


@op("linalg_multi_dot", chains, torch="linalg.multi_dot")
def multi_dot(tensors):
    return np.linalg.multi_dot(tensors)


@op("trace", lambda r: [(r(3, 3),), (r(2, 4),), (r(0, 3),)])
def trace(x):
    return np.trace(x)


@op(
    "linalg_vecdot",
    lambda r: [(r(4), r(4)), (r(2, 3), r(3)), (r(2, 3), r(2, 3)), (r(3, 2), r(3, 2), {"dim": 0}), (r(0), r(0))],
    torch="linalg.vecdot",
)
def vecdot(x, y, dim=-1):
    return (x * y).sum(dim)


@op(
    "linalg_cross",
    lambda r: [(r(4, 3), r(4, 3)), (r(2, 1, 3), r(1, 5, 3)), (r(3, 2), r(3, 2), {"dim": 0})],
    torch="linalg.cross",
)
def linalg_cross(x, y, dim=-1):
    return np.cross(x, y, axis=dim)


@op(
    "cross",
    lambda r: [(r(4, 3), r(4, 3)), (r(3, 3), r(3, 3)), (r(3, 3), r(3, 3), 1), (r(2, 3, 3), r(2, 3, 3), {"dim": -1})],
)
def cross(x, y, dim=None):
    return np.cross(x, y, axis=x.shape.index(3) if dim is None else dim)


def pairs(r):
    shapes = [((3, 4), (5, 4)), ((2, 3, 4), (5, 4)), ((2, 1, 3, 4), (3, 5, 4)), ((0, 4), (5, 4)), ((3, 0), (5, 0))]
    out = [(r(*a), r(*b)) for a, b in shapes]
    return out + [(r(3, 4), r(5, 4), p) for p in (1.0, float("inf"), 3.0, 0.5, 0.0, 1.5)]


@op("cdist", pairs, rtol=10)
def cdist(a, b, p=2.0):
    d = np.abs(a[..., :, None, :] - b[..., None, :, :])
    if d.shape[-1] == 0:
        return d.sum(-1)
    if p == 0:
        return (d != 0).sum(-1).astype(d.dtype)
    return d.max(-1) if p == float("inf") else (d**p).sum(-1) ** (1 / p)


def forms(r):
    out = [(r(*x, 3), r(*x, 4), r(5, 3, 4), r(5)) for x in [(6,), (), (2, 2), (0,)]]
    return out + [(r(6, 3), r(6, 4), r(5, 3, 4)), (r(2, 1), r(2, 1), r(1, 1, 1), r(1))]


@op("bilinear", forms)
def bilinear(a, b, w, bias=None):
    y = np.einsum("...i,oij,...j->...o", a, w, b)
    return y if bias is None else y + bias


def normed(r):
    out = [(r(3, 4),), (r(3, 4), 2, 1), (r(3, 4), 1.0, (0, 1)), (r(3, 4), float("inf"), 0, True), (r(5),)]
    return out + [(r(3, 4), p, -1) for p in (0.0, 0.5, 3.0, float("-inf"))]


@op("linalg_vector_norm", normed, torch="linalg.vector_norm", rtol=10)
def vector_norm(x, ord=2, dim=None, keepdim=False):
    a, axis = np.abs(x), dim
    if ord == float("inf"):
        return a.max(axis, keepdims=keepdim)
    if ord == float("-inf"):
        return a.min(axis, keepdims=keepdim)
    if ord == 0:
        return (a != 0).sum(axis, keepdims=keepdim).astype(x.dtype)
    return (a**ord).sum(axis, keepdims=keepdim) ** (1 / ord)


@op("block_diag", lambda r: [(r(2, 3), r(1, 2), r(3, 1)), (r(3), r(), r(2, 2)), (r(2, 0), r(1, 1)), (r(2, 2),)])
def block_diag(*tensors):
    blocks = [np.atleast_2d(t) for t in tensors]
    out = np.zeros((sum(b.shape[0] for b in blocks), sum(b.shape[1] for b in blocks)))
    i = j = 0
    for b in blocks:
        out[i : i + b.shape[0], j : j + b.shape[1]] = b
        i, j = i + b.shape[0], j + b.shape[1]
    return out


@op("cartesian_prod", lambda r: [(r(3), r(2)), (r(2), r(3), r(2)), (r(4),), (r(0), r(2))])
def cartesian_prod(*tensors):
    if len(tensors) == 1:
        return tensors[0]
    return np.array(list(itertools.product(*tensors)), dtype=np.float64).reshape(-1, len(tensors))


@op(
    "combinations",
    lambda r: [(r(4),), (r(5), 3), (r(3), 2, True), (r(3), {"r": 4}), (r(3), 4, True), (r(4), 4), (r(0), 2), (r(3), 1)],
)
def combinations(x, r=2, with_replacement=False):
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    return np.array(list(choose(x, r)), dtype=np.float64).reshape(-1, r)
