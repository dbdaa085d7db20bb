"""Errors in units of the last place (ULP) of lamina's functions against float64 (float32) and long double (float64)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import lamina
import lamina.nn.functional as F
import numpy as np
import ulp_special

_erf = np.vectorize(math.erf, otypes=[float])
_erfc = np.vectorize(math.erfc, otypes=[float])
_ROOT2 = np.sqrt(np.longdouble(2))


def _erfc_over_root2(x):
    """erfc(x / sqrt 2) from erfc of a float64: the argument's rounding error goes back in through the derivative."""
    x = np.asarray(x)
    exact = x.astype(np.longdouble) / _ROOT2
    a = exact.astype(np.float64)
    with np.errstate(all="ignore"):
        step = np.where(np.isfinite(x), exact - a, 0)
        return _erfc(a) * (1 - 2 * np.where(np.abs(a) < 40, a, 40) * step * (a > 1))


def _sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def _no_limit(f: Callable) -> Callable:
    """f with its limit 0 at minus infinity, where the formula says infinity times 0."""
    return lambda x: np.where(np.isneginf(x), -0.0, f(np.where(np.isneginf(x), 0, x)))


@dataclass(frozen=True)
class Function:
    name: str
    f: Callable
    exact: Callable
    bar: float  # largest error allowed in float32
    bar64: float  # and in float64
    lo: float = -10.0
    hi: float = 10.0
    # the size at x of the terms whose difference is the value: smaller values count as if they had its last place
    terms: Callable = np.zeros_like


FUNCTIONS = {
    x.name: x
    for x in [
        Function("exp", lamina.exp, np.exp, 1, 1, -750, 720),
        Function("expm1", lamina.expm1, np.expm1, 1.25, 1.5, -40, 720),
        Function("log", lamina.log, np.log, 1, 1, 0, 1e3),
        Function("log1p", lamina.log1p, np.log1p, 1, 1.5, -1, 10),
        Function("log2", lamina.log2, np.log2, 1, 1, 0, 1e3),
        Function("log10", lamina.log10, np.log10, 1, 1, 0, 1e3),
        Function("sin", lamina.sin, np.sin, 1, 1, -1e5, 1e5),
        Function("cos", lamina.cos, np.cos, 1, 1, -1e5, 1e5),
        Function("tan", lamina.tan, np.tan, 1, 3, -1e5, 1e5),
        Function("atan", lamina.atan, np.arctan, 1.5, 2),
        Function("sinh", lamina.sinh, np.sinh, 1, 3, -720, 720),
        Function("cosh", lamina.cosh, np.cosh, 1, 2, -720, 720),
        Function("tanh", lamina.tanh, np.tanh, 1, 3, -25, 25),
        Function("erf", lamina.erf, _erf, 1.25, 2, -7, 7),
        Function("sqrt", lamina.sqrt, np.sqrt, 0.5, 0.5, 0, 1e3),
        Function("rsqrt", lamina.rsqrt, lambda x: 1 / np.sqrt(x), 1.5, 1.5, 0, 1e3),
        Function("reciprocal", lamina.reciprocal, lambda x: 1 / x, 0.5, 0.5),
        Function("sigmoid", lamina.sigmoid, _sigmoid, 2, 2, -750, 50),
        Function("silu", F.silu, _no_limit(lambda x: x * _sigmoid(x)), 2, 3, -750, 50),
        Function("gelu", F.gelu, _no_limit(lambda x: x * 0.5 * _erfc_over_root2(-x)), 4, 8, -37, 10),
        Function("logsigmoid", F.logsigmoid, lambda x: -np.logaddexp(0, -x), 2, 3, -750, 750),
        Function("exp2", lamina.exp2, np.exp2, 1, 1, -1080, 1030),
        Function("asin", lamina.asin, np.arcsin, 2, 2, -1, 1),
        Function("acos", lamina.acos, np.arccos, 2, 2, -1, 1),
        Function("asinh", lamina.asinh, np.arcsinh, 1, 2, -1e3, 1e3),
        Function("acosh", lamina.acosh, np.arccosh, 1, 2.5, 1, 1e3),
        Function("atanh", lamina.atanh, np.arctanh, 1, 2, -1, 1),
        Function("erfinv", lamina.erfinv, ulp_special.erfinv, 1, 4, -1, 1),
        Function("lgamma", lamina.lgamma, ulp_special.lgamma, 1, 7, -5, 1e3, ulp_special.lgamma_terms),
        Function("digamma", lamina.digamma, ulp_special.digamma, 1, 6, -5, 1e3, ulp_special.digamma_terms),
        Function("sinc", lamina.sinc, ulp_special.sinc, 1, 4, -1e3, 1e3),
        Function("tanhshrink", F.tanhshrink, ulp_special.tanhshrink, 1, 10),
        Function("i0", lamina.i0, lambda x: np.where(np.isinf(x), np.inf, np.i0(x)), 1, 6, -700, 700),
        Function("logit", lamina.logit, ulp_special.logit, 1, 3, 0, 1),
        Function("softplus", F.softplus, lambda x: np.where(x > 20, x, np.logaddexp(0, x)), 2, 3, -750, 50),
    ]
}


