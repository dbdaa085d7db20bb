"""Images resampled and rearranged: the definitions, point by point."""

from __future__ import annotations

import itertools
import math

import numpy as np

from . import op
from .conv_forms import each
from .pool_forms import adaptive_avg_pool


def _cubic(x):
    a, x = -0.75, abs(x)
    if x <= 1:
        return ((a + 2) * x - (a + 3)) * x * x + 1
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a if x < 2 else 0.0


def _taps(mode, i, n, out, scale, align):
    """(place, weight) of output i of one axis."""
    if mode.startswith("nearest"):
        step = np.float32(1 / scale) if scale else np.float32(n) / np.float32(out)
        at = np.float32(i + 0.5) * step if mode == "nearest-exact" else np.float32(i) * step
        return [(min(int(at), n - 1), 1.0)]
    if align:
        at = i * (n - 1) / (out - 1) if out > 1 else 0.0
    else:
        at = (i + 0.5) * (1 / scale if scale else n / out) - 0.5
    if mode == "bicubic":
        base = math.floor(at)
        return [(min(max(base + k, 0), n - 1), _cubic(at - base - k)) for k in range(-1, 3)]
    at = min(max(at, 0.0), n - 1)
    lo = min(int(at), n - 1)
    return [(lo, 1 - (at - lo)), (min(lo + 1, n - 1), at - lo)]


def interpolate(
    x, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None, antialias=False
):
    rank = x.ndim - 2
    factors = [None] * rank
    if size is None:
        given = list(scale_factor) if isinstance(scale_factor, tuple) else [scale_factor] * rank
        size = [math.floor(n * f) for n, f in zip(x.shape[2:], given, strict=True)]
        factors = [None] * rank if recompute_scale_factor else given
    size = each(size, rank)
    if mode == "area":
        return adaptive_avg_pool(rank, x, tuple(size))
    for a in range(rank):
        n, lead = x.shape[2 + a], np.moveaxis(x, 2 + a, -1)
        y = np.zeros((*lead.shape[:-1], size[a]))
        for i in range(size[a]):
            for place, weight in _taps(mode, i, n, size[a], factors[a], align_corners):
                y[..., i] += weight * lead[..., place]
        x = np.moveaxis(y, -1, 2 + a)
    return x


def _interpolations(r):
    return [
        (r(2, 3, 7), 5),
        (r(2, 3, 4, 5), (6, 3)),
        (r(2, 2, 3, 4, 5), None, 2.0),
        (r(2, 3, 5, 4), None, (1.7, 0.6), "nearest-exact"),
        (r(2, 3, 5), None, 1.7, "linear"),
        (r(2, 3, 5), 8, {"mode": "linear", "align_corners": True}),
        (r(2, 3, 4, 5), (7, 3), {"mode": "bilinear"}),
        (r(2, 3, 4, 5), None, 2.0, "bilinear", True),
        (r(2, 3, 4, 5), None, 1.3, "bilinear", False, True),
        (r(2, 3, 5, 6), (9, 4), {"mode": "bicubic"}),
        (r(2, 3, 5, 6), None, (1.5, 2.0), "bicubic", True),
        (r(2, 2, 3, 4, 5), (5, 2, 8), {"mode": "trilinear"}),
        (r(2, 3, 6, 5), (3, 2), {"mode": "area"}),
        (r(2, 40, 4, 5), None, 2.0, "bilinear"),
        (r(2, 3, 4, 5), (4, 5), {"mode": "bilinear"}),
    ]


op("interpolate", _interpolations, batch=True, rtol=10.0)(interpolate)


@op("upsample", lambda r: [(r(2, 3, 4, 5), None, 2.0), (r(2, 3, 4), 6, {"mode": "linear"})], rtol=10.0)
def upsample(x, size=None, scale_factor=None, mode="nearest", align_corners=None):
    return interpolate(x, size, scale_factor, mode, align_corners)


