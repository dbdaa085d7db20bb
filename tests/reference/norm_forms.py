"""NumPy twins of group, instance, RMS and local response normalisation."""

import numpy as np

from . import ELSEWHERE, op

for _name in ("dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout", "gumbel_softmax"):
    ELSEWHERE[_name] = "tests/test_neural.py"


def line(v, x, default):
    return default if v is None else v.reshape(1, -1, *[1] * (x.ndim - 2))


@op(
    "group_norm",
    lambda r: [
        (r(2, 6, 5), 3),
        (r(2, 6, 4, 5), 2, r(6), r(6)),
        (r(3, 4), 2, r(4), r(4), 1e-3),
        (r(2, 40, 3, 3) * 3 + 20, 8, r(40), r(40)),
        (r(2, 4, 3, 2, 2), 4, r(4)),
        (r(2, 4, 5), 1),
    ],
    batch=True,
    rtol=10,
)
def group_norm(x, groups, weight=None, bias=None, eps=1e-5):
    g = x.reshape(x.shape[0], groups, -1)
    y = (g - g.mean(-1, keepdims=True)) / np.sqrt(g.var(-1, keepdims=True) + eps)
    return y.reshape(x.shape) * line(weight, x, 1) + line(bias, x, 0)


@op(
    "instance_norm",
    lambda r: [
        (r(2, 3, 6),),
        (r(2, 3, 4, 5), {"weight": r(3), "bias": r(3), "eps": 1e-3}),
        (r(2, 3, 4), {"running_mean": r(3), "running_var": r.positive(3), "use_input_stats": False}),
    ],
    rtol=10,
    torch="nn.functional.instance_norm",
)
def instance_norm(
    x, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-5
):
    dims = tuple(range(2, x.ndim))
    mean = x.mean(dims, keepdims=True) if use_input_stats else line(running_mean, x, 0)
    var = x.var(dims, keepdims=True) if use_input_stats else line(running_var, x, 1)
    return (x - mean) / np.sqrt(var + eps) * line(weight, x, 1) + line(bias, x, 0)


@op(
    "rms_norm",
    lambda r: [
        (r(3, 8), (8,), None, 1e-5),
        (r(3, 8), (8,), r(8), 1e-3),
        (r(2, 3, 4), (3, 4), r(3, 4), 1e-6),
        (r(2, 3, 37), (37,), r(37), 1e-6),
        (r(70, 5), (5,), r(5), 1e-6),
    ],
    batch=True,
    rtol=4,
    torch="nn.functional.rms_norm",
)
def rms_norm(x, shape, weight=None, eps=None):
    dims = tuple(range(x.ndim - len(shape), x.ndim))
    return x / np.sqrt((x * x).mean(dims, keepdims=True) + eps) * (1 if weight is None else weight)


@op(
    "local_response_norm",
    lambda r: [(r(2, 6, 5), 3), (r(2, 6, 4, 3), 4, 1e-2, 0.5, 2.0), (r(2, 3, 2, 2, 2), 2)],
    batch=True,
    rtol=10,
)
def local_response_norm(x, size, alpha=1e-4, beta=0.75, k=1.0):
    y = np.zeros_like(x)
    for c in range(x.shape[1]):
        around = x[:, max(0, c - size // 2) : c + (size - 1) // 2 + 1]
        y[:, c] = x[:, c] / (k + alpha * (around**2).sum(1) / size) ** beta
    return y


ELSEWHERE["renorm_"] = "test_call_forms.py"


@op("renorm", lambda r: [(r(3, 5), 2.0, 0, 1.0), (r(2, 3, 4), 1.0, 2, 2.0), (r(2, 3), 3.0, -1, 1e-3)], rtol=4)
def renorm(x, p, dim, maxnorm):
    axes = tuple(d for d in range(x.ndim) if d != dim % x.ndim)
    length = (np.abs(x) ** p).sum(axes, keepdims=True) ** (1 / p)
    return x * np.where(length > maxnorm, maxnorm / (length + 1e-7), 1.0)


@op("normalize", lambda r: [(r(3, 5),), (r(2, 3, 4), 1.0, 2), (r(2, 3, 4), 3.0, -1, 1e-3)], rtol=4)
def normalize(x, p=2.0, dim=1, eps=1e-12):
    return x / np.maximum((np.abs(x) ** p).sum(dim, keepdims=True) ** (1 / p), eps)


def cosine(a, b, dim=1, eps=1e-8):
    a, b = np.broadcast_arrays(a, b)
    na, nb = (np.maximum(np.sqrt((v * v).sum(dim, keepdims=True)), eps) for v in (a, b))
    return (a / na * b / nb).sum(dim)


op("cosine_similarity", lambda r: [(r(3, 5), r(3, 5)), (r(2, 3, 4), r(3, 4), 2), (r(5), r(3, 5), -1)], rtol=4)(cosine)


def distance(a, b, p=2, eps=1e-6, keepdim=False):
    return (np.abs(a - b + eps) ** p).sum(-1, keepdims=keepdim) ** (1 / p)


op(
    "pairwise_distance",
    lambda r: [(r(3, 5), r(3, 5)), (r(4, 5), r(5), 1.0, 1e-6, True), (r(5), r(5), 3.0, 1e-3)],
    rtol=10,
)(distance)


@op("pdist", lambda r: [(r(5, 3),), (r(4, 6), 1.0), (r(4, 3), 3.0), (r(1, 3),)], rtol=4)
def pdist(x, p=2.0):
    n = x.shape[0]
    return np.array([(np.abs(x[i] - x[j]) ** p).sum() ** (1 / p) for i in range(n) for j in range(i + 1, n)])


@op("softmin", lambda r: [(r(3, 5), 1), (r(3, 5), 0)], rtol=2)
def softmin(x, dim):
    e = np.exp(-x - (-x).max(dim, keepdims=True))
    return e / e.sum(dim, keepdims=True)
