"""NumPy twins of the elementwise list: floats are computed in float64."""

import math

import numpy as np

from . import ELEMENTWISE

erf = np.vectorize(math.erf, otypes=[float])
erfc = np.vectorize(math.erfc, otypes=[float])


def sigmoid(x):
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


def softplus(x, beta=1.0, threshold=20.0):
    return np.where(x * beta > threshold, x, np.logaddexp(0, x * beta) / beta)


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def selu(x):
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


def gelu(x):
    return x * 0.5 * erfc(-x / math.sqrt(2))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def hardsigmoid(x):
    return np.clip(x + 3, 0, 6) / 6


def trunc_divide(a, b):
    return np.trunc(a / b)


ELEMENTWISE.update(
    abs=np.abs,
    neg=np.negative,
    sign=np.sign,
    square=np.square,
    sqrt=np.sqrt,
    rsqrt=lambda x: 1 / np.sqrt(x),
    reciprocal=lambda x: 1 / x,
    exp=np.exp,
    expm1=np.expm1,
    log=np.log,
    log1p=np.log1p,
    log2=np.log2,
    log10=np.log10,
    sin=np.sin,
    cos=np.cos,
    tan=np.tan,
    atan=np.arctan,
    sinh=np.sinh,
    cosh=np.cosh,
    tanh=np.tanh,
    erf=erf,
    erfc=erfc,
    ndtr=lambda x: 0.5 * erfc(-x / math.sqrt(2)),
    floor=np.floor,
    ceil=np.ceil,
    round=np.round,
    trunc=np.trunc,
    isnan=np.isnan,
    isinf=np.isinf,
    isfinite=np.isfinite,
    logical_not=np.logical_not,
    bitwise_not=np.bitwise_not,
    sigmoid=sigmoid,
    logsigmoid=lambda x: -np.logaddexp(0, -x),
    softplus=softplus,
    relu=lambda x: np.maximum(x, 0),
    relu6=lambda x: np.clip(x, 0, 6),
    leaky_relu=lambda x, negative_slope=0.01: np.where(x > 0, x, negative_slope * x),
    elu=elu,
    selu=selu,
    gelu=gelu,
    gelu_tanh=gelu_tanh,
    silu=lambda x: x * sigmoid(x),
    mish=lambda x: x * np.tanh(softplus(x)),
    hardtanh=lambda x, min_val=-1.0, max_val=1.0: np.clip(x, min_val, max_val),
    hardsigmoid=hardsigmoid,
    hardswish=lambda x: x * hardsigmoid(x),
    add=lambda a, b, alpha=1: a + alpha * b,
    sub=lambda a, b, alpha=1: a - alpha * b,
    mul=np.multiply,
    div=np.true_divide,
    floor_divide=np.floor_divide,
    trunc_divide=trunc_divide,
    remainder=np.remainder,
    fmod=np.fmod,
    pow=np.power,
    atan2=np.arctan2,
    minimum=np.minimum,
    maximum=np.maximum,
    clamp_min=np.maximum,
    clamp_max=np.minimum,
    eq=np.equal,
    ne=np.not_equal,
    lt=np.less,
    le=np.less_equal,
    gt=np.greater,
    ge=np.greater_equal,
    logical_and=np.logical_and,
    logical_or=np.logical_or,
    logical_xor=np.logical_xor,
    bitwise_and=np.bitwise_and,
    bitwise_or=np.bitwise_or,
    bitwise_xor=np.bitwise_xor,
    clamp=np.clip,
    lerp=lambda a, b, w: a + w * (b - a),
    where=lambda c, a, b: np.where(c != 0, a, b),
)
