"""The mathematical functions against float64 and long double, their special values, exact division with remainder."""

from __future__ import annotations

import math
import os

import lamina
import numpy as np
import pytest
from ulp import FUNCTIONS, apply, float32_error, float64_error

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32(name):
    worst = float32_error(name, 65521)
    assert worst.error <= FUNCTIONS[name].bar, f"{worst.error:.3f} ULP at {worst.at!r}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float64(name):
    worst = float64_error(name)
    assert worst.error <= FUNCTIONS[name].bar64, f"{worst.error:.3f} ULP at {worst.at!r}"


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_all_bit_patterns(name):
    """Every 1021st float32; all 2^32 with LAMINA_EXHAUSTIVE=1 in the environment."""
    stride = 1 if os.environ.get("LAMINA_EXHAUSTIVE") == "1" else 1021
    worst = float32_error(name, stride, threads=2)
    assert worst.error <= FUNCTIONS[name].bar, f"{worst.error:.3f} ULP at {worst.at!r}"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_values(name, dtype):
    x = np.array([0.0, -0.0, 1.0, -1.0, INF, -INF, NAN], dtype)
    got = apply(FUNCTIONS[name].f, x)
    with np.errstate(all="ignore"):
        exact = np.asarray(FUNCTIONS[name].exact(x.astype(np.float64))).astype(dtype)
    np.testing.assert_allclose(got, exact, rtol=4 * np.finfo(dtype).eps)
    zeros = (got == 0) & (exact == 0)
    assert (np.signbit(got) == np.signbit(exact))[zeros & (x == 0)].all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pow_follows_ieee(dtype):
    values = np.array(
        [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 1e-40, 1e30, -1e30, INF, -INF, NAN], dtype
    )
    x, y = (v.ravel().astype(dtype) for v in np.meshgrid(values, values))
    got = lamina.pow(lamina.from_numpy(x), lamina.from_numpy(y)).numpy()
    with np.errstate(all="ignore"):
        exact = np.power(x.astype(np.float64), y.astype(np.float64)).astype(dtype)
        exact64 = np.array([_pow(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)])
        exact = np.where(np.isnan(exact64), exact, exact64.astype(dtype))
    np.testing.assert_allclose(got, exact, rtol=4 * np.finfo(dtype).eps)
    assert (np.signbit(got) == np.signbit(exact))[got == 0].all()


def _pow(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except OverflowError:
        return -INF if a < 0 and b % 2 == 1 else INF
    except ValueError:
        if a == 0:
            return -INF if math.copysign(1, a) < 0 and b % 2 == 1 and math.isfinite(b) else INF
        return NAN


def test_pow_error():
    rng = np.random.default_rng(0)
    x = np.exp(rng.uniform(-80, 80, 200_000)).astype(np.float32)
    y = (rng.uniform(-85, 85, x.size) / np.log(x)).astype(np.float32)
    got = lamina.pow(lamina.from_numpy(x), lamina.from_numpy(y)).numpy()
    exact = np.power(x.astype(np.float64), y.astype(np.float64))
    assert np.max(np.abs(got / exact - 1)) <= 2.0**-24 * 1.05
    x, y = x.astype(np.float64), (rng.uniform(-700, 700, x.size) / np.log(x.astype(np.float64)))
    got = lamina.pow(lamina.from_numpy(x), lamina.from_numpy(y)).numpy()
    exact = np.power(x.astype(np.longdouble), y.astype(np.longdouble))
    assert np.max(np.abs(got / exact - 1)) <= 2.0**-52 * 1.5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_division_with_remainder_is_exact(dtype):
    rng = np.random.default_rng(0)
    x = (rng.standard_normal(20_000) * 10.0 ** rng.integers(-20, 30, 20_000)).astype(dtype)
    y = (rng.standard_normal(20_000) * 10.0 ** rng.integers(-20, 5, 20_000)).astype(dtype)
    a, b = lamina.from_numpy(x), lamina.from_numpy(y)
    np.testing.assert_array_equal(lamina.fmod(a, b).numpy(), np.fmod(x, y))
    m = np.fmod(x, y)
    expected = np.where((m != 0) & ((m < 0) != (y < 0)), m + y, m)
    np.testing.assert_array_equal(lamina.remainder(a, b).numpy(), expected)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8"])
def test_integer_division_corners(dtype):
    info = np.iinfo(dtype)
    x = np.array([info.min, info.max, 7, -7 if info.min < 0 else 7, 0, 1], dtype)
    for d in (1, 2, 3, *((-1, -2, -3) if info.min < 0 else ())):
        a, b = lamina.from_numpy(x), lamina.from_numpy(np.full_like(x, d))
        floor = [v // d for v in x.tolist()]
        trunc = [-(-v // d) if v % d and (v < 0) != (d < 0) else v // d for v in x.tolist()]
        np.testing.assert_array_equal(lamina.floor_divide(a, b).numpy(), _wrap(floor).astype(dtype))
        np.testing.assert_array_equal(lamina.trunc_divide(a, b).numpy(), _wrap(trunc).astype(dtype))
        np.testing.assert_array_equal(lamina.remainder(a, b).numpy(), [v % d for v in x.tolist()])


def _wrap(values: list[int]) -> np.ndarray:
    return np.array([(v + (1 << 63)) % (1 << 64) - (1 << 63) for v in values], np.int64)


@pytest.mark.parametrize("f", [lamina.remainder, lamina.fmod, lamina.floor_divide, lamina.trunc_divide])
def test_integer_division_by_zero_is_an_error(f):
    x = lamina.arange(100_000)
    with pytest.raises(Exception, match="by zero"):
        f(x, lamina.zeros_like(x))
