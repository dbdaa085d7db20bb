"""Convolution: the definition, tap by tap."""

from __future__ import annotations

import numpy as np

from . import op


def pair(v) -> tuple[int, int]:
    return (v[0], v[-1]) if isinstance(v, (tuple, list)) else (v, v)


def _conv_samples(r):
    return [
        (r(2, 3, 5, 6), r(4, 3, 3, 3), r(4)),
        (r(2, 3, 5, 6), r(4, 3, 3, 3)),
        (r(2, 4, 7, 6), r(6, 2, 3, 2), r(6), (2, 1), (1, 1), 1, 2),
        (r(1, 6, 5, 7), r(6, 1, 3, 3), r(6), 1, 1, 1, 6),
        (r(1, 3, 8, 9), r(6, 1, 3, 2), None, 2, 0, (2, 1), 3),
        (r(2, 2, 7, 8), r(3, 2, 2, 4), r(3), 1, "same", (1, 2)),
        (r(2, 2, 5, 5), r(3, 2, 3, 3), None, 2, "valid"),
        (r(2, 5, 4, 4), r(7, 5, 1, 1), r(7)),
        (r(1, 2, 9, 9), r(2, 2, 3, 3), None, 3, 2, {"dilation": 2}),
        (r(0, 2, 4, 4), r(3, 2, 3, 3), r(3)),
        (r(1, 40, 4, 4), r(20, 40, 3, 3), r(20), 1, 1),
    ]


@op("conv2d", _conv_samples, batch=True, rtol=10.0)
def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    if x.ndim == 3:
        return conv2d(x[None], w, b, stride, padding, dilation, groups)[0]
    (sh, sw), (dh, dw) = pair(stride), pair(dilation)
    oc, ic, kh, kw = w.shape
    if padding == "same":
        total = dh * (kh - 1), dw * (kw - 1)
        sides = [(t // 2, t - t // 2) for t in total]
    else:
        sides = [(p, p) for p in pair(0 if padding == "valid" else padding)]
    x = np.pad(x, [(0, 0), (0, 0), *sides])
    oh = (x.shape[2] - dh * (kh - 1) - 1) // sh + 1
    ow = (x.shape[3] - dw * (kw - 1) - 1) // sw + 1
    y = np.zeros((x.shape[0], oc, oh, ow))
    per = oc // groups
    for g in range(groups):
        for i in range(kh):
            for j in range(kw):
                patch = x[
                    :,
                    g * ic : (g + 1) * ic,
                    i * dh : i * dh + sh * (oh - 1) + 1 : sh,
                    j * dw : j * dw + sw * (ow - 1) + 1 : sw,
                ]
                y[:, g * per : (g + 1) * per] += np.einsum("nihw,oi->nohw", patch, w[g * per : (g + 1) * per, :, i, j])
    return y if b is None else y + b[:, None, None]
