"""NumPy twins of normalisations."""

import numpy as np

from . import ELSEWHERE, op

ELSEWHERE["dropout"] = "tests/test_norm_loss.py"


@op(
    "layer_norm",
    lambda r: [
        (r(3, 8), (8,)),
        (r(3, 8), (8,), r(8), r(8)),
        (r(2, 3, 4), (3, 4), r(3, 4), r(3, 4)),
        (r(2, 3, 37), (37,), r(37)),
        (r(3, 8) * 3 + 50, (8,), r(8), r(8), 1e-3),
    ],
    rtol=4,
)
def layer_norm(x, shape, weight=None, bias=None, eps=1e-5):
    dims = tuple(range(x.ndim - (1 if isinstance(shape, int) else len(shape)), x.ndim))
    y = (x - x.mean(dims, keepdims=True)) / np.sqrt(x.var(dims, keepdims=True) + eps)
    return y * (1 if weight is None else weight) + (0 if bias is None else bias)


@op(
    "batch_norm",
    lambda r: [
        (r(6, 3), None, None, None, None, True),
        (r(6, 3), None, None, r(3), r(3), True),
        (r(2, 3, 4, 5), None, None, r(3), r(3), True, 0.1, 1e-3),
        (r(4, 20, 3), None, None, r(20), r(20), True),
        (r(6, 3), {"running_mean": r(3), "running_var": r.positive(3)}),
        (r(2, 3, 4, 5), {"running_mean": r(3), "running_var": r.positive(3), "weight": r(3), "bias": r(3)}),
    ],
    rtol=4,
    torch="nn.functional.batch_norm",
)
def batch_norm(x, running_mean=None, running_var=None, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    dims = tuple(d for d in range(x.ndim) if d != 1)
    line = [-1 if d == 1 else 1 for d in range(x.ndim)]
    mean = x.mean(dims) if training else running_mean
    var = x.var(dims) if training else running_var
    y = (x - mean.reshape(line)) / np.sqrt(var.reshape(line) + eps)
    return y * (1 if weight is None else weight.reshape(line)) + (0 if bias is None else bias.reshape(line))
