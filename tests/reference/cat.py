"""NumPy twins of joining, cutting and rearranging."""

import numpy as np

from . import op


@op(
    "cat",
    lambda r: [
        ([r(2, 3), r(4, 3)],),
        ([r(2, 3), r(2, 1), r(2, 0)], 1),
        ([r(2, 3), r(2, 3)], -1),
        ([r(3)],),
        ([r(2, 3, 4, 5), r(2, 2, 4, 5)], 1),
    ],
)
def cat(tensors, dim=0):
    return np.concatenate(tensors, dim)


@op("stack", lambda r: [([r(2, 3), r(2, 3)],), ([r(2, 3), r(2, 3)], -1), ([r(), r()],), ([r(2, 0), r(2, 0)], 1)])
def stack(tensors, dim=0):
    return np.stack(tensors, dim)


@op("hstack", lambda r: [([r(2), r(3)],), ([r(2, 1), r(2, 3)],), ([r(), r()],)])
def hstack(tensors):
    return np.hstack(tensors)


@op("vstack", lambda r: [([r(2), r(2)],), ([r(2, 3), r(4, 3)],), ([r(), r()],)])
def vstack(tensors):
    return np.vstack(tensors)


@op("split", lambda r: [(r(7, 2), 3), (r(2, 6), 2, 1), (r(6, 2), [1, 0, 5]), (r(2, 3), [3], -1), (r(0, 2), 2)])
def split(x, size, dim=0):
    n = x.shape[dim]
    if isinstance(size, int):
        size = [min(size, n - i) for i in range(0, n, size)] or [0]
    return np.split(x, np.cumsum(size)[:-1], dim)


@op("split_with_sizes", lambda r: [(r(6, 2), [1, 0, 5]), (r(2, 3), [1, 2], -1)])
def split_with_sizes(x, sizes, dim=0):
    return np.split(x, np.cumsum(sizes)[:-1], dim)


@op("chunk", lambda r: [(r(7, 2), 3), (r(2, 6), 4, 1), (r(2, 2), 5), (r(0, 2), 2)])
def chunk(x, chunks, dim=0):
    n = x.shape[dim]
    if n == 0:
        return [x] * chunks
    return split(x, -(-n // chunks), dim)


@op("unbind", lambda r: [(r(3, 2),), (r(3, 2), 1), (r(2, 0), -1)])
def unbind(x, dim=0):
    return list(np.moveaxis(x, dim, 0))


@op(
    "repeat",
    lambda r: [
        (r(2, 3), (2, 2)),
        (r(3), (2, 1, 3)),
        (r(1, 3), (4, 1)),
        (r(), (3,)),
        (r(2, 3), (0, 1)),
        (r(2, 3), (1, 1)),
    ],
    method=True,
)
def repeat(x, repeats):
    return np.tile(x, repeats)


@op("tile", lambda r: [(r(2, 3), (2,)), (r(3), (2, 2)), (r(2, 3), (2, 1))])
def tile(x, dims):
    return np.tile(x, dims)


@op("broadcast_to", lambda r: [(r(3, 1), (2, 3, 4)), (r(), (2,))])
def broadcast_to(x, size):
    return np.broadcast_to(x, size)


@op("flip", lambda r: [(r(2, 3), (0,)), (r(2, 3, 4), (0, -1)), (r(0, 3), (0,)), (r(5, 37), (1,))])
def flip(x, dims):
    return np.flip(x, dims)


@op("roll", lambda r: [(r(5), 2), (r(2, 3), 4), (r(2, 3), -1, 1), (r(3, 4), (1, 7), (0, 1)), (r(0, 3), 1, 0)])
def roll(x, shifts, dims=None):
    return np.roll(x, shifts, dims)


@op("movedim", lambda r: [(r(2, 3, 4), 0, -1), (r(2, 3, 4), (0, 1), (2, 0)), (r(2, 3, 4), (), ())])
def movedim(x, source, destination):
    return np.moveaxis(x, source, destination)


@op(
    "diagonal",
    lambda r: [(r(3, 4),), (r(3, 4), 1), (r(3, 4), -2), (r(3, 4), 9), (r(2, 3, 4), 1, 0, 2), (r(2, 3, 4), 0, -1, 1)],
)
def diagonal(x, offset=0, dim1=0, dim2=1):
    return np.diagonal(x, offset, dim1, dim2)


@op("tril", lambda r: [(r(3, 4),), (r(4, 3), 1), (r(2, 3, 3), -1), (r(3, 3), 9), (r(3, 3), -9), (r(0, 3),)])
def tril(x, diagonal=0):
    return np.tril(x, diagonal)


@op("triu", lambda r: [(r(3, 4),), (r(4, 3), 1), (r(2, 3, 3), -1), (r(3, 3), 9), (r(3, 3), -9), (r(0, 3),)])
def triu(x, diagonal=0):
    return np.triu(x, diagonal)


def _padded(r):
    constant = [
        (r(2, 3), (1, 2)),
        (r(2, 3), (1, 0, 0, 2), "constant", 1.5),
        (r(3, 4), (-1, 2)),
        (r(3, 4), (-1, -1, 1, -2)),
        (r(0, 2), (1, 1)),
    ]
    other = [(r(2, 3, 5), (2, 1), m) for m in ("reflect", "replicate", "circular")]
    other += [(r(1, 2, 4, 3), (1, 2, 3, 0), m) for m in ("reflect", "replicate", "circular")]
    return constant + other + [(r(2, 5), (-1, 2), "replicate"), (r(2, 2, 3, 3, 3), (1, 1, 2, 0, 1, 2), "reflect")]


@op("pad", _padded)
def pad(x, widths, mode="constant", value=None):
    for i in range(0, len(widths), 2):
        axis, (before, after) = x.ndim - 1 - i // 2, widths[i : i + 2]
        grow = [(0, 0)] * x.ndim
        grow[axis] = (max(before, 0), max(after, 0))
        name = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
        x = np.pad(x, grow, name, **({"constant_values": value or 0.0} if mode == "constant" else {}))
        x = x.take(range(max(-before, 0), x.shape[axis] - max(-after, 0)), axis)
    return x
