"""Special functions in long double, by other methods than lamina's: what its errors are measured against."""

from __future__ import annotations

import math

import numpy as np

_BERNOULLI = [(1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510), (43867, 798)]
_PI = np.longdouble("3.14159265358979323846264338327950288")
_SHIFT = 24  # added to an argument before an asymptotic series
_erf = np.vectorize(math.erf, otypes=[float])
_erfc = np.vectorize(math.erfc, otypes=[float])


def wide(x: np.ndarray) -> np.ndarray:
    return np.asarray(x, dtype=np.longdouble)


def _series(y, divisor, first):
    """Sum of B_2k / divisor(k) y^(first - 2k)."""
    return sum(np.longdouble(a) / (b * divisor(k)) * y ** (first - 2 * k) for k, (a, b) in enumerate(_BERNOULLI, 1))


def _angle(x):
    """pi times what x is away from the nearest integer."""
    return _PI * (x - np.rint(x))


def _lgamma_positive(x):
    shifted = x < 1e8
    y = np.where(shifted, x + _SHIFT, x)
    stirling = y * (np.log(y) - 1) + (np.log(2 * _PI / y) / 2 + _series(y, lambda k: 2 * k * (2 * k - 1), 1))
    product = np.ones_like(x)
    for k in range(_SHIFT):
        product = product * np.where(shifted, x + k, 1)
    return np.where(np.isinf(x), np.inf, stirling - np.log(product))


def lgamma(x):
    x = wide(x)
    t = np.abs(x)
    reflected = np.log(_PI / np.abs(np.sin(_angle(t)))) - np.log(t) - _lgamma_positive(t)
    below = np.where((t == np.rint(t)) & (t > 0), np.inf, reflected)
    positive = np.where((t == 1) | (t == 2), 0, _lgamma_positive(t))
    return np.where(t < 1e-30, -np.log(t), np.where(x < 0, below, positive))


def _digamma_positive(x):
    shifted = x < 1e8
    y = np.where(shifted, x + _SHIFT, x)
    terms = sum(np.where(shifted, 1 / (x + k), 0) for k in range(_SHIFT))
    return np.log(y) - 0.5 / y - _series(y, lambda k: 2 * k, 0) - terms


def digamma(x):
    x = wide(x)
    reflected = _digamma_positive(1 - x) - _PI / np.tan(_angle(x))
    below = np.where((x == np.rint(x)) | np.isinf(x), np.nan, reflected)
    positive = _digamma_positive(np.where(x > 0, x, np.abs(x)))
    return np.where(x == 0, -np.copysign(np.longdouble(np.inf), x), np.where(x < 0, below, positive))


def digamma_terms(x):
    """Below 0 psi is a difference of log(1 - x) and pi / tan(pi x), and has a zero between each two integers; above 0
    this is what the reference resolves."""
    return np.where(x < 0, np.maximum(np.log(1 - x), 1), 2.0**-9)


def lgamma_terms(x):
    """Zeros at 1 and 2 too, near which this is what the reference resolves (tests/cpp/math_test.cpp has a closer one)."""
    return np.where(x < 0, 0.5, 2.0**-4)


def erfinv(x):
    """Newton's method on erf, or on erfc where |x| is near 1, from a rough start."""
    x = wide(x)
    t = np.abs(x)
    w = np.log1p(-(t * t)) / 2
    a = 2 / (_PI * 0.147) + w
    y = np.sqrt(np.sqrt(a * a - 2 * w / 0.147) - a)
    for _ in range(5):
        z = y.astype(np.float64)  # the rest of y enters through the derivative
        missing = np.where(t < 0.5, _erf(z) - t, (1 - t) - _erfc(z)) + (y - z) * (2 / np.sqrt(_PI)) * np.exp(-y * y)
        y = y - missing * (np.sqrt(_PI) / 2) * np.exp(y * y)
    y = np.where(t < 1e-9, t * np.sqrt(_PI) / 2, y)
    return np.where(t == 1, np.copysign(np.longdouble(np.inf), x), np.where(t < 1, np.copysign(y, x), np.nan))


def sinc(x):
    x = wide(x)
    sine = np.sin(_angle(x)) * np.where(np.rint(x) % 2 == 0, 1, -1)
    return np.where(x == 0, 1, np.where(np.isinf(x), np.nan, sine / (_PI * x)))


def tanhshrink(x):
    x = wide(x)
    terms = [
        (1, 3), (-2, 15), (17, 315), (-62, 2835), (1382, 155925), (-21844, 6081075), (929569, 638512875),
        (-6404582, 10854718875),
    ]  # fmt: skip
    z = x * x
    near = x * z * sum(np.longdouble(a) / b * z**k for k, (a, b) in enumerate(terms))
    return np.where(np.abs(x) < 0.1, near, x - np.tanh(x))


def logit(x):
    x = wide(x)
    return np.where(np.abs(x - 0.5) < 0.2, np.log1p((2 * x - 1) / (1 - x)), np.log(x / (1 - x)))
