"""Convolutions of any rank and their transposes: the definitions, tap by tap."""

from __future__ import annotations

import itertools

import numpy as np

from . import op


def each(v, rank: int) -> tuple[int, ...]:
    return tuple(v) * (rank if len(v) == 1 else 1) if isinstance(v, (tuple, list)) else (v,) * rank


def conv(rank, x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    if x.ndim == rank + 1:
        return conv(rank, x[None], w, b, stride, padding, dilation, groups)[0]
    s, d, k = each(stride, rank), each(dilation, rank), w.shape[2:]
    if padding == "same":
        totals = [d[a] * (k[a] - 1) for a in range(rank)]
        sides = [(t // 2, t - t // 2) for t in totals]
    else:
        sides = [(p, p) for p in each(0 if padding == "valid" else padding, rank)]
    x = np.pad(x, [(0, 0), (0, 0), *sides])
    out = [(x.shape[2 + a] - d[a] * (k[a] - 1) - 1) // s[a] + 1 for a in range(rank)]
    y = np.zeros((x.shape[0], w.shape[0], *out))
    per, ic = w.shape[0] // groups, w.shape[1]
    for g in range(groups):
        rows = slice(g * per, (g + 1) * per)
        for tap in itertools.product(*map(range, k)):
            at = tuple(slice(t * d[a], t * d[a] + s[a] * (out[a] - 1) + 1, s[a]) for a, t in enumerate(tap))
            patch = x[(slice(None), slice(g * ic, (g + 1) * ic), *at)]
            y[:, rows] += np.einsum("ni...,oi->no...", patch, w[(rows, slice(None), *tap)])
    return y if b is None else y + b.reshape(-1, *[1] * rank)


def conv_transpose(rank, x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    if x.ndim == rank + 1:
        return conv_transpose(rank, x[None], w, b, stride, padding, output_padding, groups, dilation)[0]
    s, d, k = each(stride, rank), each(dilation, rank), w.shape[2:]
    p, extra = each(padding, rank), each(output_padding, rank)
    full = [(x.shape[2 + a] - 1) * s[a] + d[a] * (k[a] - 1) + 1 + extra[a] for a in range(rank)]
    y = np.zeros((x.shape[0], w.shape[1] * groups, *full))
    per, ic = w.shape[1], x.shape[1] // groups
    for g in range(groups):
        for tap in itertools.product(*map(range, k)):
            at = tuple(slice(t * d[a], t * d[a] + s[a] * (x.shape[2 + a] - 1) + 1, s[a]) for a, t in enumerate(tap))
            part = np.einsum(
                "ni...,io->no...",
                x[:, g * ic : (g + 1) * ic],
                w[(slice(g * ic, (g + 1) * ic), slice(None), *tap)],
            )
            y[(slice(None), slice(g * per, (g + 1) * per), *at)] += part
    y = y[(slice(None), slice(None), *(slice(p[a], full[a] - p[a]) for a in range(rank)))]
    return y if b is None else y + b.reshape(-1, *[1] * rank)


@op(
    "conv1d",
    lambda r: [
        (r(2, 3, 9), r(4, 3, 3), r(4)),
        (r(3, 8), r(4, 3, 2), None, 2, 1),
        (r(2, 4, 9), r(6, 2, 3), r(6), 1, "same", 2, 2),
        (r(2, 4, 9), r(4, 1, 3), None, 3, (2,), 1, 4),
        (r(0, 3, 9), r(4, 3, 3), r(4)),
    ],
    batch=True,
    batch_rank=3,
    rtol=10.0,
)
def conv1d(*args, **kwargs):
    return conv(1, *args, **kwargs)


@op(
    "conv3d",
    lambda r: [
        (r(2, 3, 4, 5, 6), r(4, 3, 3, 3, 3), r(4), 1, 1),
        (r(3, 5, 4, 5), r(2, 3, 2, 1, 3), r(2), (2, 1, 1), (1, 0, 1)),
        (r(2, 4, 7, 4, 4), r(6, 2, 3, 2, 2), None, (2, 1, 2), 0, (2, 1, 1), 2),
        (r(1, 2, 6, 3, 3), r(2, 2, 3, 2, 2), r(2), (3, 1, 1), (2, 1, 0), (2, 1, 1)),
        (r(1, 4, 4, 3, 3), r(4, 1, 2, 2, 2), r(4), 1, "same", 1, 4),
        (r(1, 2, 5, 3, 3), r(2, 2, 1, 2, 2), None, (3, 1, 1), "valid"),
        (r(0, 2, 4, 4, 4), r(3, 2, 3, 3, 3), r(3)),
    ],
    batch=True,
    batch_rank=5,
    rtol=10.0,
)
def conv3d(*args, **kwargs):
    return conv(3, *args, **kwargs)


@op(
    "conv_transpose1d",
    lambda r: [
        (r(2, 3, 5), r(3, 4, 3), r(4)),
        (r(4, 5), r(4, 2, 3), r(4), 2, 1, 1, 2),
        (r(2, 4, 5), r(4, 3, 3), None, 3, 0, 2, 2, 2),
        (r(2, 3, 5), r(3, 2, 2), None, 3),
    ],
    batch=True,
    batch_rank=3,
    rtol=10.0,
)
def conv_transpose1d(*args, **kwargs):
    return conv_transpose(1, *args, **kwargs)


@op(
    "conv_transpose2d",
    lambda r: [
        (r(2, 3, 4, 5), r(3, 4, 3, 3), r(4)),
        (r(2, 4, 4, 5), r(4, 2, 4, 3), r(4), (2, 1), (1, 2), (1, 0), 2),
        (r(3, 4, 5), r(3, 2, 2, 3), None, 2, 1, 1, 1, (2, 1)),
        (r(1, 20, 4, 4), r(20, 8, 4, 4), r(8), 2, 1),
    ],
    batch=True,
    batch_rank=4,
    rtol=10.0,
)
def conv_transpose2d(*args, **kwargs):
    return conv_transpose(2, *args, **kwargs)


@op(
    "conv_transpose3d",
    lambda r: [
        (r(2, 3, 3, 3, 2), r(3, 2, 2, 2, 3), r(2)),
        (r(4, 3, 2, 3), r(4, 2, 3, 2, 2), r(4), 2, 1, (1, 0, 1), 2),
        (r(1, 2, 3, 2, 2), r(2, 2, 2, 2, 2), None, (3, 1, 2), 0, (2, 0, 1), 1, (2, 1, 1)),
    ],
    batch=True,
    batch_rank=5,
    rtol=10.0,
)
def conv_transpose3d(*args, **kwargs):
    return conv_transpose(3, *args, **kwargs)
