"""NumPy twins of creation, copies and views."""

import numpy as np

from . import ELSEWHERE, op

for _name in ("empty", "empty_like", "copy_", "fill_", "zero_", "as_strided"):
    ELSEWHERE[_name] = "test_tensor.py"


@op("zeros", lambda r: [((2, 3),), ((),), ((0, 2),)], grad=False, only=("float32",))
def zeros(size):
    return np.zeros(size)


@op("ones", lambda r: [((2, 3),), ((),)], grad=False, only=("float32",))
def ones(size):
    return np.ones(size)


@op("full", lambda r: [((2, 3), 2.5), ((), 1.0)], grad=False, only=("float32",))
def full(size, value):
    return np.full(size, value)


@op("zeros_like", lambda r: [(r(2, 3),)], grad=False)
def zeros_like(x):
    return np.zeros_like(x)


@op("ones_like", lambda r: [(r(2, 3),)], grad=False)
def ones_like(x):
    return np.ones_like(x)


@op("full_like", lambda r: [(r(2, 3), 2.0)], grad=False)
def full_like(x, value):
    return np.full_like(x, value)


@op("arange", lambda r: [(5,), (2, 9, 3), (5, -2, -1), (0.0, 1.0, 0.3)], grad=False, only=("float32",))
def arange(*args):
    return np.arange(*args)


@op("linspace", lambda r: [(0.0, 1.0, 5), (3.0, -1.0, 1), (0.0, 1.0, 0)], grad=False, only=("float32",))
def linspace(start, end, steps):
    return np.linspace(start, end, steps)


@op("eye", lambda r: [(3,), (2, 4)], grad=False, only=("float32",))
def eye(n, m=None):
    return np.eye(n, m)


@op("clone", lambda r: [(r(2, 3),)])
def clone(x):
    return x.copy()


@op("contiguous", lambda r: [(r(2, 3),)], method=True)
def contiguous(x):
    return np.ascontiguousarray(x)


@op("reshape", lambda r: [(r(2, 6), (3, 4)), (r(2, 6), (-1, 3)), (r(0, 3), (3, 0)), (r(1), ())])
def reshape(x, shape):
    return x.reshape(shape)


for _name in ("resize_", "resize_as_"):
    ELSEWHERE[_name] = "test_call_forms.py"


@op("sum_to_size", lambda r: [(r(2, 3, 4), (3, 1)), (r(2, 3), (2, 3)), (r(2, 3), (1,))], method=True, torch="")
def sum_to_size(x, size):
    while x.ndim > len(size):
        x = x.sum(0)
    for d, n in enumerate(size):
        x = x.sum(d, keepdims=True) if n == 1 else x
    return x


@op("view", lambda r: [(r(2, 6), (3, -1))], method=True)
def view(x, shape):
    return x.reshape(shape)


@op("flatten", lambda r: [(r(2, 3, 4),), (r(2, 3, 4), 1), (r(2, 3, 4), 0, 1)])
def flatten(x, start=0, end=-1):
    end = end % x.ndim
    return x.reshape(x.shape[:start] + (-1,) + x.shape[end + 1 :])


@op("permute", lambda r: [(r(2, 3, 4), (2, 0, 1))])
def permute(x, dims):
    return x.transpose(dims)


@op("transpose", lambda r: [(r(2, 3, 4), 0, 2), (r(2, 3), -1, 0)])
def transpose(x, a, b):
    return np.swapaxes(x, a, b)


@op("t", lambda r: [(r(2, 3),), (r(3),)])
def t(x):
    return x.T


@op("squeeze", lambda r: [(r(1, 3, 1),), (r(1, 3, 1), 0), (r(1, 3, 1), (0, 2))])
def squeeze(x, dim=None):
    return np.squeeze(x, dim)


@op("unsqueeze", lambda r: [(r(2, 3), 0), (r(2, 3), -1)])
def unsqueeze(x, dim):
    return np.expand_dims(x, dim)


@op("expand", lambda r: [(r(1, 3), (2, 3)), (r(3), (2, -1))], method=True)
def expand(x, size):
    size = tuple(x.shape[i - len(size)] if d == -1 else d for i, d in enumerate(size))
    return np.broadcast_to(x, size)


@op("narrow", lambda r: [(r(4, 3), 0, 1, 2)])
def narrow(x, dim, start, length):
    return np.take(x, range(start, start + length), dim)


@op("select", lambda r: [(r(4, 3), 0, 1), (r(4, 3), 1, -1)])
def select(x, dim, index):
    return np.take(x, index, dim)