def _reflect(x, lo, hi):
    if lo == hi:
        return 0.0
    span = hi - lo
    away = abs(x - lo)
    extra, flips = away % span, int(away // span)
    return extra + lo if flips % 2 == 0 else span - extra + lo


def _inside(x, n, padding, align):
    if padding == "zeros":
        return x
    if padding == "reflection":
        x = _reflect(x, 0, n - 1) if align else _reflect(x, -0.5, n - 0.5)
    return min(max(x, 0.0), n - 1)


def grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    rank, sizes = x.ndim - 2, x.shape[2:]
    y = np.zeros((*x.shape[:2], *grid.shape[1:-1]))
    for n in range(x.shape[0]):
        for at in itertools.product(*map(range, grid.shape[1:-1])):
            axes = []
            for a in range(rank):
                g, size = grid[(n, *at)][rank - 1 - a], sizes[a]
                p = (g + 1) / 2 * (size - 1) if align_corners else ((g + 1) * size - 1) / 2
                if mode == "bicubic":
                    base = math.floor(p)
                    taps = [
                        (_inside(base + k, size, padding_mode, align_corners), _cubic(p - base - k))
                        for k in range(-1, 3)
                    ]
                else:
                    p = _inside(p, size, padding_mode, align_corners)
                    taps = [(round(p), 1.0)]
                    if mode == "bilinear":
                        taps = [(math.floor(p), 1 - (p - math.floor(p))), (math.floor(p) + 1, p - math.floor(p))]
                axes.append(taps)
            for combination in itertools.product(*axes):
                places = [int(q) for q, _ in combination]
                if all(0 <= q < s for q, s in zip(places, sizes, strict=True)):
                    weight = np.prod([w for _, w in combination])
                    y[(n, slice(None), *at)] += weight * x[(n, slice(None), *places)]
    return y


def _grids(r):
    def points(*shape):
        return r.uniform(-1.4, 1.4, *shape)

    cases = [(r(2, 3, 4, 5), points(2, 3, 4, 2)), (r(2, 2, 3, 4, 5), points(2, 2, 3, 2, 3))]
    for mode in ("bilinear", "bicubic"):
        for padding in ("zeros", "border", "reflection"):
            for align in (False, True):
                cases.append((r(1, 2, 4, 5), points(1, 3, 4, 2), mode, padding, align))
    cases.append((r(1, 2, 3, 4, 5), points(1, 2, 3, 2, 3), "bilinear", "reflection", True))
    return cases


op("grid_sample", _grids, batch=False, rtol=20.0, only=("float64", "float32"))(grid_sample)


@op(
    "affine_grid",
    lambda r: [(r(2, 2, 3), (2, 3, 4, 5)), (r(2, 2, 3), (2, 3, 4, 1), True), (r(1, 3, 4), (1, 2, 3, 2, 4), False)],
    rtol=10.0,
)
def affine_grid(theta, size, align_corners=None):
    rank = len(size) - 2

    def line(n):
        return np.zeros(1) if n == 1 else np.linspace(-1, 1, n) * (1 if align_corners else (n - 1) / n)

    axes = np.meshgrid(*[line(n) for n in size[2:]], indexing="ij")
    points = np.stack([*reversed(axes), np.ones_like(axes[0])], -1)
    return np.einsum("...k,nrk->n...r", points, theta).reshape(size[0], *size[2:], rank)


def im2col(x, kernel_size, dilation=1, padding=0, stride=1):
    if x.ndim == 3:
        return im2col(x[None], kernel_size, dilation, padding, stride)[0]
    k, d, p, s = each(kernel_size, 2), each(dilation, 2), each(padding, 2), each(stride, 2)
    x = np.pad(x, [(0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])])
    out = [(x.shape[2 + a] - d[a] * (k[a] - 1) - 1) // s[a] + 1 for a in (0, 1)]
    rows = []
    for c, i, j in itertools.product(range(x.shape[1]), range(k[0]), range(k[1])):
        h = slice(i * d[0], i * d[0] + s[0] * (out[0] - 1) + 1, s[0])
        w = slice(j * d[1], j * d[1] + s[1] * (out[1] - 1) + 1, s[1])
        rows.append(x[:, c, h, w].reshape(x.shape[0], -1))
    return np.stack(rows, 1)


op(
    "im2col",
    lambda r: [(r(2, 3, 5, 6), 2), (r(3, 6, 5), (3, 2), 2, 1, (2, 1)), (r(2, 3, 5, 6), 3, {"padding": 1})],
    batch=True,
    batch_rank=4,
    torch="nn.functional.unfold",
)(im2col)


@op(
    "fold",
    lambda r: [
        (r(2, 12, 20), (5, 6), 2),
        (r(18, 10), (6, 5), (3, 2), 2, 1, (2, 1)),
        (r(2, 27, 30), (5, 6), 3, {"padding": 1}),
    ],
    batch=True,
    batch_rank=3,
    rtol=4.0,
)
def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    if x.ndim == 2:
        return fold(x[None], output_size, kernel_size, dilation, padding, stride)[0]
    (h, w), k = each(output_size, 2), each(kernel_size, 2)
    shape = (1, x.shape[1] // (k[0] * k[1]), h, w)
    # Each element of an image goes to the sum of its places in the columns.
    places = im2col(np.arange(1, np.prod(shape) + 1).reshape(shape), kernel_size, dilation, padding, stride)[0]
    y = np.zeros((x.shape[0], int(np.prod(shape)) + 1))
    for n in range(x.shape[0]):
        np.add.at(y[n], places.reshape(-1), x[n].reshape(-1))
    return y[:, 1:].reshape(x.shape[0], *shape[1:])


@op("pixel_shuffle", lambda r: [(r(2, 12, 3, 4), 2), (r(9, 2, 3), 3)])
def pixel_shuffle(x, r):
    *lead, c, h, w = x.shape
    y = np.zeros((*lead, c // (r * r), h * r, w * r))
    for i, j in itertools.product(range(r), range(r)):
        y[..., i::r, j::r] = x[..., i * r + j :: r * r, :, :]
    return y


@op("pixel_unshuffle", lambda r: [(r(2, 3, 4, 6), 2), (r(2, 3, 6), 3)])
def pixel_unshuffle(x, r):
    *lead, c, h, w = x.shape
    y = np.zeros((*lead, c * r * r, h // r, w // r))
    for i, j in itertools.product(range(r), range(r)):
        y[..., i * r + j :: r * r, :, :] = x[..., i::r, j::r]
    return y


@op("channel_shuffle", lambda r: [(r(2, 6, 3), 2), (r(2, 6, 2, 3), 3)])
def channel_shuffle(x, groups):
    c = x.shape[1]
    order = [g * (c // groups) + i for i in range(c // groups) for g in range(groups)]
    return x[:, order]