def ulps(got: np.ndarray, exact: np.ndarray, terms: float | np.ndarray = 0.0) -> np.ndarray:
    """|got - exact| in units of the last place of exact; infinite where only one of them is NaN or infinite."""
    digits, lowest, top = (24, -149, 128) if got.dtype == np.float32 else (53, -1074, 1024)
    with np.errstate(all="ignore"):
        unit = np.ldexp(exact.dtype.type(1), np.maximum(np.frexp(np.maximum(abs(exact), terms))[1] - digits, lowest))
        wide = got.astype(exact.dtype)
        error = np.abs(wide - exact) / unit
        both = (np.isnan(got) & np.isnan(exact)) | (wide == exact) | (np.isinf(got) & (got == exact.astype(got.dtype)))
        error = np.where(both, 0, error)
        # one side overflows: infinity counts as the power of two beyond the largest number
        limit = np.ldexp(exact.dtype.type(1), top) if exact.dtype != np.float64 or top == 128 else np.inf
        early = np.isinf(got) & np.isfinite(exact) & ~both
        error = np.where(early, np.abs(np.copysign(limit, wide) - exact) / unit, error)
        late = np.isinf(exact.astype(got.dtype)) & np.isfinite(got)
        error = np.where(late & (np.abs(got) == np.finfo(got.dtype).max), np.minimum(error, 1), error)
    return np.where(np.isnan(error), np.inf, error)


@dataclass
class Worst:
    error: float = 0.0
    at: float = 0.0

    def see(self, error: np.ndarray, x: np.ndarray) -> None:
        i = int(np.argmax(error))
        if error[i] > self.error:
            self.error, self.at = float(error[i]), float(x[i])


def apply(f: Callable, x: np.ndarray) -> np.ndarray:
    return f(lamina.from_numpy(x)).numpy()


def bit_patterns(stride: int, chunk: int = 1 << 20) -> Iterator[np.ndarray]:
    """Every stride-th float32."""
    count = -(-(1 << 32) // stride)
    for lo in range(0, count, chunk):
        u = np.arange(lo, min(lo + chunk, count), dtype=np.uint64) * np.uint64(stride)
        yield u.astype(np.uint32).view(np.float32)


def float32_error(name: str, stride: int, threads: int = 1) -> Worst:
    function, worst = FUNCTIONS[name], Worst()

    def measure(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with np.errstate(all="ignore"):
            wide = x.astype(np.float64)
            return ulps(apply(function.f, x), np.asarray(function.exact(wide)), function.terms(wide)), x

    if threads == 1:
        for x in bit_patterns(stride):
            worst.see(*measure(x))
        return worst
    with ThreadPoolExecutor(threads) as pool:
        pending = []
        for x in bit_patterns(stride):
            pending.append(pool.submit(measure, x))
            if len(pending) > 2 * threads:
                worst.see(*pending.pop(0).result())
        for p in pending:
            worst.see(*p.result())
    return worst


def float64_error(name: str, n: int = 100_000) -> Worst:
    function, worst = FUNCTIONS[name], Worst()
    rng = np.random.default_rng(0)
    for x in (
        rng.uniform(function.lo, function.hi, n),
        rng.uniform(max(function.lo, -3), min(function.hi, 3), n),
        rng.integers(0, 1 << 64, n // 2, dtype=np.uint64).view(np.float64),
    ):
        with np.errstate(all="ignore"):
            exact = np.asarray(function.exact(x.astype(np.longdouble)), dtype=np.longdouble)
            worst.see(ulps(apply(function.f, x), exact, function.terms(x)), x)
    return worst
