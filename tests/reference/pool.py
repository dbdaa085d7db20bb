"""Pooling: the definition, window by window."""

from __future__ import annotations

import numpy as np

from . import op
from .conv import pair


def _size(size, k, s, p, d, ceil_mode):
    room = size + 2 * p - d * (k - 1) - 1
    out = (room + (s - 1 if ceil_mode else 0)) // s + 1
    return out - 1 if ceil_mode and (out - 1) * s >= size + p else out


def _windows(x, kernel, stride, padding, dilation, ceil_mode):
    """(row, column) of the output, and the input rows and columns of its window, whether inside or not."""
    k, p, d = pair(kernel), pair(padding), pair(dilation)
    s = k if stride is None or stride == () else pair(stride)
    out = [_size(x.shape[2 + a], k[a], s[a], p[a], d[a], ceil_mode) for a in (0, 1)]
    for y in range(out[0]):
        for z in range(out[1]):
            yield (
                out,
                y,
                z,
                [y * s[0] - p[0] + i * d[0] for i in range(k[0])],
                [z * s[1] - p[1] + j * d[1] for j in range(k[1])],
            )


def _inside(places, size):
    return [q for q in places if 0 <= q < size]


def _max_samples(r):
    return [
        (r.distinct(2, 3, 6, 8), 2),
        (r.distinct(2, 3, 7, 7), 3, 2, 1),
        (r.distinct(3, 7, 6), (3, 2), (2, 1), (1, 0), (1, 2)),
        (r.distinct(1, 2, 6, 5), 2, {"ceil_mode": True}),
        (r.distinct(1, 70, 5, 5), 3, 1),
        (r(0, 2, 4, 4), 2),
    ]


@op("max_pool2d", _max_samples, batch=True)
def max_pool2d(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    if x.ndim == 3:
        return max_pool2d(x[None], kernel_size, stride, padding, dilation, ceil_mode)[0]
    values = indices = None
    for out, y, z, rows, cols in _windows(x, kernel_size, stride, padding, dilation, ceil_mode):
        if values is None:
            values, indices = np.zeros((*x.shape[:2], *out)), np.zeros((*x.shape[:2], *out), np.int64)
        rows, cols = _inside(rows, x.shape[2]), _inside(cols, x.shape[3])
        window = x[:, :, rows][:, :, :, cols].reshape(*x.shape[:2], len(rows) * len(cols))
        values[:, :, y, z] = window.max(-1)
        places = np.array([i * x.shape[3] + j for i in rows for j in cols])
        indices[:, :, y, z] = places[window.argmax(-1)]
    return (values, indices) if return_indices else values


def _avg_samples(r):
    return [
        (r(2, 3, 6, 8), 2),
        (r(2, 3, 7, 7), 3, 2, 1),
        (r(3, 7, 6), (3, 2), (2, 1), (1, 0)),
        (r(1, 2, 6, 5), 3, 2, 1, True),
        (r(1, 2, 7, 7), 3, 2, 1, True, False),
        (r(1, 2, 6, 6), (2, 3), {"stride": 1, "divisor_override": 5}),
        (r(1, 70, 5, 5), 3, 1),
        (r(0, 2, 4, 4), 2),
    ]


@op("avg_pool2d", _avg_samples, batch=True, rtol=4.0)
def avg_pool2d(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
    if x.ndim == 3:
        return avg_pool2d(x[None], kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)[0]
    values, p = None, pair(padding)
    for out, y, z, rows, cols in _windows(x, kernel_size, stride, padding, 1, ceil_mode):
        if values is None:
            values = np.zeros((*x.shape[:2], *out))
        counted = [sum(q < x.shape[2 + a] + p[a] for q in places) for a, places in enumerate((rows, cols))]
        rows, cols = _inside(rows, x.shape[2]), _inside(cols, x.shape[3])
        divisor = divisor_override or (counted[0] * counted[1] if count_include_pad else len(rows) * len(cols))
        values[:, :, y, z] = x[:, :, rows][:, :, :, cols].sum((2, 3)) / divisor
    return values


def _adaptive_samples(r):
    return [(r(2, 3, 6, 8), 1), (r(2, 3, 7, 5), (3, 2)), (r(3, 4, 5), (6, 5)), (r(1, 70, 5, 5), 2)]


@op("adaptive_avg_pool2d", _adaptive_samples, batch=True, rtol=4.0)
def adaptive_avg_pool2d(x, output_size):
    if x.ndim == 3:
        return adaptive_avg_pool2d(x[None], output_size)[0]
    oh, ow = pair(output_size)
    y = np.zeros((*x.shape[:2], oh, ow))
    for i in range(oh):
        for j in range(ow):
            rows = slice(i * x.shape[2] // oh, -(-(i + 1) * x.shape[2] // oh))
            cols = slice(j * x.shape[3] // ow, -(-(j + 1) * x.shape[3] // ow))
            y[:, :, i, j] = x[:, :, rows, cols].mean((2, 3))
    return y
