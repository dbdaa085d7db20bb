"""NumPy twins of views and copies made of other views: turning, stacking, splitting, diagonals, grids, repeats."""

import numpy as np

from . import ELSEWHERE, op

for _name in ("squeeze_", "unsqueeze_", "transpose_", "t_", "tril_", "triu_"):
    ELSEWHERE[_name] = "test_scan_sort.py"


@op("unflatten", lambda r: [(r(2, 6), 1, (2, 3)), (r(6, 2), 0, (-1, 3)), (r(2, 6), -1, (1, 6, 1))])
def unflatten(x, dim, sizes):
    dim %= x.ndim
    return x.reshape(x.shape[:dim] + tuple(sizes) + x.shape[dim + 1 :])


@op("ravel", lambda r: [(r(2, 3),), (r(),), (r(0, 2),)])
def ravel(x):
    return x.ravel()


@op("adjoint", lambda r: [(r(2, 3),), (r(2, 3, 4),)])
def adjoint(x):
    return np.swapaxes(x, -1, -2)


@op(
    "unfold",
    lambda r: [(r(7), 0, 3, 2), (r(2, 6), 1, 2, 1), (r(6, 2), 0, 6, 1), (r(5, 2), 0, 2, 4)],
    method=True,
    torch="Tensor.unfold",
)
def unfold(x, dimension, size, step):
    view = np.lib.stride_tricks.sliding_window_view(x, size, dimension)
    return view[(slice(None),) * dimension + (slice(None, None, step),)]


@op("narrow_copy", lambda r: [(r(4, 3), 0, 1, 2)])
def narrow_copy(x, dim, start, length):
    return np.take(x, range(start, start + length), dim)


@op("rot90", lambda r: [(r(2, 3),), (r(2, 3), 2), (r(2, 3), -1), (r(2, 3, 4), 1, (1, 2)), (r(2, 3), 4)])
def rot90(x, k=1, dims=(0, 1)):
    return np.rot90(x, k, dims)


@op("fliplr", lambda r: [(r(2, 3),)])
def fliplr(x):
    return np.fliplr(x)


@op("flipud", lambda r: [(r(2, 3),), (r(3),)])
def flipud(x):
    return np.flipud(x)


@op("diag", lambda r: [(r(3),), (r(3), -1), (r(3, 4),), (r(3, 4), 1), (r(3, 4), 9)])
def diag(x, diagonal=0):
    return np.diag(x, diagonal)


@op("diag_embed", lambda r: [(r(3),), (r(2, 3), 1), (r(2, 3), -2, 0, 2), (r(2, 3), 0, 2, 0)])
def diag_embed(x, offset=0, dim1=-2, dim2=-1):
    n = x.shape[-1] + abs(offset)
    out = np.zeros((*x.shape[:-1], n, n))
    i = np.arange(x.shape[-1])
    out[..., i + max(-offset, 0), i + max(offset, 0)] = x
    return np.moveaxis(out, (-2, -1), (dim1, dim2))


@op("diagflat", lambda r: [(r(2, 2),), (r(3), 1)])
def diagflat(x, offset=0):
    return np.diagflat(x, offset)


@op("diagonal_scatter", lambda r: [(r(3, 3), r(3)), (r(3, 4), r(3), 1), (r(2, 3, 4), r(3, 2), 0, 0, 2)])
def diagonal_scatter(x, src, offset=0, dim1=0, dim2=1):
    y = x.copy()
    view = np.einsum("ii->i", y) if x.ndim == 2 and x.shape[0] == x.shape[1] and offset == 0 else None
    if view is not None:
        view[...] = src
        return y
    moved = np.moveaxis(y, (dim1, dim2), (-2, -1))
    i = np.arange(src.shape[-1])
    moved[..., i + max(-offset, 0), i + max(offset, 0)] = src
    return y


@op("select_scatter", lambda r: [(r(3, 4), r(4), 0, 1), (r(3, 4), r(3), -1, -1)])
def select_scatter(x, src, dim, index):
    y = np.moveaxis(x.copy(), dim, 0)
    y[index] = src
    return np.moveaxis(y, 0, dim)


@op("slice_scatter", lambda r: [(r(5, 4), r(2, 4), 0, 1, 3), (r(5, 4), r(5, 2), 1, None, None, 2), (r(3), r(3))])
def slice_scatter(x, src, dim=0, start=None, end=None, step=1):
    y = np.moveaxis(x.copy(), dim, 0)
    y[slice(start, end, step)] = np.moveaxis(src, dim, 0)
    return np.moveaxis(y, 0, dim)


