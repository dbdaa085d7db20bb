"""Pools of any rank: the definitions, window by window."""

from __future__ import annotations

import itertools

import numpy as np

from . import ELSEWHERE, op
from .conv_forms import each
from .pool import _size

for _rank in (1, 2, 3):
    ELSEWHERE[f"max_pool{_rank}d_with_indices"] = "test_integer_images.py"
    ELSEWHERE[f"adaptive_max_pool{_rank}d_with_indices"] = "test_integer_images.py"


def _axes(x, rank, kernel, stride, padding, dilation, ceil_mode):
    k, p, d = each(kernel, rank), each(padding, rank), each(dilation, rank)
    s = k if stride is None or stride == () else each(stride, rank)
    return [
        [
            [o * s[a] - p[a] + i * d[a] for i in range(k[a])]
            for o in range(_size(x.shape[2 + a], k[a], s[a], p[a], d[a], ceil_mode))
        ]
        for a in range(rank)
    ]


def _adaptive(x, rank, output_size):
    out = each(output_size, rank)
    return [
        [list(range(o * n // out[a], -(-(o + 1) * n // out[a]))) for o in range(out[a])]
        for a, n in enumerate(x.shape[2:])
    ]


def _over(x, axes, f):
    """f(window (N, C, places), flat places, lists of places with those outside) for every output."""
    shape = [len(a) for a in axes]
    result = None
    for at in itertools.product(*map(range, shape)):
        lists = [a[i] for a, i in zip(axes, at, strict=True)]
        inside = [[q for q in places if 0 <= q < n] for places, n in zip(lists, x.shape[2:], strict=True)]
        flat = np.array([np.ravel_multi_index(q, x.shape[2:]) for q in itertools.product(*inside)], np.int64)
        values = f(x.reshape(*x.shape[:2], -1)[:, :, flat], flat, lists)
        if result is None:
            result = [np.zeros((*x.shape[:2], *shape), v.dtype) for v in values]
        for r, v in zip(result, values, strict=True):
            r[(slice(None), slice(None), *at)] = v
    return result


def _maxima(x, rank, axes_of, return_indices):
    if x.ndim == rank + 1:
        found = _maxima(x[None], rank, axes_of, return_indices)
        return tuple(f[0] for f in found) if return_indices else found[0]
    values, indices = _over(x, axes_of(x), lambda w, flat, _: (w.max(-1), flat[w.argmax(-1)]))
    return (values, indices) if return_indices else values


def max_pool(rank, x, kernel, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    return _maxima(x, rank, lambda v: _axes(v, rank, kernel, stride, padding, dilation, ceil_mode), return_indices)


def adaptive_max_pool(rank, x, output_size, return_indices=False):
    return _maxima(x, rank, lambda v: _adaptive(v, rank, output_size), return_indices)


def avg_pool(rank, x, kernel, stride=None, padding=0, ceil_mode=False, include_pad=True, divisor=None):
    if x.ndim == rank + 1:
        return avg_pool(rank, x[None], kernel, stride, padding, ceil_mode, include_pad, divisor)[0]
    p = each(padding, rank)

    def mean(window, flat, lists):
        padded = [sum(q < n + pad for q in places) for places, n, pad in zip(lists, x.shape[2:], p, strict=True)]
        return (window.sum(-1) / (divisor or (np.prod(padded) if include_pad else len(flat))),)

    return _over(x, _axes(x, rank, kernel, stride, padding, 1, ceil_mode), mean)[0]


def adaptive_avg_pool(rank, x, output_size):
    if x.ndim == rank + 1:
        return adaptive_avg_pool(rank, x[None], output_size)[0]
    return _over(x, _adaptive(x, rank, output_size), lambda w, *_: (w.mean(-1),))[0]


@op(
    "max_pool1d",
    lambda r: [
        (r.distinct(2, 3, 8), 2),
        (r.distinct(3, 9), 3, 2, 1, 1, True),
        (r.distinct(2, 3, 9), 3, 1, 1, 2, False, True),
    ],
    batch=True,
    torch="nn.functional.max_pool1d",
)
def max_pool1d(*args, **kwargs):
    return max_pool(1, *args, **kwargs)


@op(
    "max_pool3d",
    lambda r: [
        (r.distinct(2, 3, 4, 4, 6), 2),
        (r.distinct(2, 5, 6, 5), (3, 2, 2), (2, 1, 2), (1, 0, 1), 1, True),
        (r.distinct(1, 2, 5, 5, 5), 2, 2, 1, 2, False, True),
    ],
    batch=True,
    torch="nn.functional.max_pool3d",
)
def max_pool3d(*args, **kwargs):
    return max_pool(3, *args, **kwargs)


@op(
    "avg_pool1d",
    lambda r: [(r(2, 3, 8), 2), (r(3, 9), 3, 2, 1, True), (r(2, 3, 9), 3, 1, 1, False, False)],
    batch=True,
    rtol=4.0,
)
def avg_pool1d(*args, **kwargs):
    return avg_pool(1, *args, **kwargs)


@op(
    "avg_pool3d",
    lambda r: [
        (r(2, 3, 4, 4, 6), 2),
        (r(2, 5, 6, 5), (3, 2, 2), (2, 1, 2), (1, 0, 1), True),
        (r(1, 2, 5, 5, 5), 3, 2, 1, True, False),
        (r(1, 2, 4, 5, 5), 2, {"divisor_override": 3}),
    ],
    batch=True,
    rtol=4.0,
)
def avg_pool3d(x, kernel, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
    return avg_pool(3, x, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override)


@op("adaptive_avg_pool1d", lambda r: [(r(2, 3, 8), 3), (r(3, 8), 4), (r(2, 3, 4), 6)], batch=True, rtol=4.0)
def adaptive_avg_pool1d(x, output_size):
    return adaptive_avg_pool(1, x, output_size)


@op("adaptive_avg_pool3d", lambda r: [(r(2, 3, 4, 5, 6), 2), (r(3, 4, 5, 3), (3, 2, 5))], batch=True, rtol=4.0)
def adaptive_avg_pool3d(x, output_size):
    return adaptive_avg_pool(3, x, output_size)


@op(
    "adaptive_max_pool1d",
    lambda r: [(r.distinct(2, 3, 8), 3), (r.distinct(3, 8), 4), (r.distinct(2, 3, 7), 3, True)],
    batch=True,
    torch="nn.functional.adaptive_max_pool1d",
)
def adaptive_max_pool1d(*args):
    return adaptive_max_pool(1, *args)


@op(
    "adaptive_max_pool2d",
    lambda r: [
        (r.distinct(2, 3, 8, 6), (4, 2)),
        (r.distinct(3, 5, 7), (3, 2)),
        (r.distinct(2, 3, 5, 7), (2, 3), True),
        (r.distinct(2, 3, 4, 6), 2, True),
    ],
    batch=True,
    torch="nn.functional.adaptive_max_pool2d",
)
def adaptive_max_pool2d(*args):
    return adaptive_max_pool(2, *args)


@op(
    "adaptive_max_pool3d",
    lambda r: [
        (r.distinct(2, 2, 4, 4, 6), 2, True),
        (r.distinct(2, 5, 4, 5), (2, 3, 4)),
        (r.distinct(1, 2, 5, 4, 5), (2, 3, 4), True),
    ],
    batch=True,
    torch="nn.functional.adaptive_max_pool3d",
)
def adaptive_max_pool3d(*args):
    return adaptive_max_pool(3, *args)


def lp_pool(rank, x, norm_type, kernel, stride=None, ceil_mode=False):
    means = avg_pool(rank, x**norm_type, kernel, stride, 0, ceil_mode)
    return (np.maximum(means, 0) * np.prod(each(kernel, rank))) ** (1 / norm_type)


@op("lp_pool1d", lambda r: [(r.positive(2, 3, 8), 2.0, 2), (r.positive(3, 9), 3.0, 3, 2, True)], batch=True, rtol=10.0)
def lp_pool1d(*args):
    return lp_pool(1, *args)


@op(
    "lp_pool2d",
    lambda r: [(r.positive(2, 3, 6, 4), 2.0, 2), (r.positive(3, 5, 6), 1.5, (2, 3), (1, 2))],
    batch=True,
    rtol=10.0,
)
def lp_pool2d(*args):
    return lp_pool(2, *args)


@op("lp_pool3d", lambda r: [(r.positive(2, 3, 4, 4, 4), 2.0, 2), (r.positive(2, 3, 4, 5), 3.0, 2, 1)], rtol=10.0)
def lp_pool3d(*args):
    return lp_pool(3, *args)


def max_unpool(rank, x, indices, kernel, stride=None, padding=0, output_size=None):
    k, p = each(kernel, rank), each(padding, rank)
    s = k if stride is None else each(stride, rank)
    size = [(n - 1) * s[a] + k[a] - 2 * p[a] for a, n in enumerate(x.shape[x.ndim - rank :])]
    size = list(output_size[-rank:]) if output_size is not None else size
    lead = x.shape[: x.ndim - rank]
    y = np.zeros((*lead, int(np.prod(size))))
    np.put_along_axis(y, indices.reshape(*lead, -1), x.reshape(*lead, -1), -1)
    return y.reshape(*lead, *size)


def _pooled(rank, r, shape, *args):
    values, indices = max_pool(rank, r.distinct(*shape), *args, return_indices=True)
    return (values, indices, *args)


@op(
    "max_unpool1d",
    lambda r: [_pooled(1, r, (2, 3, 8), 2), (*_pooled(1, r, (3, 9), 2), {"output_size": (9,)})],
    torch="nn.functional.max_unpool1d",
)
def max_unpool1d(*args, **kwargs):
    return max_unpool(1, *args, **kwargs)


@op(
    "max_unpool2d",
    lambda r: [_pooled(2, r, (2, 3, 6, 4), 2), (*_pooled(2, r, (3, 7, 6), 2, 2, 1), {"output_size": (7, 6)})],
    torch="nn.functional.max_unpool2d",
)
def max_unpool2d(*args, **kwargs):
    return max_unpool(2, *args, **kwargs)


@op("max_unpool3d", lambda r: [_pooled(3, r, (2, 2, 4, 4, 4), 2)], torch="nn.functional.max_unpool3d")
def max_unpool3d(*args, **kwargs):
    return max_unpool(3, *args, **kwargs)