@op("broadcast_tensors", lambda r: [([r(3, 1), r(4)],), ([r(2), r(), r(1, 1)],)], torch="")
def broadcast_tensors(tensors):
    return list(np.broadcast_arrays(*tensors))


@op("atleast_1d", lambda r: [(r(),), (r(2, 3),), ([r(), r(2)],)])
def atleast_1d(x):
    return [np.atleast_1d(a) for a in x] if isinstance(x, list) else np.atleast_1d(x)


@op("atleast_2d", lambda r: [(r(),), (r(3),), (r(2, 3),), ([r(), r(2)],)])
def atleast_2d(x):
    return [np.atleast_2d(a) for a in x] if isinstance(x, list) else np.atleast_2d(x)


@op("atleast_3d", lambda r: [(r(),), (r(3),), (r(2, 3),), (r(1, 2, 3),), ([r(), r(2)],)])
def atleast_3d(x):
    return [np.atleast_3d(a) for a in x] if isinstance(x, list) else np.atleast_3d(x)


@op("dstack", lambda r: [([r(2), r(2)],), ([r(2, 3), r(2, 3)],), ([r(2, 3, 1), r(2, 3, 4)],)])
def dstack(tensors):
    return np.dstack(tensors)


@op("column_stack", lambda r: [([r(2), r(2, 3)],), ([r(), r()],)])
def column_stack(tensors):
    return np.column_stack(tensors)


@op("meshgrid", lambda r: [([r(2), r(3)],), ([r(2), r(3), r(4)], "xy"), ([r(2), r()], "ij"), ([r(3)],)], torch="")
def meshgrid(tensors, indexing="ij"):
    return np.meshgrid(*tensors, indexing=indexing)


@op("tensor_split", lambda r: [(r(7, 2), 3), (r(2, 7), 3, 1), (r(7, 2), (1, 5)), (r(2, 3), (2, 9), -1), (r(3), (-2,))])
def tensor_split(x, sections, dim=0):
    return np.array_split(x, sections, dim)


@op("hsplit", lambda r: [(r(2, 6), 3), (r(6), 2), (r(2, 6), (1, 4))])
def hsplit(x, sections):
    return np.hsplit(x, sections)


@op("vsplit", lambda r: [(r(6, 2), 3), (r(6, 2), (1, 4))])
def vsplit(x, sections):
    return np.vsplit(x, sections)


@op("dsplit", lambda r: [(r(2, 2, 6), 3), (r(2, 2, 6), (1, 4))])
def dsplit(x, sections):
    return np.dsplit(x, sections)


@op(
    "repeat_interleave",
    lambda r: [
        (r(2, 3), 2),
        (r(2, 3), 2, 0),
        (r(2, 3), 3, -1),
        (r(2, 3), r.ints(4, 3), 1),
        (r(3), np.array([2, 0, 1]), 0, {"output_size": 3}),
        (r(2, 3), np.array([2]), 1),
        (r(2, 3), 1, 0),
    ],
)
def repeat_interleave(x, repeats, dim=None, output_size=None):
    return np.repeat(x, repeats, dim)


@op("tril_indices", lambda r: [(3, 4), (4, 3, 1), (3, 3, -1), (0, 3), (2, 2, 9)], grad=False, only=("float32",))
def tril_indices(row, col, offset=0):
    return np.stack(np.tril_indices(row, offset, col))


@op("triu_indices", lambda r: [(3, 4), (4, 3, 1), (3, 3, -1), (0, 3), (2, 2, -9)], grad=False, only=("float32",))
def triu_indices(row, col, offset=0):
    return np.stack(np.triu_indices(row, offset, col))


@op("logspace", lambda r: [(0.0, 1.0, 5), (-1.0, 2.0, 4, 2.0), (0.0, 1.0, 0)], grad=False, only=("float32",), torch="")
def logspace(start, end, steps, base=10.0):
    return np.logspace(start, end, steps, base=base)


@op("vander", lambda r: [(r(3),), (r(3), 4), (r(3), 2, True), (r(3), 1), (r.ints(4, 3),), (r(3), 0)], torch="")
def vander(x, n=None, increasing=False):
    return np.vander(x, n, increasing)
